// One line of problem text: options and problems between blanks, '#' starts a comment.
#pragma once

#include "graph/problem/options.h"

namespace cortex {

// Appends the line's problems; `options` take what the line sets.
Status read_line(std::string_view line, OpKind op, Options& options, std::vector<Problem>& problems);

}  // namespace cortex
