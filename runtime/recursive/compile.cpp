#include "runtime/recursive/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "graph/recursive/passes/passes.h"
#include "graph/recursive/text.h"
#include "runtime/recursive/lower.h"

namespace cortex::recursive {
namespace {

Result<std::set<std::string>> read_names(const std::string& list) {
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

CellKernels kernels_for(Isa isa) {
  if (isa >= Isa::avx512)
    return {cortex_cell_panel_avx512, cortex_cell_gemm_avx512, cortex_cell_pointwise_avx512};
  if (isa >= Isa::avx2) return {cortex_cell_panel_avx2, cortex_cell_gemm_avx2, cortex_cell_pointwise_avx2};
  return {cortex_cell_panel_baseline, cortex_cell_gemm_baseline, cortex_cell_pointwise_baseline};
}

StructureRules rules_of(const Model& model) {
  StructureRules rules;
  rules.structure = model.structure;
  rules.max_children = model.children();
  for (const Parameter& p : model.parameters) {
    if (!p.table) continue;
    const int64_t rows = model.size(p.dims[0]);
    rules.vocabulary = rules.vocabulary ? std::min(rules.vocabulary, rows) : rows;
  }
  for (const Value& v : model.node.values) {
    rules.selectors = rules.selectors || (v.op == Op::child && v.child.kind == ChildRef::selected);
  }
  return rules;
}

}  // namespace

const std::vector<std::string>& transformation_names() {
  static const std::vector<std::string> names = {
      "dynamic-batching", "leaf-specialization", "zero-propagation", "refactoring",
      "hoisting",         "leaf-tables",         "fusion",           "cross-level-fusion",
      "read-caching",     "dense-indexing",      "alternating-order"};
  return names;
}

Result<CompiledModel> compile(const Model& model, const CompileOptions& options, std::string* program_text) {
  const Result<std::set<std::string>> disabled = read_names(options.disable);
  if (!disabled) return disabled.error();
  if (options.bidirectional && model.structure != Structure::sequence) {
    return invalid_argument(fmt::format("model {}: bidirectional is for sequences, and this is a {}",
                                        model.name, structure_name(model.structure)));
  }
  Result<Model> transformed = transform(model, *disabled);
  if (!transformed) return transformed.error();
  CompiledModel out;
  out.model = model;
  out.kernels = kernels_for(options.isa);
  out.dense_reads = !disabled->count("dense-indexing");
  out.fuse_levels = !disabled->count("cross-level-fusion");
  out.alternate = !disabled->count("alternating-order");
  LowerOptions lowering;
  lowering.panel = out.kernels.panel;
  lowering.visible_states = static_cast<int64_t>(model.states.size());
  lowering.hoist = !disabled->count("hoisting");
  lowering.fuse = !disabled->count("fusion");
  lowering.cache_reads = !disabled->count("read-caching");
  Result<Program> program = lower(*transformed, lowering);
  if (!program) return program.error();
  for (const Parameter& p : model.parameters) {
    if (p.table)
      program->widest = std::max(program->widest, elements(model.shape(p.dims)) / model.size(p.dims[0]));
  }
  *program_text = to_text(*transformed) + to_string(*program, *transformed);
  for (int d = 0; d < (options.bidirectional ? 2 : 1); ++d) {
    Direction direction;
    direction.program = *program;
    direction.parameters = ParameterStore(model, *program, out.kernels.panel);
    direction.rules = rules_of(model);
    direction.rules.reverse = d == 1;
    direction.rules.one_by_one = disabled->count("dynamic-batching") > 0;
    if (!disabled->count("leaf-tables")) direction.leaves = LeafStates::plan(*transformed, *program);
    out.directions.push_back(std::move(direction));
  }
  if (out.directions[0].leaves) *program_text += "leaf tables: the states of leaves are kept by word\n";
  return out;
}

}  // namespace cortex::recursive
