// Trees as treebanks write them: brackets around children, leaves are word ids.
#pragma once

#include <string>
#include <string_view>

#include "graph/structure/structure.h"

namespace cortex {

// "((3 17) (5 9 2))": an inner node is its children between brackets (one or more), a leaf is a word id, 0 or
// above; a line that is a number alone is a tree of one leaf. Nodes are numbered children first, root last.
// `source` and `line` begin the message of a refusal: "<source>:<line>:<column>: ...".
Status append_tree(std::string_view text, std::string_view source, int64_t line, Structures& trees);

// One tree a line; empty lines and lines that begin with '#' are skipped.
Result<Structures> parse_trees(std::string_view text, std::string_view source);
Result<Structures> read_trees(const std::string& path);

}  // namespace cortex
