// What the lowerings share: naming dims and tensors while leaving out what has extent 1.
#pragma once

#include "graph/lower/lower.h"

namespace cortex {

class NestBuilder {
 public:
  explicit NestBuilder(std::string name) { nest_.name = std::move(name); }

  // Index of the dim; -1 for extent 1, which terms then ignore.
  int dim(std::string name, int64_t extent, DimKind kind) {
    if (extent == 1) return -1;
    nest_.dims.push_back({std::move(name), extent, kind});
    return static_cast<int>(nest_.dims.size()) - 1;
  }

  // A contraction keeps one dim of each kind: `dim`, or where all of that kind have extent 1 a new one.
  int keep_one(int dim, std::string name, DimKind kind);

  struct TensorDim {
    std::string name;
    int64_t size;
    AffineExpr subscript;
  };
  // Row-major. Dimensions of size 1 read at 0 are left out.
  void access(Operand operand, std::string name, DataType type, const std::vector<TensorDim>& tensor_dims);

  Nest take() { return std::move(nest_); }

 private:
  Nest nest_;
};

// sum of coeff * dim over dims that exist, plus constant
AffineExpr affine(std::initializer_list<AffineTerm> terms, int64_t constant = 0);

Result<Nest> lower_conv(const Problem& problem);
Result<Nest> lower_matmul(const Problem& problem);

}  // namespace cortex
