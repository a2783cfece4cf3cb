#include <fmt/format.h>

#include "graph/recursive/check.h"
#include "graph/recursive/passes/passes.h"
#include "graph/recursive/passes/rewrite.h"

namespace cortex::recursive {
namespace {

Cell used_only(const Cell& cell) {
  std::vector<bool> used(cell.values.size());
  for (const int s : cell.states) used[static_cast<std::size_t>(s)] = true;
  for (std::size_t i = cell.values.size(); i-- > 0;) {
    if (!used[i]) continue;
    for (const int a : cell.values[i].args) used[static_cast<std::size_t>(a)] = true;
  }
  Rewrite rewrite(cell);
  for (std::size_t i = 0; i < cell.values.size(); ++i) {
    if (used[i]) rewrite.map(static_cast<int>(i), rewrite.add(rewrite.with_mapped_args(cell.values[i])));
  }
  return rewrite.finish();
}

}  // namespace

Result<Model> drop_unused(const Model& model) {
  Model out = model;
  if (model.leaf) out.leaf = used_only(*model.leaf);
  out.node = used_only(model.node);
  if (Status s = check(out); !s) return s.error();
  return out;
}

Result<Model> transform(const Model& model, const std::set<std::string>& disabled) {
  Result<Model> out = push_slices(model);
  if (out && !disabled.count("leaf-specialization")) out = specialize_leaves(*out);
  if (out && !disabled.count("zero-propagation")) out = propagate_zeros(*out);
  if (out && !disabled.count("refactoring")) out = refactor_recursion(*out);
  return out;
}

}  // namespace cortex::recursive
