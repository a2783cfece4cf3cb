// Models as .cxr text:
//
//   model treernn                 # comments run to the end of the line
//   structure tree                # sequence, tree, dag
//   children any                  # or the largest number: children 2, children n
//   size h = 256
//   size v = 1
//   table X[v][h]                 # a row per word: X[word]
//   input w[e]                    # the node's features: w
//   parameter U[h][h]
//   state h[h]
//   leaf                          # optional: what nodes without children compute
//     h = X[word]
//   node
//     hs = sum(child.h)           # each child: child.h; one of them: child[0].h; by the batch:
//     child[select].h h = tanh(U @ hs + X[word])
//   output h
//
// Operators: + - * / element by element, @ matrix product, a[lo:hi] a part (sizes: 4h, n*h, 2), a[child] the
// block of the child at hand. Functions: sigmoid tanh relu exp, maximum(a, b), minimum(a, b); over the
// children: sum, max; concat(a, b, ...), concat(child.h).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

// Checked (check.h). `sizes` replaces what the text says; names the text does not declare are refused.
Result<Model> parse_model(std::string_view text, const std::map<std::string, int64_t>& sizes = {});

// parse_model gives an equal model back.
std::string to_text(const Model& model);

}  // namespace cortex::recursive
