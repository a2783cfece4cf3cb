#include "polyopt/isl/statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cortex::polyhedral {

const char* statement_name(Statement s) {
  switch (s) {
    case Statement::init:
      return "I";
    case Statement::update:
      return "S";
    case Statement::epilogue:
      return "E";
  }
  return "?";
}

std::vector<int> parallel_dims(const Nest& nest) {
  std::vector<int> dims;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (nest.dims[d].kind == DimKind::parallel) dims.push_back(d);
  }
  return dims;
}

std::vector<int> statement_dims(const Nest& nest, Statement s) {
  if (s != Statement::update) return parallel_dims(nest);
  std::vector<int> dims;
  for (int d = 0; d < std::ssize(nest.dims); ++d) dims.push_back(d);
  return dims;
}

std::string instance_text(const Nest& nest, Statement s, char prefix) {
  std::vector<std::string> names;
  for (int d : statement_dims(nest, s)) names.push_back(fmt::format("{}{}", prefix, d));
  return fmt::format("{}[{}]", statement_name(s), fmt::join(names, ", "));
}

std::string domain_text(const Nest& nest, Statement s) {
  std::vector<std::string> bounds;
  for (int d : statement_dims(nest, s))
    bounds.push_back(fmt::format("0 <= i{} < {}", d, nest.dims[d].extent));
  return bounds.empty() ? "true" : fmt::format("{}", fmt::join(bounds, " and "));
}

std::string expr_text(const AffineExpr& expr) {
  std::string text;
  for (const AffineTerm& t : expr.terms)
    text += fmt::format("{}{}i{}", text.empty() ? "" : " + ", t.coeff, t.dim);
  if (text.empty()) return fmt::format("{}", expr.constant);
  if (expr.constant != 0)
    text += fmt::format(" {} {}", expr.constant < 0 ? "-" : "+", std::abs(expr.constant));
  return text;
}

Set domain(const Context& context, const Nest& nest, Statement s) {
  return context.set(fmt::format("{{ {} : {} }}", instance_text(nest, s), domain_text(nest, s)));
}

Map access_relation(const Context& context, const Nest& nest, Statement s, Operand operand) {
  const Access& access = nest[operand];
  std::vector<std::string> subscripts;
  std::string condition = domain_text(nest, s);
  for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
    subscripts.push_back(expr_text(access.subscripts[j]));
    if (access.padded) condition += fmt::format(" and 0 <= {} < {}", subscripts[j], access.tensor.shape[j]);
  }
  return context.map(fmt::format("{{ {} -> {}[{}] : {} }}", instance_text(nest, s), operand_name(operand),
                                 fmt::join(subscripts, ", "), condition));
}

std::string describe_instance(const Nest& nest, Statement s, const std::vector<int64_t>& values) {
  std::vector<std::string> parts;
  const std::vector<int> dims = statement_dims(nest, s);
  for (std::size_t k = 0; k < dims.size(); ++k) {
    parts.push_back(fmt::format("{}={}", nest.dims[dims[k]].name, values[k]));
  }
  return fmt::format("{}[{}]", statement_name(s), fmt::join(parts, ","));
}

}  // namespace cortex::polyhedral
