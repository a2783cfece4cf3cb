// Problem -> Nest: what the problem computes, as an affine contraction in textbook order.
//
// Layouts, all dense and row-major, of the tensors the Nest reads and writes:
//   conv   src [n][d][h][w][g][ic]  wei [g][kd][kh][kw][ic][oc]  dst [n][d][h][w][g][oc]
//          (ic, oc count the channels of one group: NHWC activations, channels of a group adjacent)
//   depthwise conv, that is g > 1 groups of one channel in and one out:
//          src [n][d][h][w][c]  wei [kd][kh][kw][c]  dst [n][d][h][w][c]
//   matmul src [b0]..[m][k]  wei [b0]..[k][n]  dst [b0]..[m][n], the last two of src or wei swapped where
//          transposed; a batch size of 1 is read at 0 for all
// Dims: n g od oh ow oc kd kh kw ic; n od oh ow c kd kh kw; b0.. m n k. Dims of extent 1 are left out,
// except that one parallel (oc, c, n) and one reduction dim (ic, kw, k) always stay. A matmul's B is
// constant (may be packed ahead of time) unless it has a matrix per batch index.
// Depthwise convolutions of narrow types are counted in elements, which may have a zero point. Otherwise, of
// narrow types src and wei are counted in units (see dtype.h) along ic or k, the last one filled up with
// zeros: src [n][d][h][w][g][ic units], wei [g][kd][kh][kw][ic units][oc], [k units][n]. Operands of callers
// that are laid out otherwise are brought into that form before the nest runs.
// Where channels do not fill units but whole rows of the input do (see rows_in_units), rows are counted in
// units instead: src [n][d][h][w units], wei [kd][kh][kw units][oc]. bias: one float per output channel g*oc
// (conv) or column n (matmul). residual: dst's layout.
#pragma once

#include <optional>

#include "graph/nest/nest.h"
#include "graph/problem/problem.h"

namespace cortex {

// Refuses what validate() refuses. The result passes verify().
Result<Nest> lower(const Problem& problem);

// More than one group, one channel in and out in each.
bool is_depthwise(const Problem& problem);

// A convolution of few channels, such as the first of a network, whose rows of the input, all channels of a
// point side by side, are whole units, as is the way from window to window: three channels in pairs,
// stride 2. `conv` is the same convolution with a unit for a point: nothing is filled up but the ends of the
// window. Element kw*ic + c of a row of its weights stands behind `front` zeros: the
// elements beside a window are multiplied with zero, so ones that are not finite make their neighbours NaN.
struct RowsInUnits {
  ConvProblem conv;
  int64_t front;
};
std::optional<RowsInUnits> rows_in_units(const Problem& problem);

// Whether src ([m][k] or NHWC) and wei ([k][n], or [n][k] where transposed; OIHW) as callers hold them are
// what the nest reads, byte for byte and as far as units go.
bool a_in_units(const Problem& problem);
bool b_in_units(const Problem& problem);

// Kernels of units take u8 in A: a source of s8 is copied with 128 added. What stands for zero in A is then
// 128 or the zero point or their sum; the nest's epilogue takes it back from the sums (compensation).
int32_t a_zero(const Problem& problem);
// Whether A is such a copy. That of a convolution has the padding in it, since 0 does not stand for zero;
// for that, sources of u8 are copied too.
bool a_is_copied(const Problem& problem);
// The convolution over what the copy holds: no padding, a larger input.
ConvProblem with_halo(const ConvProblem& conv);

}  // namespace cortex
