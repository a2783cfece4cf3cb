// Nest: what to compute, as a perfectly nested affine loop nest around one contraction
//
//   C[f(i)] += A[g(i)] * B[h(i)]     for every point i of the iteration box,
//
// (A and B of narrow types are counted in units, see dtype.h: a product is then that of two units, the sum
// over their elements. B's units are interleaved: its element (k, n) holds 2 or 4 consecutive rows of column
// n. Where nothing adjacent is reduced, as in depthwise convolutions, they are counted in elements. What
// stands for zero in A may then be another number: it is subtracted, and padding adds nothing.) followed, for
// every element of C, by an epilogue. Subscripts f, g, h are affine in the dims. The order of points is not
// part of the Nest: a Schedule chooses it, dependences bound it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/nest/dtype.h"
#include "graph/nest/epilogue.h"
#include "support/result.h"

namespace cortex {

enum class DimKind {
  parallel,   // appears in C's subscripts: distinct values write distinct elements
  reduction,  // does not: all values add into the same element
};

struct Dim {
  std::string name;  // "ow", "ic": an identifier, unique in the nest
  int64_t extent = 1;
  DimKind kind = DimKind::parallel;
};

struct AffineTerm {
  int dim = 0;  // index into Nest::dims
  int64_t coeff = 1;
};

// sum of terms + constant. At most one term per dim; coefficients are positive.
struct AffineExpr {
  std::vector<AffineTerm> terms;
  int64_t constant = 0;
};

// Shape and layout of an operand. strides are in elements, one per tensor dimension.
struct Tensor {
  std::string name;
  DataType type = DataType::f32;
  std::vector<std::string> dim_names;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

int64_t byte_size(const Tensor& tensor);

// One operand with its subscripts, one expression per tensor dimension. A padded access may leave
// [0, shape) in some dimension and reads zero there; other accesses never leave it.
struct Access {
  Tensor tensor;
  std::vector<AffineExpr> subscripts;
  bool padded = false;
};

enum class Operand : int { a = 0, b = 1, c = 2 };
inline constexpr int operand_count = 3;
const char* operand_name(Operand operand);  // "A", "B", "C"

struct Nest {
  std::string name;              // "conv", "matmul"; for messages and generated comments
  std::vector<Dim> dims;         // any order; lowering puts them in the order of the textbook loop nest
  Access access[operand_count];  // A: activations (rows), B: weights (columns), C: destination
  bool b_constant = true;        // B may be packed ahead of time (weights)
  int32_t a_zero_point = 0;      // of 8-bit elements of A (not of units): products are of A - a_zero_point
  Epilogue epilogue;             // bias, residual, activation

  const Access& operator[](Operand o) const { return access[static_cast<int>(o)]; }
  Access& operator[](Operand o) { return access[static_cast<int>(o)]; }
  int dim_index(std::string_view name) const;  // -1 when there is none
};

// Linear stride, in elements, of one dim in one access: sum over tensor dims of coeff * stride.
int64_t linear_stride(const Access& access, int dim);
// Linear offset, in elements, of the access's constant part.
int64_t linear_constant(const Access& access);

// Whether C holds the sums themselves; else each element is converted once, when all of it is added up.
inline bool holds_sums(const Nest& nest) {
  return nest[Operand::c].tensor.type == sum_type(nest[Operand::a].tensor.type);
}
// Whether anything happens to a finished element.
inline bool is_finished(const Nest& nest) { return !nest.epilogue.empty() || !holds_sums(nest); }

// Checks every invariant stated above (names unique, extents positive, subscripts in range unless
// padded, kinds consistent with C's subscripts, sizes within int64).
Status verify(const Nest& nest);

// Two dims become one where every access allows it: dims d1, d2 such that in each access d1's stride
// equals extent(d2) * d2's stride in the same tensor dimension or in two adjacent ones that are
// themselves contiguous. 1x1 convolution: (n, oh, ow) become one dim; dense NHWC windows: (kw, ic)
// become one, unless they are padded and have many channels: padding is then better left out tap by tap.
// The result computes the same values at the same addresses. Names of what merged are joined outer first:
// dims n_oh_ow and kw_ic, tensor dimension w_c. Dims of extent 1 are dropped but for the last of their
// kind; an access that cannot leave its tensor is no longer padded.
Nest coalesce(const Nest& nest);

// Multiply-add count (product of extents); at most 2^62 by verify().
int64_t multiply_adds(const Nest& nest);

std::string to_string(const Nest& nest);  // multi-line text, parses back
Result<Nest> parse_nest(std::string_view text);

}  // namespace cortex
