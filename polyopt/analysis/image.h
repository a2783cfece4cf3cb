// The elements of an operand that a box of iterations touches, in closed form.
//
// Where no dim moves two subscripts at once, the image of a box is the product of what each subscript
// takes on its own, and that is a sum of arithmetic progressions: a window with stride and dilation, its
// gaps included. Matmuls and convolutions are all of this kind; for others image() refuses and isl counts.
#pragma once

#include <vector>

#include "polyopt/analysis/runs.h"
#include "polyopt/analysis/tiling.h"
#include "support/result.h"

namespace cortex::polyhedral {

// A product of sets of indices, one per tensor dimension. Empty if one of them is.
using Image = std::vector<Runs>;

bool empty(const Image& image);

// Whether every dim (of more than one iteration) appears in at most one subscript of the access.
bool separable(const Nest& nest, Operand operand);

// What one subscript takes over the box; a padded access is clipped to its tensor.
Result<Runs> axis_image(const Nest& nest, Operand operand, int axis, const std::vector<TileRange>& box);

Result<Image> image(const Nest& nest, Operand operand, const std::vector<TileRange>& box);

// Distinct elements in the union of at most 64 images of one operand.
Result<int64_t> count_union(const std::vector<Image>& images);

}  // namespace cortex::polyhedral
