// Nest <-> text:
//
//   nest conv
//     dim oh 56 parallel
//     ...
//     A src f32 [h:56:3584 @ oh + kh - 1] [w_c:3584:1 @ 64*ow + kw_ic - 64] padded
//     B wei f32 [kh:3:12288 @ kh] ... constant
//     C dst f32 [h:56:3584 @ oh] ...
//     bias
//     residual 1 after
//     activation relu 0 0
//
// A tensor dimension reads [name:size:stride @ subscript]; A may end in "zero N" (its zero point); the last
// three lines stand only if they apply.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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
  if (o == Operand::a && nest.a_zero_point != 0) text += fmt::format(" zero {}", nest.a_zero_point);
  if (o == Operand::b && nest.b_constant) text += " constant";
  return text + "\n";
}

// Reads one line, word by word.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : line_(line) {}

  // Where what was last looked for should begin.
  size_t column() const { return mark_ + 1; }
  bool at_end() {
    skip_blanks();
    return pos_ == line_.size();
  }
  // Takes `what` if it comes next.
  bool accept(std::string_view what) {
    skip_blanks();
    if (line_.substr(pos_, what.size()) != what) return false;
    pos_ += what.size();
    return true;
  }
  // Letters, digits, '_'; may be empty.
  std::string_view word() {
    skip_blanks();
    const size_t begin = pos_;
    while (pos_ < line_.size() && is_word(line_[pos_])) ++pos_;
    return line_.substr(begin, pos_ - begin);
  }
  template <typename Number>
  bool number(Number& value) {
    skip_blanks();
    const auto [end, ec] = std::from_chars(line_.data() + pos_, line_.data() + line_.size(), value);
    if (ec != std::errc()) return false;
    pos_ = static_cast<size_t>(end - line_.data());
    return true;
  }
  bool at_digit() {
    skip_blanks();
    return pos_ < line_.size() && line_[pos_] >= '0' && line_[pos_] <= '9';
  }

 private:
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  void skip_blanks() {
    while (pos_ < line_.size() && (line_[pos_] == ' ' || line_[pos_] == '\t' || line_[pos_] == '\r')) ++pos_;
    mark_ = pos_;
  }
  std::string_view line_;
  size_t pos_ = 0, mark_ = 0;
};

