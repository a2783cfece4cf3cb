#include "polyopt/recursive/make_program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "graph/recursive/passes/passes.h"
#include "polyopt/recursive/lower.h"

namespace cortex::recursive {

const std::vector<std::string>& transformation_names() {
  static const std::vector<std::string> names = {"dynamic-batching",
                                                 "leaf-specialization",
                                                 "zero-propagation",
                                                 "refactoring",
                                                 "hoisting",
                                                 "leaf-tables",
                                                 "fusion",
                                                 "cross-level-fusion",
                                                 "read-caching",
                                                 "dense-indexing",
                                                 "alternating-order",
                                                 "unrolling",
                                                 "generated-cells",
                                                 "static-batching"};
  return names;
}

Result<std::set<std::string>> read_transformations(const std::string& list) {
  std::set<std::string> names;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string name = list.substr(at, end - at);
    const std::vector<std::string>& known = transformation_names();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return invalid_argument(
          fmt::format("transformation '{}' is unknown; there are {}", name, fmt::join(known, ", ")));
    }
    names.insert(name);
    at = end + 1;
  }
  return names;
}

Result<ModelProgram> make_program(const Model& model, int64_t panel, const std::set<std::string>& disabled) {
  Result<Model> transformed = transform(model, disabled);
  if (!transformed) return transformed.error();
  LowerOptions lowering;
  lowering.panel = panel;
  lowering.visible_states = static_cast<int64_t>(model.states.size());
  lowering.hoist = !disabled.count("hoisting");
  lowering.fuse = !disabled.count("fusion");
  lowering.cache_reads = !disabled.count("read-caching");
  Result<Program> program = lower(*transformed, lowering);
  if (!program) return program.error();
  for (const Parameter& p : model.parameters) {
    if (p.table)
      program->widest = std::max(program->widest, elements(model.shape(p.dims)) / model.size(p.dims[0]));
  }
  return ModelProgram{std::move(transformed).value(), std::move(program).value()};
}

}  // namespace cortex::recursive
