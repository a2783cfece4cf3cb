#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "generators/tool/explain_sections.h"
#include "polyopt/isl/dependences.h"
#include "polyopt/isl/subscript_bounds.h"
#include "polyopt/ppl/bounds.h"
#include "polyopt/ppl/tile_limit.h"

namespace cortex::explaining {
namespace {

std::string subscript(const AffineExpr& expr, const Nest& nest) {
  std::string text;
  for (const AffineTerm& t : expr.terms) {
    if (!text.empty()) text += "+";
    text += t.coeff == 1 ? nest.dims[t.dim].name : fmt::format("{}*{}", t.coeff, nest.dims[t.dim].name);
  }
  if (text.empty()) return std::to_string(expr.constant);
  return expr.constant == 0 ? text : fmt::format("{}{:+}", text, expr.constant);
}

std::string reference(const Nest& nest, Operand operand) {
  std::vector<std::string> subscripts;
  for (const AffineExpr& expr : nest[operand].subscripts) subscripts.push_back(subscript(expr, nest));
  return fmt::format("{}[{}]", nest[operand].tensor.name, fmt::join(subscripts, ", "));
}

std::string epilogue_text(const Epilogue& e) {
  std::string value = "C";
  const std::string residual =
      e.residual_scale == 1.0f ? " + residual" : fmt::format(" + {}*residual", e.residual_scale);
  if (e.bias) value += " + bias";
  if (e.residual && !e.residual_after_activation) value += residual;
  if (e.activation != Activation::none) value = fmt::format("{}({})", activation_name(e.activation), value);
  if (e.residual && e.residual_after_activation) value += residual;
  return value;
}

std::string tensor_text(const Nest& nest, Operand operand) {
  const Access& access = nest[operand];
  std::vector<std::string> sizes;
  for (std::size_t j = 0; j < access.tensor.shape.size(); ++j) {
    sizes.push_back(fmt::format("{} {}", access.tensor.dim_names[j], access.tensor.shape[j]));
  }
  return fmt::format("{} = {}: {} [{}], strides [{}]{}{}", operand_name(operand), access.tensor.name,
                     dtype_name(access.tensor.type), fmt::join(sizes, ", "),
                     fmt::join(access.tensor.strides, ", "), access.padded ? ", zero outside" : "",
                     operand == Operand::b && nest.b_constant ? ", constant" : "");
}

}  // namespace

std::string nest_text(const Nest& nest) {
  std::string text, indent = "  ";
  for (std::size_t d = 0; d < nest.dims.size();) {
    std::vector<std::string> run;
    const DimKind kind = nest.dims[d].kind;
    for (; d < nest.dims.size() && nest.dims[d].kind == kind; ++d) {
      run.push_back(fmt::format("{} < {}", nest.dims[d].name, nest.dims[d].extent));
    }
    text += fmt::format("{}for {}    ({})\n", indent, fmt::join(run, ", "),
                        kind == DimKind::parallel ? "parallel" : "reduction");
    indent += "  ";
  }
  text += fmt::format("{}{} += {} * {}\n", indent, reference(nest, Operand::c), reference(nest, Operand::a),
                      reference(nest, Operand::b));
  if (!nest.epilogue.empty())
    text += fmt::format("  then, once per element of C: C = {}\n", epilogue_text(nest.epilogue));
  for (Operand o : {Operand::a, Operand::b, Operand::c}) text += fmt::format("  {}\n", tensor_text(nest, o));
  return text;
}

Result<std::string> dependence_text(const Nest& nest) {
  const Result<std::vector<Dependence>> all = dependences(nest);
  if (!all) return all.error();
  // "RAW on C: ..." and "WAR on C: ..." become one line where the rest is the same.
  std::vector<std::pair<std::string, std::string>> lines;  // kinds, the rest
  for (const Dependence& d : *all) {
    if (d.source == 'I') continue;  // every element is started first: nothing to learn
    const std::string words = in_words(d, nest), rest = words.substr(words.find(' '));
    const auto same =
        std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.second == rest; });
    if (same == lines.end())
      lines.emplace_back(dependence_kind_name(d.kind), rest);
    else
      same->first += fmt::format(", {}", dependence_kind_name(d.kind));
  }
  std::string text = !is_finished(nest) ? "  S: one update of an element of C\n"
                                        : "  S: one update of an element of C; E: its epilogue\n";
  for (const auto& [kinds, rest] : lines) text += fmt::format("  {}{}\n", kinds, rest);
  int subscripts = 0;
  for (const Access& access : nest.access) {
    for (const AffineExpr& expr : access.subscripts) {
      const auto isl = subscript_bounds(nest, expr);
      if (!isl) return isl.error();
      const auto ppl = expression_bounds(nest, expr);
      if (!ppl) return ppl.error();
      if (isl->first != ppl->min || isl->second != ppl->max) {
        return internal_error(fmt::format("the range of {} is {}..{} by isl, {}..{} by {}",
                                          subscript(expr, nest), isl->first, isl->second, ppl->min, ppl->max,
                                          ppl_version()));
      }
      ++subscripts;
    }
  }
  return text + fmt::format("  the ranges of all {} subscripts agree between isl and {}\n", subscripts,
                            built_with_ppl() ? ppl_version() : "interval arithmetic");
}

}  // namespace cortex::explaining
