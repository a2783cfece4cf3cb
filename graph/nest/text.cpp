#include <fmt/format.h>

#include "graph/nest/nest.h"

namespace cortex {
namespace {

std::string subscript_text(const AffineExpr& expr, const Nest& nest) {
  std::string text;
  for (const AffineTerm& term : expr.terms) {
    if (!text.empty()) text += " + ";
    if (term.coeff != 1) text += fmt::format("{}*", term.coeff);
    text += nest.dims[term.dim].name;
  }
  if (text.empty()) return fmt::format("{}", expr.constant);
  if (expr.constant > 0) text += fmt::format(" + {}", expr.constant);
  if (expr.constant < 0) text += fmt::format(" - {}", -expr.constant);
  return text;
}

std::string access_text(Operand o, const Nest& nest) {
  const Access& access = nest[o];
  const Tensor& t = access.tensor;
  std::string text = fmt::format("  {} {} {}", operand_name(o), t.name, dtype_name(t.type));
  for (size_t i = 0; i < t.shape.size(); ++i) {
    text += fmt::format(" [{}:{}:{} @ {}]", t.dim_names[i], t.shape[i], t.strides[i],
                        subscript_text(access.subscripts[i], nest));
  }
  if (access.padded) text += " padded";
  if (o == Operand::b && nest.b_constant) text += " constant";
  return text + "\n";
}

}  // namespace

std::string to_string(const Nest& nest) {
  std::string text = fmt::format("nest {}\n", nest.name);
  for (const Dim& dim : nest.dims) {
    text += fmt::format("  dim {} {} {}\n", dim.name, dim.extent,
                        dim.kind == DimKind::parallel ? "parallel" : "reduction");
  }
  for (Operand o : {Operand::a, Operand::b, Operand::c}) text += access_text(o, nest);
  const Epilogue& e = nest.epilogue;
  if (e.bias) text += "  bias\n";
  if (e.residual) {
    text += fmt::format("  residual {}{}\n", e.residual_scale, e.residual_after_activation ? " after" : "");
  }
  if (e.activation != Activation::none) {
    text += fmt::format("  activation {} {} {}\n", static_cast<int>(e.activation), e.alpha, e.beta);
  }
  return text;
}

Result<Nest> parse_nest(std::string_view) { return internal_error("parse_nest: not there yet"); }

}  // namespace cortex
