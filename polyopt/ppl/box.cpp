#include "polyopt/ppl/box.h"

#include "support/checked.h"

namespace cortex {

std::optional<int64_t> box_span(const AffineExpr& subscript, const std::vector<int64_t>& tile) {
  std::optional<int64_t> total = 1;
  for (const AffineTerm& term : subscript.terms) {
    const auto reach = checked_mul(term.coeff, tile[term.dim] - 1);
    if (!reach) return std::nullopt;
    total = checked_add(*total, *reach);
    if (!total) return std::nullopt;
  }
  return total;
}

int contiguous_dimension(const Tensor& tensor) {
  for (int j = static_cast<int>(tensor.strides.size()) - 1; j >= 0; --j) {
    if (tensor.strides[j] == 1) return j;
  }
  return -1;
}

std::optional<int64_t> box_bytes(const Nest& nest, const std::vector<int64_t>& tile, int64_t line_bytes) {
  int64_t total = 0;
  for (const Access& access : nest.access) {
    const int64_t elem = size_of(access.tensor.type);
    const int contiguous = contiguous_dimension(access.tensor);
    std::optional<int64_t> lines = 1;
    for (int j = 0; j < std::ssize(access.subscripts); ++j) {
      std::optional<int64_t> s = box_span(access.subscripts[j], tile);
      if (s && j == contiguous) {
        s = checked_mul(*s, elem);
        if (s) s = *s / line_bytes + (*s % line_bytes != 0);
      }
      if (!s || !(lines = checked_mul(*lines, *s))) return std::nullopt;
    }
    const auto bytes = checked_mul(*lines, line_bytes);
    const auto sum = bytes ? checked_add(total, *bytes) : std::nullopt;
    if (!sum) return std::nullopt;
    total = *sum;
  }
  return total;
}

}  // namespace cortex
