#include "polyopt/model/stream.h"

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

// Strides inside a packed copy: the dim the kernel needs adjacent comes innermost, the other tensor
// dimensions follow in order, each as long as the box at the pack's depth.
Layout copied_layout(const NestFacts& nest, const LoopPlan& plan, const Walk& walk, Operand operand,
                     int depth, const Layout& in_place) {
  const OperandFacts& facts = nest[operand];
  const int adjacent = operand == Operand::a || plan.kernel->dots ? plan.k_dim : plan.n_dim;
  int inner = facts.rank - 1;
  std::array<double, facts_max_rank> extent, stride;
  for (int axis = 0; axis < facts.rank; ++axis) extent[axis] = 1;
  for (int i = 0; i < facts.count; ++i) {
    const FactTerm& t = facts.terms[i];
    if (t.dim == adjacent) inner = t.axis;
    extent[t.axis] += t.coeff * (walk.length[depth][t.dim] - 1);
  }
  double next = facts.elem * (extent[inner] + static_cast<double>(operand == Operand::a ? plan.a_pad : 0));
  stride[inner] = facts.elem;
  for (int axis = facts.rank - 1; axis >= 0; --axis) {
    if (axis == inner) continue;
    stride[axis] = next;
    next *= extent[axis];
  }
  Layout layout;
  layout.elem = facts.elem;
  layout.line = in_place.line;
  layout.way_bytes = in_place.way_bytes;
  layout.line_rows = false;
  for (int i = 0; i < facts.count; ++i) {
    const FactTerm& t = facts.terms[i];
    const double s = t.coeff * stride[t.axis];
    int at = layout.count++;
    for (; at > 0 && layout.stride[at - 1] > s; --at) {
      layout.stride[at] = layout.stride[at - 1];
      layout.dim[at] = layout.dim[at - 1];
    }
    layout.stride[at] = s;
    layout.dim[at] = t.dim;
  }
  return layout;
}

// Panels are dense and line-aligned, as wide as the kernel; of one that is not full, what the kernel reads of
// each row.
Footprint panel_footprint(const OperandFacts& facts, const LoopPlan& plan, double all, const Layout& layout,
                          const std::array<double, facts_max_dims>& length) {
  // A single panel is no wider than its columns.
  const double lanes = plan.kernel->lanes;
  const double nr = std::min<double>(plan.kernel->nr, std::ceil(all / lanes) * lanes);
  double rows = 1, columns = 1;
  for (int i = 0; i < facts.count; ++i) {
    const int d = facts.terms[i].dim;
    (d == plan.n_dim ? columns : rows) *= length[d];
  }
  const double panels = std::ceil(columns / nr - 1e-9);
  const double read = std::ceil(columns / panels / lanes - 1e-9) * lanes * facts.elem;
  const bool full = read >= nr * facts.elem;
  Footprint out;
  out.bytes = rows * panels * read;
  out.run = full ? out.bytes : read;
  for (int level = 0; level < crowded_levels; ++level) {
    const double slot = full ? read : common_power(nr * facts.elem, layout.way_bytes[level]);
    out.room[level] = rows * panels * std::max(read, slot);
  }
  return out;
}

void copy_depth(Stream& s, int from, int to) {
  s.bytes[to] = s.bytes[from];
  s.run[to] = s.run[from];
  for (auto& room : s.room) room[to] = room[from];
}

template <typename Measure>
void fill(Stream& s, uint32_t dims, const LoopPlan& plan, Measure&& measure) {
  for (int depth = s.last; depth >= s.first; --depth) {
    if (depth < s.last && !((dims >> plan.loop[depth].dim) & 1u)) {
      copy_depth(s, depth + 1, depth);
      continue;
    }
    const Footprint f = measure(depth);
    if (depth == s.last) {
      s.rows = f.rows;
      s.pitch = f.pitch;
    }
    s.bytes[depth] = f.bytes;
    s.run[depth] = f.run;
    // A pack reads its source once: lines that evict each other are no loss.
    const bool source = s.last < plan.loops;
    for (int level = 0; level < crowded_levels; ++level)
      s.room[level][depth] = source ? f.bytes : f.room[level];
  }
  for (int depth = s.first - 1; depth >= 0; --depth) copy_depth(s, s.first, depth);
}

bool changes(const Stream& s, const NestFacts& nest, const LoopPlan& plan, int loop) {
  if (s.copy && loop < s.first) return loop == s.first - 1;  // the copy is made anew
  return nest[s.operand].depends_on(plan.loop[loop].dim);
}

}  // namespace

