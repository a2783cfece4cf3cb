#include "runtime/recursive/walk.h"

#include <algorithm>
#include <cstring>

#include "polyopt/recursive/pointwise_key.h"
#include "support/checked.h"

namespace cortex::recursive {
namespace {

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

bool only_products(const Phase& phase) {
  return std::all_of(phase.steps.begin(), phase.steps.end(),
                     [](const Step& s) { return std::holds_alternative<Gemm>(s); });
}

}  // namespace

int64_t Walk::run() {
  hoisted();
  if (program_.barrier_after_hoisted) barrier();
  for (int64_t l = 0; l < linear_.levels; ++l) {
    if (linear_.level_start[index(l)] < leaf_end_) continue;
    at_.level = level_ = l;
    at_.first = linear_.level_start[index(l)];
    at_.rows = linear_.level_start[index(l + 1)] - at_.first;
    at_.inner = linear_.level_inner[index(l)];
    at_.first_edge = linear_.child_begin[index(at_.first)];
    at_.edges = linear_.child_begin[index(at_.first + at_.rows)] - at_.first_edge;
    level(at_.first < linear_.leaves && program_.has_leaf ? program_.leaf : program_.node);
  }
  flush();
  return barriers_;
}

// Products of the caller's features, for all nodes at once.
void Walk::hoisted() {
  if (program_.hoisted.empty()) return;
  const int64_t width = program_.hoisted[0].k;
  const bool copied = features_collide(width);
  const int64_t at_once = copied ? feature_rows : batch_.nodes;
  for (int64_t first = 0; first < batch_.nodes; first += at_once) {
    const int64_t rows = std::min(at_once, batch_.nodes - first);
    const float* from = batch_.features + first * width;
    int64_t pitch = width;
    if (copied) {
      float* to = room_.features.as<float>();
      pitch = stride_of(width);
      for (int64_t row = 0; row < rows; ++row) std::copy_n(from + row * width, width, to + row * pitch);
      from = to;
    }
    for (const Gemm& gemm : program_.hoisted) {
      const int64_t out_pitch = arena_.hoisted_stride[index(gemm.out.array)];
      run_gemm(gemm, from, pitch, arena_.hoisted[index(gemm.out.array)].as<float>() + first * out_pitch,
               out_pitch, rows);
    }
  }
}

void Walk::barrier() {
  if (threads_ > 1) team_.barrier();
  ++barriers_;
}

void Walk::level(const CellProgram& cell) {
  for (const Phase& phase : cell.phases) {
    const bool last = &phase == &cell.phases.back();
    if (model_.fuse_levels && last && !phase.barrier && only_products(phase)) {
      flush();
      waiting_ = &phase;
      waiting_at_ = at_;
      return;
    }
    bool done = false;
    const auto all_products = [&] {
      if (!done) {
        products(phase);
        matrices(phase);
      }
      done = true;
    };
    for (const Step& s : phase.steps) {
      if (!std::holds_alternative<Gather>(s)) all_products();
      std::visit([&](const auto& one) { step(one); }, s);
    }
    all_products();
    if (phase.barrier) barrier();
  }
}

void Walk::flush() {
  if (!waiting_) return;
  const LevelRows here = at_;
  at_ = waiting_at_;
  for (const Step& s : waiting_->steps) product(std::get<Gemm>(s));
  at_ = here;
  waiting_ = nullptr;
}

void Walk::products(const Phase& phase) {
  const bool back = model_.alternate && level_ & 1;
  if (!back) flush();
  for (std::size_t i = 0; i < phase.steps.size(); ++i) {
    const Step& s = phase.steps[back ? phase.steps.size() - 1 - i : i];
    if (const auto* gemm = std::get_if<Gemm>(&s)) product(*gemm);
  }
  if (back) flush();
}

Walk::Part Walk::share(int64_t width, int64_t quantum) const {
  const int64_t units = ceil_div(width, quantum), threads = threads_;
  return {std::min(width, units * thread_ / threads * quantum),
          std::min(width, units * (thread_ + 1) / threads * quantum)};
}

Walk::Part Walk::share_of_row(int64_t row, int64_t width, int64_t quantum) const {
  const int64_t units = ceil_div(width, quantum), all = units * at_.rows, threads = threads_;
  const auto at = [&](int64_t unit) {
    return std::min(width, std::clamp<int64_t>(unit - row * units, 0, units) * quantum);
  };
  return {at(all * thread_ / threads), at(all * (thread_ + 1) / threads)};
}

const float* Walk::state(int array, int64_t position) const {
  if (position < 0) return arena_.zeros.as<float>();
  if (position < leaf_end_) {
    const float* row = leaves_->row(array, linear_.word[index(position)], parameters_);
    return row ? row : arena_.zeros.as<float>();
  }
  return arena_.state[index(array)].as<float>() + position * arena_.state_stride[index(array)];
}

const float* Walk::at(const Stream& s, int64_t row, int64_t edge) const {
  const int64_t position = at_.first + row;
  switch (s.from) {
    case From::parameter:
      return parameters_.plain(s.array) + s.offset;
    case From::word: {
      const int32_t word = linear_.word[index(position)];
      if (word < 0) return arena_.zeros.as<float>();
      return parameters_.plain(s.array) + word * s.width + s.offset;
    }
    case From::features:
      return batch_.features + linear_.original[index(position)] * s.width + s.offset;
    case From::hoisted:
      return arena_.hoisted[index(s.array)].as<float>() +
             linear_.original[index(position)] * arena_.hoisted_stride[index(s.array)] + s.offset;
    case From::own:
      return state(s.array, position) + s.offset;
    case From::row:
      return arena_.row[index(s.array)].as<float>() + row * arena_.row_stride[index(s.array)] + s.offset;
    case From::edge:
      return arena_.edge[index(s.array)].as<float>() + edge * arena_.edge_stride[index(s.array)] + s.offset;
    case From::panel:
      return room_.panel_data[index(s.array)] +
             (program_.panels[index(s.array)].per_child ? edge : row) * room_.panel_pitch[index(s.array)] +
             s.offset;
    case From::each:
      return state(s.array, linear_.children[index(at_.first_edge + edge)]) + s.offset;
    case From::slot: {
      const int64_t begin = linear_.child_begin[index(position)] + s.slot;
      if (begin >= linear_.child_begin[index(position + 1)]) return arena_.zeros.as<float>();
      return state(s.array, linear_.children[index(begin)]) + s.offset;
    }
    case From::selected: {
      const int32_t child = linear_.selected[index(position)];
      return child < 0 ? arena_.zeros.as<float>() : state(s.array, child) + s.offset;
    }
    case From::block: {
      const int64_t slot = at_.first_edge + edge - linear_.child_begin[index(position)];
      return arena_.row[index(s.array)].as<float>() + row * arena_.row_stride[index(s.array)] + s.offset +
             slot * s.width;
    }
    case From::scratch:
      return room_.scratch.as<float>() + s.array * scratch_columns;
  }
  return nullptr;
}

// From one row of the level to the next; -1 where they are anywhere.
int64_t Walk::row_step(const Stream& s) const {
  switch (s.from) {
    case From::parameter:
    case From::scratch:
      return 0;
    case From::own:
      return arena_.state_stride[index(s.array)];
    case From::row:
      return arena_.row_stride[index(s.array)];
    case From::panel:
      return program_.panels[index(s.array)].per_child ? -1 : room_.panel_pitch[index(s.array)];
    default:
      return -1;
  }
}

// Sums and maxima over the children, in their order.
void Walk::reduce(const Gather::Part& part, int64_t row, float* to) {
  const int64_t begin = linear_.child_begin[index(at_.first + row)] - at_.first_edge;
  const int64_t end = linear_.child_begin[index(at_.first + row + 1)] - at_.first_edge;
  if (begin == end) {
    std::fill_n(to, part.width, 0.0f);
    return;
  }
  const float* first = at(part.stream, row, begin);
  if (end - begin == 1) {
    std::copy_n(first, part.width, to);
    return;
  }
  float* rows[4] = {to, const_cast<float*>(first), nullptr, nullptr};
  cortex_cell_step combine{CORTEX_CELL_FORM, 0, 0, 1, 2, -1, -1, -1, 0, 0};
  if (part.reduce == Gather::Reduce::max) combine.op = CORTEX_CELL_MAX;
  for (int64_t edge = begin + 1; edge < end; ++edge) {
    rows[2] = writable(part.stream, row, edge);
    model_.kernels.pointwise(&combine, 1, rows, part.width);
    rows[1] = to;
  }
}

}  // namespace cortex::recursive
