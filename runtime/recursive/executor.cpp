#include "runtime/recursive/executor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/recursive/unroll.h"
#include "runtime/recursive/walk.h"
#include "support/checked.h"

namespace cortex::recursive {
namespace {

int64_t last_cache_bytes() {
  static const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return bytes > 0 ? bytes : int64_t{16} << 20;
}

// Memory only grows, by a quarter more than asked for, so that batches of varying shape soon stop allocating.
bool grow(AlignedBuffer& buffer, int64_t floats) {
  const std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float);
  if (buffer && buffer.size() >= bytes) return true;
  const bool first = !buffer;
  buffer = AlignedBuffer();
  buffer = AlignedBuffer(first ? bytes : bytes + bytes / 4);
  return static_cast<bool>(buffer);
}

bool grow_all(std::vector<AlignedBuffer>& buffers, const std::vector<int64_t>& strides, int64_t rows) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (!grow(buffers[i], strides[i] * rows)) return false;
  }
  return true;
}

void size_arrays(std::vector<AlignedBuffer>& buffers, std::vector<int64_t>& strides,
                 const std::vector<int64_t>& widths, bool padded = true) {
  buffers.resize(widths.size());
  for (const int64_t width : widths) strides.push_back(padded ? stride_of(width) : width);
}

int64_t bytes_of(const std::vector<AlignedBuffer>& buffers) {
  int64_t bytes = 0;
  for (const AlignedBuffer& buffer : buffers) bytes += static_cast<int64_t>(buffer.size());
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::create(const CompiledModel& model, int threads) {
  std::unique_ptr<Executor> out(new Executor(model));
  Result<std::unique_ptr<Team>> team = Team::create(threads);
  if (!team) return team.error();
  out->team_ = std::move(team).value();
  out->linear_.resize(model.directions.size());
  for (const Direction& direction : model.directions) {
    const Program& program = direction.program;
    Arena arena;
    size_arrays(arena.state, arena.state_stride, program.state_width);
    size_arrays(arena.row, arena.row_stride, program.row_width);
    size_arrays(arena.edge, arena.edge_stride, program.edge_width);
    size_arrays(arena.hoisted, arena.hoisted_stride, program.hoisted_width);
    arena.zeros = AlignedBuffer(static_cast<std::size_t>(program.widest) * sizeof(float));
    if (!arena.zeros) return Error{ErrorCode::out_of_memory, "executor: out of memory"};
    std::memset(arena.zeros.data(), 0, arena.zeros.size());
    out->arenas_.push_back(std::move(arena));
    std::vector<ThreadRoom>& rooms = out->rooms_.emplace_back(static_cast<std::size_t>(threads));
    for (ThreadRoom& room : rooms) {
      std::vector<int64_t> widths;
      for (const Program::Panel& panel : program.panels) widths.push_back(panel.width);
      size_arrays(room.panels, room.panel_stride, widths);
      room.panel_data.resize(widths.size());
      room.panel_pitch.resize(widths.size());
      std::size_t rows = 0;
      for (const CellProgram* cell : {&program.leaf, &program.node}) {
        for (const Phase& phase : cell->phases) {
          for (const Step& step : phase.steps) {
            if (const auto* pointwise = std::get_if<Pointwise>(&step))
              rows = std::max(rows, pointwise->rows.size());
          }
        }
      }
      room.rows.resize(rows);
      room.row_step.resize(rows);
      room.cell_rows.resize(rows);
      room.scratch =
          AlignedBuffer(static_cast<std::size_t>(program.scratch_rows + 1) * scratch_columns * sizeof(float));
      if (!room.scratch) return Error{ErrorCode::out_of_memory, "executor: out of memory"};
    }
  }
  return out;
}

bool Executor::reserve(std::size_t d) {
  const Linear& linear = linear_[d];
  int64_t rows = 0, edges = 0;
  for (std::size_t l = 0; l < static_cast<std::size_t>(linear.levels); ++l) {
    const auto first = static_cast<std::size_t>(linear.level_start[l]);
    const auto last = static_cast<std::size_t>(linear.level_start[l + 1]);
    rows = std::max<int64_t>(rows, linear.level_start[l + 1] - linear.level_start[l]);
    edges = std::max<int64_t>(edges, linear.child_begin[last] - linear.child_begin[first]);
  }
  Arena& arena = arenas_[d];
  const Program& program = model_.directions[d].program;
  if (!grow_all(arena.state, arena.state_stride, linear.nodes) ||
      !grow_all(arena.row, arena.row_stride, rows) || !grow_all(arena.edge, arena.edge_stride, edges) ||
      !grow_all(arena.hoisted, arena.hoisted_stride, linear.nodes)) {
    return false;
  }
  const int64_t width = program.hoisted.empty() ? 0 : program.hoisted[0].k;
  for (ThreadRoom& room : rooms_[d]) {
    if (features_collide(width) &&
        !grow(room.features, stride_of(width) * std::min(feature_rows, linear.nodes)))
      return false;
    const std::size_t addresses = room.rows.size() * static_cast<std::size_t>(std::max(rows, edges));
    if (room.addresses.size() < addresses) room.addresses.resize(addresses);
    for (std::size_t p = 0; p < room.panels.size(); ++p) {
      if (!grow(room.panels[p], room.panel_stride[p] * (program.panels[p].per_child ? edges : rows)))
        return false;
    }
  }
  return true;
}

const float* Executor::state_row(std::size_t d, int state, int64_t position) const {
  const Direction& direction = model_.directions[d];
  const Linear& linear = linear_[d];
  const auto s = static_cast<std::size_t>(state);
  if (!direction.leaves || position >= linear.leaves) {
    return arenas_[d].state[s].as<float>() + position * arenas_[d].state_stride[s];
  }
  const int32_t word = linear.word[static_cast<std::size_t>(position)];
  const float* row = direction.leaves->row(state, word, direction.parameters);
  return row ? row : arenas_[d].zeros.as<float>();
}

// A barrier costs what a core computes in about a microsecond.
int Executor::threads_for(const cortex_recursive_batch& batch) const {
  if (team_->size() == 1) return 1;
  double flops = 0;
  for (const Linear& linear : linear_) flops += count_flops(model_.flops, linear);
  const double levels = static_cast<double>(linear_[0].levels * static_cast<int64_t>(linear_.size()));
  return batch.nodes > 1 && flops < model_.flops_per_barrier * levels ? 1 : team_->size();
}

// A team of several goes up by levels, so that there is work for all between two barriers.
bool Executor::unrolls(std::size_t d) const {
  const Direction& direction = model_.directions[d];
  const Linear& linear = linear_[d];
  if (team_->size() > 1 || direction.rules.one_by_one || linear.levels < 2) return false;
  if (model_.unrolling != Unrolling::choose) return model_.unrolling == Unrolling::always;
  const double inner = static_cast<double>(linear.nodes - linear.leaves);
  const UnrolledBatch batch{inner, static_cast<double>(linear.edges), static_cast<double>(linear.levels - 1)};
  return unrolling_pays(direction.moved, batch, static_cast<double>(last_cache_bytes()));
}

Status Executor::prepare(const cortex_recursive_batch& batch) {
  for (std::size_t d = 0; d < model_.directions.size(); ++d) {
    std::string missing;
    if (!model_.directions[d].parameters.complete(&missing)) {
      return invalid_argument(fmt::format("model {}: parameter {}{} has not been set", model_.model.name,
                                          d ? "bwd." : "", missing));
    }
    if (Status s = linearize(batch, model_.directions[d].rules, linear_[d]); !s) return s;
    if (unrolls(d)) unroll(linear_[d]);
    if (LeafStates* leaves = model_.directions[d].leaves.get()) {
      const uint64_t version = model_.directions[d].parameters.version();
      const auto keep = [&](LeafStates& to) { return keep_leaves(model_, d, to); };
      if (Status s = leaves->make(version, keep); !s) return s;
    }
  }
  if (model_.model.feature && !batch.features) {
    return invalid_argument("batch: features is NULL, and the model has an input");
  }
  for (std::size_t d = 0; d < model_.directions.size(); ++d) {
    if (reserve(d)) continue;
    return Error{ErrorCode::out_of_memory, fmt::format("batch of {} nodes: out of memory", batch.nodes)};
  }
  return {};
}

Status Executor::check_results(const cortex_recursive_result* results, int32_t count, int64_t nodes,
                               int64_t roots) {
  if (count < 0 || (count > 0 && !results)) return invalid_argument("results is NULL");
  result_states_.clear();
  for (int32_t r = 0; r < count; ++r) {
    const cortex_recursive_result& result = results[r];
    int state = -1;
    for (const int o : model_.model.outputs) {
      if (!result.name || model_.model.states[static_cast<std::size_t>(o)].name == result.name) {
        state = o;
        break;
      }
    }
    const std::string name = result.name ? result.name : "(the first)";
    if (result.reserved0 || result.reserved[0] || result.reserved[1])
      return invalid_argument(fmt::format("result {}, {}: reserved fields must be zero", r, name));
    if (state < 0) {
      return invalid_argument(
          fmt::format("result {}: model {} has no output {}", r, model_.model.name, name));
    }
    if (!result.data) return invalid_argument(fmt::format("result {}, {}: data is NULL", r, name));
    if (result.where != CORTEX_RECURSIVE_ROOTS && result.where != CORTEX_RECURSIVE_NODES) {
      return invalid_argument(fmt::format("result {}, {}: where {} is unknown", r, name, result.where));
    }
    const int64_t rows = result.where == CORTEX_RECURSIVE_NODES ? nodes : roots;
    if (result.rows != 0 && result.rows != rows) {
      return invalid_argument(
          fmt::format("result {}, {}: room for {} rows, and there are {}", r, name, result.rows, rows));
    }
    const int64_t width = model_.directions[0].program.state_width[static_cast<std::size_t>(state)];
    const int64_t bytes = width * static_cast<int64_t>(model_.directions.size() * sizeof(float));
    if (result.row_bytes != 0 && (result.row_bytes < bytes || result.row_bytes % 4)) {
      return invalid_argument(
          fmt::format("result {}, {}: row_bytes {}; a row has {}", r, name, result.row_bytes, bytes));
    }
    result_states_.push_back(state);
  }
  return {};
}

void Executor::write_results(int thread) {
  for (std::size_t d = 0; d < model_.directions.size(); ++d) {
    const Linear& linear = linear_[d];
    for (int32_t r = 0; r < result_count_; ++r) {
      const cortex_recursive_result& result = results_[r];
      const int state = result_states_[static_cast<std::size_t>(r)];
      const int64_t width = model_.directions[d].program.state_width[static_cast<std::size_t>(state)];
      const int64_t dense = width * static_cast<int64_t>(model_.directions.size() * sizeof(float));
      const int64_t pitch = result.row_bytes ? result.row_bytes : dense;
      const std::vector<int32_t>& rows =
          result.where == CORTEX_RECURSIVE_NODES ? linear.position : linear.roots;
      const int64_t count =
          result.where == CORTEX_RECURSIVE_NODES ? linear.nodes : static_cast<int64_t>(linear.roots.size());
      const int64_t begin = count * thread / threads_, end = count * (thread + 1) / threads_;
      for (int64_t i = begin; i < end; ++i) {
        float* to = reinterpret_cast<float*>(reinterpret_cast<char*>(result.data) + i * pitch) +
                    static_cast<int64_t>(d) * width;
        std::copy_n(state_row(d, state, rows[static_cast<std::size_t>(i)]), width, to);
      }
    }
  }
}

void Executor::work(int thread) {
  int64_t barriers = 0;
  for (std::size_t d = 0; d < model_.directions.size(); ++d) {
    Walk walk(model_, model_.directions[d], linear_[d], arenas_[d],
              rooms_[d][static_cast<std::size_t>(thread)], *batch_, *team_, thread, threads_,
              model_.directions[d].leaves.get());
    barriers += walk.run();
  }
  if (threads_ > 1) team_->barrier();
  write_results(thread);
  if (thread == 0) info_.barriers = barriers + 1;
}

// However the last batch ran: what others left behind is still held.
int64_t Executor::held_bytes() const {
  int64_t bytes = 0;
  for (const std::unique_ptr<Executor>& part : parts_) bytes += part->held_bytes();
  for (std::size_t d = 0; d < arenas_.size(); ++d) {
    const Arena& a = arenas_[d];
    bytes += bytes_of(a.state) + bytes_of(a.row) + bytes_of(a.edge) + bytes_of(a.hoisted);
    for (const ThreadRoom& room : rooms_[d])
      bytes += bytes_of(room.panels) + static_cast<int64_t>(room.features.size());
  }
  return bytes;
}

Status Executor::run(const cortex_recursive_batch& batch, const cortex_recursive_result* results,
                     int32_t result_count) {
  start_ = std::chrono::steady_clock::now();
  if (Status status; divide(batch) && run_shares(batch, results, result_count, status)) return status;
  if (Status s = prepare(batch); !s) return s;
  if (Status s = check_results(results, result_count, linear_[0].nodes,
                               static_cast<int64_t>(linear_[0].roots.size()));
      !s)
    return s;
  info_.linearize_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  info_.structures = batch.structures;
  info_.nodes = linear_[0].nodes;
  info_.edges = linear_[0].edges;
  info_.levels = linear_[0].heights;
  info_.arena_bytes = held_bytes();
  batch_ = &batch;
  results_ = results;
  result_count_ = result_count;
  threads_ = threads_for(batch);
  if (threads_ == 1) {
    work(0);
    return {};
  }
  team_->run([](void* self, int thread) { static_cast<Executor*>(self)->work(thread); }, this);
  return {};
}

}  // namespace cortex::recursive
