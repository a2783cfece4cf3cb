#include "polyopt/model/facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace cortex {
namespace {

OperandFacts gather_operand(const Access& access, const NestFacts& nest) {
  OperandFacts facts;
  facts.elem = static_cast<double>(size_of(access.tensor.type));
  facts.padded = access.padded;
  facts.rank = static_cast<int>(access.subscripts.size());
  double touched = facts.elem;
  for (int axis = 0; axis < facts.rank; ++axis) {
    facts.shape[axis] = static_cast<double>(access.tensor.shape[axis]);
    double span = 1;
    for (const AffineTerm& term : access.subscripts[axis].terms) {
      FactTerm& out = facts.terms[facts.count++];
      out.dim = term.dim;
      out.axis = axis;
      out.coeff = static_cast<double>(term.coeff);
      out.stride = out.coeff * static_cast<double>(access.tensor.strides[axis]) * facts.elem;
      facts.dims |= 1u << term.dim;
      span += out.coeff * (nest.extent[term.dim] - 1);
    }
    touched *= std::min(span, facts.shape[axis]);
  }
  facts.bytes = touched;
  std::stable_sort(facts.terms.begin(), facts.terms.begin() + facts.count,
                   [](const FactTerm& x, const FactTerm& y) { return x.stride < y.stride; });
  return facts;
}

}  // namespace

Result<NestFacts> gather_facts(const Nest& nest) {
  NestFacts facts;
  facts.dims = static_cast<int>(nest.dims.size());
  if (facts.dims > facts_max_dims) {
    return unsupported(fmt::format("scheduling {}: {} dims, at most {} are supported: coalesce the nest",
                                   nest.name, facts.dims, facts_max_dims));
  }
  for (int d = 0; d < facts.dims; ++d) {
    facts.extent[d] = static_cast<double>(nest.dims[d].extent);
    facts.points *= facts.extent[d];
    if (nest.dims[d].kind == DimKind::reduction) facts.reductions |= 1u << d;
  }
  for (int o = 0; o < operand_count; ++o) {
    const Access& access = nest.access[o];
    std::size_t terms = 0;
    for (const AffineExpr& e : access.subscripts) terms += e.terms.size();
    if (access.subscripts.size() > facts_max_rank || terms > facts_max_dims) {
      return unsupported(fmt::format(
          "scheduling {}: {} has {} dimensions and {} subscript terms, at most {} and {} are "
          "supported",
          nest.name, access.tensor.name, access.subscripts.size(), terms, facts_max_rank, facts_max_dims));
    }
    facts.operand[o] = gather_operand(access, facts);
  }
  facts.a_type = nest[Operand::a].tensor.type;
  facts.epilogue_reads_c_shape = nest.epilogue.residual;
  facts.light_epilogue = nest.epilogue.light();
  facts.c_holds_sums = holds_sums(nest);
  facts.f32_sums = facts.c_holds_sums && nest[Operand::c].tensor.type == DataType::f32;
  return facts;
}

}  // namespace cortex
