// The steps of a cell's program, each on the rows and columns of one thread.
#include <algorithm>
#include <cstring>

#include "polyopt/recursive/pointwise_key.h"
#include "runtime/recursive/walk.h"
#include "support/checked.h"

namespace cortex::recursive {
namespace {

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

constexpr int64_t line_floats = 16;
constexpr int64_t rows_ahead = 3;  // of a gather, which does little with a row

}  // namespace

void Walk::step(const Gather& gather) {
  const std::size_t p = index(gather.panel);
  const int64_t count = gather.per_child ? at_.edges : at_.rows;
  if (model_.dense_reads && gather.parts.size() == 1 && !gather.per_child) {
    // A sequence's sum over children is its only child.
    const Gather::Part& part = gather.parts[0];
    const bool one = part.stream.from == From::slot
                         ? part.stream.slot == 0
                         : part.reduce != Gather::Reduce::none && at_.edges == at_.rows;
    const int32_t base = linear_.first_child[index(at_.level)];
    if (one && base >= 0 && base >= leaf_end_) {
      room_.panel_data[p] = state(part.stream.array, base) + part.stream.offset;
      room_.panel_pitch[p] = arena_.state_stride[index(part.stream.array)];
      return;
    }
  }
  float* data = room_.panels[p].as<float>();
  const int64_t pitch = room_.panel_stride[p];
  room_.panel_data[p] = data;
  room_.panel_pitch[p] = pitch;
  int64_t row = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (gather.per_child) {
      while (linear_.child_begin[index(at_.first + row + 1)] - at_.first_edge <= i) ++row;
    } else {
      row = i;
      if (row + rows_ahead < at_.rows) {
        for (const Gather::Part& part : gather.parts) ask(part.stream, row + rows_ahead, {0, part.width});
      }
    }
    float* to = data + i * pitch;
    for (const Gather::Part& part : gather.parts) {
      if (part.reduce != Gather::Reduce::none) {
        reduce(part, row, to + part.at);
      } else {
        std::copy_n(at(part.stream, row, i), part.width, to + part.at);
      }
    }
  }
}

void Walk::run_gemm(const Gemm& gemm, const float* a, int64_t a_pitch, float* c, int64_t c_pitch,
                    int64_t rows) {
  const Part columns = share(gemm.n, model_.kernels.panel);
  if (columns.begin >= columns.end || rows <= 0) return;
  const PackedWeights& weights = parameters_.packed(gemm.weights);
  cortex_cell_gemm_args args{};
  args.a = a;
  args.b =
      static_cast<const char*>(weights.data) + columns.begin / model_.kernels.panel * weights.panel_stride;
  args.c = c + columns.begin;
  args.m = rows;
  args.n = columns.end - columns.begin;
  args.k = gemm.k;
  args.lda = a_pitch * 4;
  args.ldb = weights.row_stride;
  args.ldc = c_pitch * 4;
  args.panel_stride = weights.panel_stride;
  args.last_first = model_.alternate && level_ & 1;
  (parameters_.bf16() ? model_.kernels.gemm_bf16 : model_.kernels.gemm)(&args);
}

void Walk::product(const Gemm& gemm) {
  const int64_t rows = gemm.inner_only ? at_.inner : gemm.per_child ? at_.edges : at_.rows;
  if (rows == 0) return;
  const auto pitch = [&](const Stream& s) {
    switch (s.from) {
      case From::own:
        return arena_.state_stride[index(s.array)];
      case From::row:
        return arena_.row_stride[index(s.array)];
      case From::edge:
        return arena_.edge_stride[index(s.array)];
      default:
        return room_.panel_pitch[index(s.array)];
    }
  };
  run_gemm(gemm, at(gemm.a, 0, 0), pitch(gemm.a), writable(gemm.out, 0, 0), pitch(gemm.out), rows);
}

void Walk::matrices(const Phase& phase) {
  const auto any = [](const Step& s) {
    return std::holds_alternative<MatrixProduct>(s) || std::holds_alternative<VectorMatrix>(s);
  };
  if (std::none_of(phase.steps.begin(), phase.steps.end(), any)) return;
  const auto part = [&](int64_t row, int64_t width, int64_t quantum) {
    return phase.by_node ? share_of_row(row, width, quantum) : share(width, quantum);
  };
  for (int64_t row = 0; row < at_.rows; ++row) {
    for (const Step& s : phase.steps) {
      if (const auto* matrix = std::get_if<MatrixProduct>(&s)) {
        product(*matrix, row, part(row, matrix->m, 1));
      } else if (const auto* vector = std::get_if<VectorMatrix>(&s)) {
        product(*vector, row, part(row, vector->n, model_.kernels.panel));
      }
    }
  }
}

void Walk::product(const MatrixProduct& product, int64_t row, Part rows) {
  if (rows.begin >= rows.end) return;
  cortex_cell_gemm_args args{};
  args.m = rows.end - rows.begin;
  args.n = product.n;
  args.lda = product.k * 4;
  args.ldb = args.ldc = product.n * 4;
  args.panel_stride = model_.kernels.panel * 4;
  const float* matrix = parameters_.plain(product.parameter) + (product.first_row + rows.begin) * product.k;
  args.c = writable(product.out, row, 0) + rows.begin * product.n;
  int64_t done = 0;
  for (const MatrixProduct::Part& part : product.parts) {
    args.a = matrix + done;
    args.b = at(part.stream, row, 0);
    args.k = part.rows;
    if (product.plus && &part == &product.parts.back()) {
      args.plus = at(*product.plus, row, 0) + rows.begin * product.n;
      args.ldplus = product.n * 4;
    }
    model_.kernels.gemm(&args);
    args.flags = CORTEX_TILE_ACCUMULATE;
    done += part.rows;
  }
}

