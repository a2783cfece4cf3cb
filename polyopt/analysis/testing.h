// For the tests of this folder and polyopt/ppl: small nests, and schedules walked the slow way.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include "polyopt/analysis/tiling.h"
#include "polyopt/schedule/schedule.h"

namespace cortex::testing {

inline AffineExpr affine(std::vector<AffineTerm> terms, int64_t constant = 0) {
  return {std::move(terms), constant};
}

inline Tensor dense(std::string name, std::vector<int64_t> shape) {
  Tensor t{std::move(name), DataType::f32, {}, shape, std::vector<int64_t>(shape.size(), 1)};
  for (std::size_t j = 0; j < shape.size(); ++j) t.dim_names.push_back("x" + std::to_string(j));
  for (int j = static_cast<int>(shape.size()) - 2; j >= 0; --j)
    t.strides[j] = t.strides[j + 1] * shape[j + 1];
  return t;
}

// C[m,n] += A[m,k] B[k,n]
inline Nest matmul_nest(int64_t m, int64_t n, int64_t k) {
  Nest nest;
  nest.name = "matmul";
  nest.dims = {{"m", m, DimKind::parallel}, {"n", n, DimKind::parallel}, {"k", k, DimKind::reduction}};
  nest[Operand::a] = {dense("A", {m, k}), {affine({{0, 1}}), affine({{2, 1}})}, false};
  nest[Operand::b] = {dense("B", {k, n}), {affine({{2, 1}}), affine({{1, 1}})}, false};
  nest[Operand::c] = {dense("C", {m, n}), {affine({{0, 1}}), affine({{1, 1}})}, false};
  return nest;
}

struct ConvShape {
  int64_t n = 1, ic = 1, oc = 1, oh = 1, ow = 1, kh = 1, kw = 1, stride = 1, dilation = 1, pad = 0;
  int64_t groups = 1;     // ic and oc are of one group; more than 1 adds a dim g at the end
  int64_t row_pitch = 0;  // elements between image rows, beyond the row itself
};

// Dims n oh ow oc kh kw ic; NHWC, weights [kh][kw][ic][oc]. The input is as large as the windows need.
inline Nest conv_nest(const ConvShape& s) {
  const int64_t ih = (s.oh - 1) * s.stride + (s.kh - 1) * s.dilation + 1 - 2 * s.pad;
  const int64_t iw = (s.ow - 1) * s.stride + (s.kw - 1) * s.dilation + 1 - 2 * s.pad;
  using enum DimKind;
  Nest nest;
  nest.name = "conv";
  nest.dims = {{"n", s.n, parallel},   {"oh", s.oh, parallel},  {"ow", s.ow, parallel},
               {"oc", s.oc, parallel}, {"kh", s.kh, reduction}, {"kw", s.kw, reduction},
               {"ic", s.ic, reduction}};
  nest[Operand::a] = {dense("A", {s.n, ih, iw, s.ic}),
                      {affine({{0, 1}}), affine({{1, s.stride}, {4, s.dilation}}, -s.pad),
                       affine({{2, s.stride}, {5, s.dilation}}, -s.pad), affine({{6, 1}})},
                      s.pad > 0};
  nest[Operand::b] = {dense("B", {s.kh, s.kw, s.ic, s.oc}),
                      {affine({{4, 1}}), affine({{5, 1}}), affine({{6, 1}}), affine({{3, 1}})},
                      false};
  nest[Operand::c] = {dense("C", {s.n, s.oh, s.ow, s.oc}),
                      {affine({{0, 1}}), affine({{1, 1}}), affine({{2, 1}}), affine({{3, 1}})},
                      false};
  if (s.groups > 1) {
    nest.dims.push_back({"g", s.groups, parallel});
    const auto grouped = [&](Operand o, std::size_t at) {  // before the channels
      Access& access = nest[o];
      access.subscripts.insert(access.subscripts.begin() + at, affine({{7, 1}}));
      access.tensor.shape.insert(access.tensor.shape.begin() + at, s.groups);
      access.tensor = dense(access.tensor.name, access.tensor.shape);
    };
    grouped(Operand::a, 3);
    grouped(Operand::b, 0);
    grouped(Operand::c, 3);
  }
  for (const Operand o : {Operand::a, Operand::c}) {
    Tensor& t = nest[o].tensor;
    t.strides[1] += s.row_pitch;
    t.strides[0] = t.strides[1] * t.shape[1];
  }
  return nest;
}

// The whole iteration box.
inline std::vector<polyhedral::TileRange> ranges_of(const Nest& nest) {
  std::vector<polyhedral::TileRange> ranges;
  for (const Dim& d : nest.dims) ranges.push_back({0, d.extent});
  return ranges;
}

// Visits the elements of `operand` that a box of iterations touches: their indices.
inline void visit_elements(const Nest& nest, Operand operand, const std::vector<polyhedral::TileRange>& box,
                           const std::function<void(const std::vector<int64_t>&)>& visit) {
  const Access& access = nest[operand];
  std::vector<int64_t> i(box.size());
  const std::function<void(std::size_t)> descend = [&](std::size_t d) {
    if (d < box.size()) {
      for (i[d] = box[d].lo; i[d] < box[d].lo + box[d].len; ++i[d]) descend(d + 1);
      return;
    }
    std::vector<int64_t> element;
    for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
      int64_t x = access.subscripts[j].constant;
      for (const AffineTerm& t : access.subscripts[j].terms) x += t.coeff * i[t.dim];
      if (x < 0 || x >= access.tensor.shape[j]) return;
      element.push_back(x);
    }
    visit(element);
  };
  descend(0);
}

struct KernelCall {
  std::vector<int64_t> tile;                  // index of every loop's tile
  std::vector<polyhedral::TileRange> ranges;  // of every dim
};

// Every kernel call in the schedule's order, from the words of polyopt/schedule/schedule.h.
inline void walk(const Nest& nest, const Schedule& schedule,
                 const std::function<void(const KernelCall&)>& visit) {
  KernelCall call;
  for (const Dim& d : nest.dims) call.ranges.push_back({0, d.extent});
  const std::function<void(std::size_t)> open = [&](std::size_t depth) {
    if (depth == schedule.loops.size()) return visit(call);
    const Loop& loop = schedule.loops[depth];
    const polyhedral::TileRange outer = call.ranges[loop.dim];
    const int64_t tiles = (outer.len + loop.step - 1) / loop.step;
    int64_t lo = outer.lo;
    for (int64_t t = 0; t < tiles; ++t) {
      int64_t len = std::min(loop.step, outer.lo + outer.len - lo);
      if (loop.balanced) len = outer.len / tiles + (t < outer.len % tiles ? 1 : 0);
      call.tile.push_back(t);
      call.ranges[loop.dim] = {lo, len};
      open(depth + 1);
      call.tile.pop_back();
      lo += len;
    }
    call.ranges[loop.dim] = outer;
  };
  open(0);
}

using Random = std::mt19937;
inline int64_t uniform(Random& random, int64_t lo, int64_t hi) {
  return std::uniform_int_distribution<int64_t>(lo, hi)(random);
}

}  // namespace cortex::testing
