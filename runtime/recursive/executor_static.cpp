// Static batching: whole structures for every thread, where each has enough of them and the weights fit its
// own cache. Nobody waits for anybody inside a batch, and nobody gathers what another one gathers too.
#include <unistd.h>

#include <algorithm>
#include <new>

#include "runtime/recursive/executor.h"

namespace cortex::recursive {
namespace {

// Below, a thread's share is not worth waking it: about 8 us of a core's products.
constexpr double least_share_flops = 2e6;
constexpr int64_t least_structures = 4;  // a thread

// Part of L2 that the weights may fill. Two threads, Zen 5, cortex-bench ablate --threads 2: TreeLSTM-256,
// which fills all of it, loses 4 %; TreeGRU-256, at three quarters, gains up to 24 %.
constexpr int64_t quarters_of_cache = 3;

// Short enough for a string to hold it without memory.
constexpr const char* no_memory = "out of memory";

int64_t near_cache_bytes() {
  static const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? bytes : int64_t{1} << 20;
}

// What the shares are cut along is in order; the rest is checked where each share is linearized.
bool can_be_cut(const cortex_recursive_batch& b) {
  if (b.structures < 1 || b.nodes < b.structures || b.nodes > int64_t{1} << 30 || !b.structure_offsets)
    return false;
  if (b.structure_offsets[0] != 0 || b.structure_offsets[b.structures] != b.nodes) return false;
  for (int64_t s = 0; s < b.structures; ++s) {
    if (b.structure_offsets[s + 1] <= b.structure_offsets[s]) return false;
  }
  if (!b.child_offsets) return true;
  if (b.child_offsets[0] != 0 || (b.child_offsets[b.nodes] > 0 && !b.child_ids)) return false;
  return std::is_sorted(b.child_offsets, b.child_offsets + b.nodes + 1);
}

}  // namespace

// Decides, and says which structures are whose: about as many nodes each.
bool Executor::divide(const cortex_recursive_batch& batch) {
  const int threads = team_->size();
  if (threads == 1 || model_.sharing == Sharing::columns || !can_be_cut(batch)) return false;
  const bool forced = model_.sharing == Sharing::structures;
  if (batch.structures < (forced ? threads : least_structures * threads)) return false;
  int64_t weights = 0;
  for (const Direction& direction : model_.directions) weights += direction.parameters.packed_bytes();
  const double per_node = static_cast<double>(weights) / (model_.directions[0].parameters.bf16() ? 1 : 2);
  if (!forced && (4 * weights > quarters_of_cache * near_cache_bytes() ||
                  static_cast<double>(batch.nodes) * per_node < least_share_flops * threads)) {
    return false;
  }
  shares_.resize(static_cast<std::size_t>(threads));
  int64_t largest = 0;
  const int32_t* offsets = batch.structure_offsets;
  for (int t = 0; t < threads; ++t) {
    // The boundary nearest to an equal division, and a structure at least for everybody.
    const int64_t wanted = batch.nodes * t / threads;
    int64_t s = std::lower_bound(offsets, offsets + batch.structures, wanted) - offsets;
    if (s > 0 && wanted - offsets[s - 1] < offsets[s] - wanted) --s;
    if (t > 0) s = std::max(s, shares_[static_cast<std::size_t>(t) - 1].first_structure + 1);
    s = std::min(s, batch.structures - (threads - t));
    shares_[static_cast<std::size_t>(t)].first_structure = s;
    shares_[static_cast<std::size_t>(t)].first_node = offsets[s];
  }
  for (int t = 0; t < threads; ++t) {
    const auto i = static_cast<std::size_t>(t);
    const int64_t end = t + 1 < threads ? shares_[i + 1].first_node : batch.nodes;
    largest = std::max(largest, end - shares_[i].first_node);
  }
  // The largest share is what the batch takes.
  return (forced || 20 * largest * threads <= 21 * batch.nodes) && start_shares();
}

bool Executor::start_shares() {
  while (parts_.size() < shares_.size()) {
    Result<std::unique_ptr<Executor>> part = create(model_, 1);
    if (!part) return false;
    parts_.push_back(std::move(part).value());
  }
  return true;
}

void Executor::fill_share(std::size_t t) {
  const cortex_recursive_batch& whole = *batch_;
  Share& share = shares_[t];
  const bool last = t + 1 == shares_.size();
  const int64_t end_structure = last ? whole.structures : shares_[t + 1].first_structure;
  const int64_t end_node = last ? whole.nodes : shares_[t + 1].first_node;
  const auto moved = [](const int32_t* from, const int32_t* to, int64_t by, std::vector<int32_t>& out) {
    out.resize(static_cast<std::size_t>(to - from));
    std::transform(from, to, out.begin(), [by](int32_t x) { return x - static_cast<int32_t>(by); });
    return out.data();
  };
  cortex_recursive_batch& b = share.batch;
  b = whole;
  b.structures = end_structure - share.first_structure;
  b.nodes = end_node - share.first_node;
  b.structure_offsets =
      moved(whole.structure_offsets + share.first_structure, whole.structure_offsets + end_structure + 1,
            share.first_node, share.structure_offsets);
  if (whole.child_offsets) {
    const int64_t first = whole.child_offsets[share.first_node], end = whole.child_offsets[end_node];
    b.child_offsets = moved(whole.child_offsets + share.first_node, whole.child_offsets + end_node + 1, first,
                            share.child_offsets);
    if (end > first)
      b.child_ids = moved(whole.child_ids + first, whole.child_ids + end, share.first_node, share.child_ids);
  }
  if (whole.words) b.words += share.first_node;
  if (whole.selectors) b.selectors += share.first_node;
  if (whole.features) b.features += share.first_node * model_.feature_width;
}

// Where every share's rows go.
void Executor::join_shares() {
  joined_ = false;
  for (const Share& share : shares_) {
    if (share.status || share.status.error().code != ErrorCode::out_of_memory) continue;
    joined_ = true;  // by columns it would need as much
    shares_status_ = Error{ErrorCode::out_of_memory, no_memory};
    return;
  }
  int64_t roots = 0;
  info_.edges = info_.levels = 0;
  for (std::size_t t = 0; t < shares_.size(); ++t) {
    if (!shares_[t].status) return;
    const Linear& linear = parts_[t]->linear_[0];
    roots += static_cast<int64_t>(linear.roots.size());
    info_.edges += linear.edges;
    info_.levels = std::max(info_.levels, linear.heights);
  }
  joined_ = true;
  info_.structures = batch_->structures;
  info_.nodes = batch_->nodes;
  shares_status_ = check_results(results_, result_count_, batch_->nodes, roots);
  if (!shares_status_) return;
  int64_t first_root = 0;
  for (std::size_t t = 0; t < shares_.size(); ++t) {
    shares_[t].results.clear();
    for (int32_t r = 0; r < result_count_; ++r) {
      cortex_recursive_result result = results_[r];
      const auto state = static_cast<std::size_t>(result_states_[static_cast<std::size_t>(r)]);
      const int64_t width = model_.directions[0].program.state_width[state];
      if (result.row_bytes == 0)
        result.row_bytes = width * static_cast<int64_t>(model_.directions.size() * sizeof(float));
      const int64_t first = result.where == CORTEX_RECURSIVE_NODES ? shares_[t].first_node : first_root;
      result.data = reinterpret_cast<float*>(reinterpret_cast<char*>(result.data) + first * result.row_bytes);
      shares_[t].results.push_back(result);
    }
    first_root += static_cast<int64_t>(parts_[t]->linear_[0].roots.size());
  }
  info_.linearize_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

// Nothing may be thrown past the barriers: the others wait there.
void Executor::run_share(int thread) {
  const auto t = static_cast<std::size_t>(thread);
  Executor& part = *parts_[t];
  try {
    fill_share(t);
    shares_[t].status = part.prepare(shares_[t].batch);
  } catch (const std::bad_alloc&) {
    shares_[t].status = Error{ErrorCode::out_of_memory, no_memory};
  }
  team_->barrier();
  if (thread == 0) {
    try {
      join_shares();
    } catch (const std::bad_alloc&) {
      joined_ = true;
      shares_status_ = Error{ErrorCode::out_of_memory, no_memory};
    }
  }
  team_->barrier();
  if (!joined_ || !shares_status_) return;
  part.batch_ = &shares_[t].batch;
  part.results_ = shares_[t].results.data();
  part.result_count_ = result_count_;
  part.result_states_ = result_states_;
  part.threads_ = 1;
  part.work(0);
}

bool Executor::run_shares(const cortex_recursive_batch& batch, const cortex_recursive_result* results,
                          int32_t result_count, Status& status) {
  batch_ = &batch;
  results_ = results;
  result_count_ = result_count;
  team_->run([](void* self, int thread) { static_cast<Executor*>(self)->run_share(thread); }, this);
  if (!joined_) return false;
  info_.barriers = 3;
  info_.arena_bytes = held_bytes();
  status = shares_status_;
  return true;
}

}  // namespace cortex::recursive
