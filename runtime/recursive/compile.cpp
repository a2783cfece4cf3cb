#include "runtime/recursive/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/recursive/text.h"
#include "polyopt/recursive/make_program.h"
#include "polyopt/recursive/pointwise_key.h"

namespace cortex::recursive {
namespace {

#define CORTEX_CELL_KERNELS(isa)                                              \
  CellKernels {                                                               \
    cortex_cell_panel_##isa, CORTEX_WHERE_BUILT(isa, cortex_cell_gemm_##isa), \
        CORTEX_WHERE_BUILT(isa, cortex_cell_gemm_bf16_##isa),                 \
        CORTEX_WHERE_BUILT(isa, cortex_cell_pointwise_##isa)                  \
  }
CellKernels kernels_for(Isa isa) {
  if (runs(isa, Isa::avx512)) return CORTEX_CELL_KERNELS(avx512);
  if (runs(isa, Isa::avx2)) return CORTEX_CELL_KERNELS(avx2);
  return CORTEX_CELL_KERNELS(baseline);
}
#undef CORTEX_CELL_KERNELS

cortex_cell_fn find_cell(const CompileOptions& options, const std::string& isa, const std::string& key) {
  for (std::size_t l = options.cells.size(); l-- > 0;) {
    const cortex_cell_library& library = *options.cells[l];
    for (int32_t i = 0; i < library.count; ++i) {
      const cortex_cell_entry& entry = library.entries[i];
      if (key == entry.key && isa == entry.isa) return entry.run;
    }
  }
  return nullptr;
}

// Puts generated code in place of the steps that a library has. Returns a line about it.
std::string use_generated(const CompileOptions& options, Program& program) {
  int found = 0, all = 0;
  const std::string isa = isa_name(f32_isa(options.isa));
  for (CellProgram* cell : {&program.leaf, &program.node}) {
    for (Phase& phase : cell->phases) {
      for (Step& step : phase.steps) {
        auto* pointwise = std::get_if<Pointwise>(&step);
        if (!pointwise) continue;
        ++all;
        pointwise->generated = find_cell(options, isa, pointwise_key(*pointwise));
        found += pointwise->generated != nullptr;
      }
    }
  }
  return options.cells.empty() ? "" : fmt::format("generated: {} of {} element-wise steps\n", found, all);
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

Result<CompiledModel> compile(const Model& model, const CompileOptions& options, std::string* program_text) {
  const Result<std::set<std::string>> disabled = read_transformations(options.disable);
  if (!disabled) return disabled.error();
  if (options.bidirectional && model.structure != Structure::sequence) {
    return invalid_argument(fmt::format("model {}: bidirectional is for sequences, and this is a {}",
                                        model.name, structure_name(model.structure)));
  }
  CompiledModel out;
  out.model = model;
  out.flops = node_flops(model);
  if (model.feature) out.feature_width = elements(model.shape(model.feature->dims));
  out.kernels = kernels_for(options.isa);
  out.dense_reads = !disabled->count("dense-indexing");
  out.fuse_levels = !disabled->count("cross-level-fusion");
  if (disabled->count("static-batching") || disabled->count("dynamic-batching"))
    out.sharing = Sharing::columns;
  if (disabled->count("unrolling")) out.unrolling = Unrolling::never;
  out.alternate = !disabled->count("alternating-order");
  Result<ModelProgram> made = make_program(model, out.kernels.panel, *disabled);
  if (!made) return made.error();
  Program& program = made->program;
  *program_text = to_text(made->transformed) + to_string(program, made->transformed);
  if (!disabled->count("generated-cells")) *program_text += use_generated(options, program);
  if (options.bf16) *program_text += "weights in bf16\n";
  for (int d = 0; d < (options.bidirectional ? 2 : 1); ++d) {
    Direction direction;
    direction.program = program;
    direction.parameters = ParameterStore(model, program, out.kernels.panel, options.bf16);
    direction.moved = moved_bytes(program, options.bf16 ? 2 : 4);
    direction.rules = rules_of(model);
    direction.rules.reverse = d == 1;
    direction.rules.one_by_one = disabled->count("dynamic-batching") > 0;
    if (!disabled->count("leaf-tables")) direction.leaves = LeafStates::plan(made->transformed, program);
    out.directions.push_back(std::move(direction));
  }
  if (out.directions[0].leaves) *program_text += "leaf tables: the states of leaves are kept by word\n";
  return out;
}

}  // namespace cortex::recursive