void Walk::product(const VectorMatrix& product, int64_t row, Part columns) {
  if (columns.begin >= columns.end) return;
  cortex_cell_gemm_args args{};
  args.m = 1;
  args.n = columns.end - columns.begin;
  args.k = product.k;
  args.lda = product.k * 4;
  args.ldb = args.ldc = product.n * 4;
  args.panel_stride = model_.kernels.panel * 4;
  args.a = at(product.vector, row, 0);
  args.b = at(product.matrix, row, 0) + columns.begin;
  args.c = writable(product.out, row, 0) + columns.begin;
  model_.kernels.gemm(&args);
}

void Walk::ask(const Stream& s, int64_t row, Part columns) const {
  const auto ask_row = [&](const float* at) {
    for (int64_t j = columns.begin; j < columns.end; j += line_floats) __builtin_prefetch(at + j);
  };
  const auto ask_child = [&](int32_t child) {
    if (child >= 0 && child < leaf_end_) ask_row(state(s.array, child) + s.offset);
  };
  const int64_t position = at_.first + row;
  const int32_t *children = linear_.children.data() + linear_.child_begin[index(position)],
                *end = linear_.children.data() + linear_.child_begin[index(position + 1)];
  if (s.from == From::word) {
    ask_row(at(s, row, 0));
  } else if (s.from == From::each) {
    while (children < end) ask_child(*children++);
  } else if (s.from == From::slot && children + s.slot < end) {
    ask_child(children[s.slot]);
  }
}

// Says where the rows are: for what is strided the first, for the rest every one.
void Walk::generated(const Pointwise& pointwise, Part columns) {
  float** at_rows = room_.addresses.data();
  for (std::size_t r = 0; r < pointwise.rows.size(); ++r) {
    const Stream& s = pointwise.rows[r];
    cortex_cell_rows& rows = room_.cell_rows[r];
    switch (row_access(s)) {
      case RowAccess::scratch:
        break;
      case RowAccess::node_strided:
      case RowAccess::edge_strided:
      case RowAccess::block:
        rows.base = writable(s, 0, 0);
        rows.stride = s.from == From::edge    ? arena_.edge_stride[index(s.array)]
                      : s.from == From::block ? arena_.row_stride[index(s.array)]
                                              : row_step(s);
        break;
      case RowAccess::edge_pointed:
        rows.at = at_rows;
        for (int64_t edge = 0; edge < at_.edges; ++edge) *at_rows++ = writable(s, 0, edge);
        break;
      case RowAccess::node_pointed:
        rows.at = at_rows;
        for (int64_t row = 0; row < at_.rows; ++row) *at_rows++ = writable(s, row, 0);
        break;
    }
  }
  const cortex_cell_call call{room_.cell_rows.data(), linear_.child_begin.data() + at_.first, at_.rows,
                              columns.begin, columns.end};
  pointwise.generated(&call);
}

void Walk::step(const Pointwise& pointwise) {
  const Part columns = share(pointwise.width, pointwise.quantum);
  if (columns.begin >= columns.end) return;
  if (pointwise.generated) return generated(pointwise, columns);
  const std::size_t count = pointwise.rows.size();
  float** rows = room_.rows.data();
  const auto run = [&](const std::vector<cortex_cell_step>& steps, int64_t n) {
    model_.kernels.pointwise(steps.data(), static_cast<int32_t>(steps.size()), rows, n);
  };
  const auto per_child = [](From from) {
    return from == From::edge || from == From::each || from == From::block;
  };
  int64_t* between = room_.row_step.data();
  for (std::size_t r = 0; r < count; ++r) between[r] = row_step(pointwise.rows[r]);
  for (int64_t from = columns.begin; from < columns.end; from += scratch_columns) {
    const int64_t n = std::min(scratch_columns, columns.end - from);
    for (int64_t row = 0; row < at_.rows; ++row) {
      const int64_t first = linear_.child_begin[index(at_.first + row)] - at_.first_edge;
      const int64_t last = linear_.child_begin[index(at_.first + row + 1)] - at_.first_edge;
      for (std::size_t r = 0; r < count; ++r) {
        const Stream& s = pointwise.rows[r];
        if (per_child(s.from)) continue;
        if (row > 0 && between[r] >= 0) {
          rows[r] += between[r];
        } else {
          rows[r] = writable(s, row, first) + (s.from == From::scratch ? 0 : from);
        }
      }
      if (row + 1 < at_.rows) {
        for (const Stream& s : pointwise.rows) ask(s, row + 1, {from, from + n});
      }
      for (const Pointwise::Segment& segment : pointwise.segments) {
        if (!segment.edges) {
          run(first == last && !segment.childless.empty() ? segment.childless : segment.steps, n);
          continue;
        }
        for (int64_t edge = first; edge < last; ++edge) {
          for (std::size_t r = 0; r < count; ++r) {
            const Stream& s = pointwise.rows[r];
            if (per_child(s.from) || (s.from == From::panel && program_.panels[index(s.array)].per_child)) {
              rows[r] = writable(s, row, edge) + from;
            }
          }
          run(segment.steps, n);
        }
      }
    }
  }
}

}  // namespace cortex::recursive