void Streams::add_operand(Operand operand, const NestFacts& nest, const LoopPlan& plan, const Walk& walk,
                          const Layout& in_place, double page) {
  const bool is_b = operand == Operand::b;
  const int depth = operand == Operand::a ? plan.a_pack : is_b ? plan.b_pack : -1;
  const bool packed = depth >= 0, ahead = is_b && plan.b_ahead;
  const uint32_t dims = nest[operand].dims;
  if (!packed || !ahead) {
    Stream& source = stream[count++];
    source.operand = operand;
    source.copy = false;
    source.first = 0;
    source.last = packed ? depth : plan.loops;
    fill(source, dims, plan, [&](int d) { return footprint(in_place, walk.length[d].data()); });
    if (!packed) {
      if (operand == Operand::a) count_rows(plan, walk, in_place, page);
      return;
    }
  }
  Stream& copy = stream[count++];
  copy.operand = operand;
  copy.copy = !ahead;
  copy.first = ahead ? 0 : depth;
  copy.last = plan.loops;
  if (is_b && plan.b_panel) {
    const double columns = plan.n_dim < 0 ? 1 : walk.length[depth][plan.n_dim];
    fill(copy, dims, plan,
         [&](int d) { return panel_footprint(nest[operand], plan, columns, in_place, walk.length[d]); });
  } else {
    const Layout layout = copied_layout(nest, plan, walk, operand, depth, in_place);
    fill(copy, dims, plan, [&](int d) { return footprint(layout, walk.length[d].data()); });
    if (operand == Operand::a) count_rows(plan, walk, layout, page);
  }
}

void Streams::count_rows(const LoopPlan& plan, const Walk& walk, const Layout& layout, double page) {
  if (plan.kernel->op != KernelOp::brgemm) return;
  for (int i = 0; i < layout.count; ++i) {
    if (layout.dim[i] != plan.m_dim) continue;
    const auto& length = walk.length[plan.loops];
    double rows = length[plan.m_dim];
    if (plan.kernel->dots)
      rows = std::min(rows, rows_of_dots(*plan.kernel, plan.n_dim < 0 ? 1 : length[plan.n_dim]));
    const double apart = layout.way_bytes[0] / common_power(layout.stride[i], layout.way_bytes[0]);
    a_rows_per_set = rows / apart;
    a_pages = std::min(rows, rows * layout.stride[i] / page + 1);
  }
}

Streams::Streams(const NestFacts& nest, const LoopPlan& plan, const Walk& walk, const Layout* in_place,
                 double page) {
  for (Operand o : {Operand::a, Operand::b, Operand::c}) {
    add_operand(o, nest, plan, walk, in_place[static_cast<int>(o)], page);
  }
}

double Streams::working_set(int depth) const {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += depth <= stream[i].last ? stream[i].bytes[depth] : 0;
  return sum;
}

double Streams::working_room(int depth, int level) const {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += depth <= stream[i].last ? stream[i].room[level][depth] : 0;
  return sum;
}

double Streams::room_with_next_b(int depth, int level) const {
  double next = 0;  // B in place or the source of its copy, which is as long
  for (int i = 0; i < count; ++i) {
    const Stream& s = stream[i];
    if (s.operand == Operand::b && !s.copy) next = s.room[level][std::min(depth, s.last)];
  }
  return working_room(depth, level) + next;
}

double Streams::shared_working_set(const NestFacts& nest, const LoopPlan& plan, int depth,
                                   double sharers) const {
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    const Stream& s = stream[i];
    if (depth > s.last) continue;
    double copies = s.copy ? sharers : 1;
    for (int l = 0; l < depth && plan.loop[l].parallel; ++l) {
      const bool own = s.operand == Operand::c && plan.loop[l].split;
      if (own || nest[s.operand].depends_on(plan.loop[l].dim)) copies *= plan.loop[l].threads;
    }
    sum += s.bytes[depth] * std::min(copies, sharers);
  }
  return sum;
}

double Streams::traffic(const Stream& s, const NestFacts& nest, const LoopPlan& plan, const Walk& walk,
                        int held) {
  if (s.copy && held <= s.first) return 0;  // written, read and overwritten without leaving the level
  int i = held - 1;
  if (s.last < plan.loops && i >= s.last) return s.bytes[s.last] * walk.visits[s.last];
  if (i == plan.loops) {
    if (s.operand != Operand::c) return s.bytes[i] * walk.visits[i];
    --i;  // C stays in registers for the whole call
  }
  while (i >= 0 && !changes(s, nest, plan, i)) --i;
  if (i < 0) return s.bytes[0];
  if (s.copy && i < s.first) return s.bytes[s.first] * walk.visits[s.first];
  return s.bytes[i] * walk.visits[i];
}

double Streams::written(const Stream& s, const Walk& walk, int held, double read) {
  if (s.operand == Operand::c) return read;
  if (!s.copy || held <= s.first) return 0;
  return s.bytes[s.first] * walk.visits[s.first];
}

}  // namespace cortex
