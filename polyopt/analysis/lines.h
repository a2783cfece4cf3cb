// Cache lines of an image, as intervals of line numbers: for what count_lines() has no closed form, such as
// the lines of one tile that are not in another.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "polyopt/analysis/image.h"

namespace cortex::polyhedral {

using LineInterval = std::pair<int64_t, int64_t>;  // first and last, both included
using Lines = std::vector<LineInterval>;           // ascending, apart

int64_t count(const Lines& lines);
int64_t count_difference(const Lines& lines, const Lines& without);

// The tensor's first element at the start of line 0. nullopt: more than `max_rows` rows to visit.
std::optional<Lines> lines_of(const Image& image, const Tensor& tensor, int64_t line_bytes, int64_t max_rows);

}  // namespace cortex::polyhedral
