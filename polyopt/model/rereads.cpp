#include "polyopt/model/rereads.h"

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

// One side of a block: outputs, and the inputs they see.
struct Side {
  double outputs = 1, inputs = 1, stride = 1, parts = 1;

  double reread() const { return parts > 1 ? inputs / (outputs * stride) : 1; }
};

Side side_of(const NestFacts& nest, const std::array<double, facts_max_dims>& length, int dim, double most) {
  Side side;
  if (dim < 0) return side;
  const OperandFacts& a = nest[Operand::a];
  double taps = 1;
  int axis = -1;
  for (int i = 0; i < a.count; ++i) {
    if (a.terms[i].dim == dim) axis = a.terms[i].axis, side.stride = a.terms[i].coeff;
  }
  for (int i = 0; i < a.count; ++i) {
    const FactTerm& t = a.terms[i];
    if (t.axis == axis && t.dim != dim) taps += t.coeff * (length[t.dim] - 1);
  }
  side.parts = std::ceil(length[dim] / most);
  side.outputs = length[dim] / side.parts;
  side.inputs = (side.outputs - 1) * side.stride + taps;
  return side;
}

double lost(double bytes, double capacity, double most) {
  return std::clamp((bytes - capacity) / (most - capacity), 0.0, 1.0);
}

// A window of 3x3 with one stride, 1 or 2, both ways.
bool is_3x3(const NestFacts& nest, const LoopPlan& plan) {
  double taps = 1;
  for (int d = 0; d < nest.dims; ++d) {
    if (!nest.is_reduction(d)) continue;
    if (nest.extent[d] != 1 && nest.extent[d] != 3) return false;
    taps *= nest.extent[d];
  }
  const OperandFacts& a = nest[Operand::a];
  double stride[2] = {0, 0};
  for (int i = 0; i < a.count; ++i) {
    if (a.terms[i].dim == plan.rows_dim) stride[0] = a.terms[i].coeff;
    if (a.terms[i].dim == plan.m_dim) stride[1] = a.terms[i].coeff;
  }
  return taps == 9 && stride[0] == stride[1] && stride[0] <= 2;
}

}  // namespace

WindowBlock blocks_of(const NestFacts& nest, const LoopPlan& plan) {
  return window_block(*plan.kernel, is_3x3(nest, plan));
}

double Rereads::of_a(double capacity, double most) const {
  return (1 + lost(block_bytes, capacity, most) * (wide - 1)) *
         (1 + lost(band_bytes, capacity, most) * (high - 1));
}

double Rereads::of_b(double capacity, double most) const {
  return 1 + lost(block_bytes, capacity, most) * (blocks - 1);
}

Rereads rereads_of(const NestFacts& nest, const LoopPlan& plan, const Walk& walk) {
  Rereads out;
  if (plan.kernel->op != KernelOp::dwconv) return out;
  const auto& length = walk.length[plan.loops];
  const WindowBlock block = blocks_of(nest, plan);
  const Side high = side_of(nest, length, plan.rows_dim, block.rows);
  const Side wide = side_of(nest, length, plan.m_dim, block.columns);
  double taps = 1;
  for (int d = 0; d < nest.dims; ++d) taps *= nest.is_reduction(d) ? length[d] : 1;
  const double channels = plan.n_dim >= 0 ? length[plan.n_dim] : 1;
  const double element = nest[Operand::a].elem;
  const double across = high.inputs * wide.inputs + high.outputs * wide.outputs;
  out.block_bytes = element * channels * (across + taps);
  out.band_bytes = element * channels * (across * wide.parts + taps);
  out.high = high.reread();
  if (block.by_columns) return out;  // along rows, what L2 holds comes in time
  out.wide = wide.reread();
  out.blocks = high.parts * wide.parts;
  return out;
}

}  // namespace cortex