class NestReader {
 public:
  Result<Nest> read(std::string_view text) {
    bool named = false;
    while (!text.empty()) {
      ++line_number_;
      const size_t end = text.find('\n');
      Scanner line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.at_end()) continue;
      const std::string_view first = line.word();
      Status s;
      if (!named) {
        if (first != "nest") return refuse(line, "begins no nest: the first line is \"nest NAME\"");
        nest_.name = line.word();
        named = true;
      } else {
        s = read_line(line, first);
      }
      if (!s) return s.error();
      if (!line.at_end()) return refuse(line, "something follows that does not belong there");
    }
    if (!named) return invalid_argument("nest text: empty: the first line is \"nest NAME\"");
    for (int o = 0; o < operand_count; ++o) {
      if (!seen_[o]) {
        return invalid_argument(
            fmt::format("nest text: operand {} is missing", operand_name(static_cast<Operand>(o))));
      }
    }
    if (Status s = verify(nest_); !s) return s.error();
    return std::move(nest_);
  }

 private:
  Error refuse(const Scanner& line, std::string_view what) const {
    return invalid_argument(
        fmt::format("nest text: line {}, column {}: {}", line_number_, line.column(), what));
  }

  Status read_line(Scanner& line, std::string_view first) {
    if (first == "dim") return read_dim(line);
    if (first == "bias") {
      nest_.epilogue.bias = true;
      return Status::success();
    }
    if (first == "compensation" || first == "scale") {
      (first == "scale" ? nest_.epilogue.scale : nest_.epilogue.compensation) = true;
      return Status::success();
    }
    if (first == "residual") {
      nest_.epilogue.residual = true;
      if (!line.number(nest_.epilogue.residual_scale)) return refuse(line, "residual needs its scale");
      nest_.epilogue.residual_after_activation = line.accept("after");
      return Status::success();
    }
    if (first == "activation") return read_activation(line);
    for (Operand o : {Operand::a, Operand::b, Operand::c}) {
      if (first == operand_name(o)) return read_access(line, o);
    }
    return refuse(line, "not a line of a nest: dim, A, B, C, bias, residual or activation");
  }

  Status read_dim(Scanner& line) {
    Dim dim;
    dim.name = line.word();
    if (!line.number(dim.extent)) return refuse(line, "the dim needs its extent");
    const std::string_view kind = line.word();
    if (kind != "parallel" && kind != "reduction") return refuse(line, "the dim is parallel or reduction");
    dim.kind = kind == "parallel" ? DimKind::parallel : DimKind::reduction;
    nest_.dims.push_back(std::move(dim));
    return Status::success();
  }

  Status read_activation(Scanner& line) {
    Epilogue& e = nest_.epilogue;
    const std::string_view name = line.word();
    const auto found = std::find(std::begin(activation_names), std::end(activation_names), name);
    if (found == std::end(activation_names)) return refuse(line, "unknown activation");
    e.activation = static_cast<Activation>(found - std::begin(activation_names));
    if (!line.number(e.alpha) || !line.number(e.beta)) return refuse(line, "activation needs alpha and beta");
    return Status::success();
  }

  Status read_access(Scanner& line, Operand o) {
    Access& access = nest_[o];
    if (seen_[static_cast<int>(o)]) return refuse(line, "the operand stands twice");
    seen_[static_cast<int>(o)] = true;
    access.tensor.name = line.word();
    const auto type = parse_dtype(line.word());
    if (!type) return refuse(line, "not an element type");
    access.tensor.type = *type;
    while (line.accept("[")) {
      access.tensor.dim_names.emplace_back(line.word());
      int64_t size = 0, stride = 0;
      if (!line.accept(":") || !line.number(size) || !line.accept(":") || !line.number(stride) ||
          !line.accept("@")) {
        return refuse(line, "a tensor dimension reads [name:size:stride @ subscript]");
      }
      access.tensor.shape.push_back(size);
      access.tensor.strides.push_back(stride);
      AffineExpr expr;
      if (Status s = read_subscript(line, expr); !s) return s;
      access.subscripts.push_back(std::move(expr));
      if (!line.accept("]")) return refuse(line, "the subscript does not end in ]");
    }
    access.padded = line.accept("padded");
    if (o == Operand::a && line.accept("zero") && !line.number(nest_.a_zero_point))
      return refuse(line, "zero is followed by what stands for it in A");
    if (o == Operand::b) nest_.b_constant = line.accept("constant");
    return Status::success();
  }

  // [-] (number | [number*] dim) { (+|-) ... }; dims are never subtracted.
  Status read_subscript(Scanner& line, AffineExpr& expr) {
    bool negative = line.accept("-");
    while (true) {
      int64_t value = 1;
      if (line.at_digit()) {
        if (!line.number(value)) return refuse(line, "the number does not fit");
        if (!line.accept("*")) {
          if (expr.constant != 0) return refuse(line, "two constants in a subscript");
          expr.constant = negative ? -value : value;
          value = 0;
        }
      }
      if (value != 0) {
        if (negative) return refuse(line, "a dim cannot be subtracted");
        const int dim = nest_.dim_index(line.word());
        if (dim < 0) return refuse(line, "the subscript names no dim declared above");
        expr.terms.push_back({dim, value});
      }
      negative = line.accept("-");
      if (!negative && !line.accept("+")) return Status::success();
    }
  }

  Nest nest_;
  bool seen_[operand_count] = {};
  int line_number_ = 0;
};

}  // namespace

std::string to_string(const Nest& nest) {
  std::string text = fmt::format("nest {}\n", nest.name);
  for (const Dim& dim : nest.dims) {
    text += fmt::format("  dim {} {} {}\n", dim.name, dim.extent,
                        dim.kind == DimKind::parallel ? "parallel" : "reduction");
  }
  for (Operand o : {Operand::a, Operand::b, Operand::c}) text += access_text(o, nest);
  const Epilogue& e = nest.epilogue;
  if (e.compensation) text += "  compensation\n";
  if (e.scale) text += "  scale\n";
  if (e.bias) text += "  bias\n";
  if (e.residual) {
    text += fmt::format("  residual {}{}\n", e.residual_scale, e.residual_after_activation ? " after" : "");
  }
  if (e.activation != Activation::none) {
    text += fmt::format("  activation {} {} {}\n", activation_name(e.activation), e.alpha, e.beta);
  }
  return text;
}

Result<Nest> parse_nest(std::string_view text) { return NestReader().read(text); }

}  // namespace cortex
