// What both answers, PPL's and the plain search's, agree on: the memory a tile's boxes take.
#pragma once

#include <optional>
#include <vector>

#include "graph/nest/nest.h"

namespace cortex {

// Bytes, in whole lines, of the smallest boxes around what each operand touches in a tile of
// `tile[d]` iterations of every dim: the product of the spans of its subscripts, the span of the
// contiguous dimension rounded up to lines. A padded operand's halo counts. nullopt: over 63 bits.
std::optional<int64_t> box_bytes(const Nest& nest, const std::vector<int64_t>& tile, int64_t line_bytes);

// 1 + sum of coeff * (tile - 1).
std::optional<int64_t> box_span(const AffineExpr& subscript, const std::vector<int64_t>& tile);

// The tensor dimension whose elements are adjacent, -1 if none is.
int contiguous_dimension(const Tensor& tensor);

}  // namespace cortex
