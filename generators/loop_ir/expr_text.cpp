// Expressions as text: C++ precedence, the fewest parentheses, and back.
#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "generators/loop_ir/expr.h"

namespace cortex {
namespace {

using Op = Expr::Op;

struct Infix {
  Op op;
  const char* token;
  int level;  // higher binds tighter
};
constexpr Infix infixes[] = {
    {Op::logical_or, "||", 2}, {Op::logical_and, "&&", 3}, {Op::eq, "==", 4}, {Op::le, "<=", 5},
    {Op::lt, "<", 5},          {Op::add, "+", 6},          {Op::sub, "-", 6}, {Op::mul, "*", 7},
    {Op::div, "/", 7},         {Op::mod, "%", 7},
};
constexpr int select_level = 1;
constexpr int greater_level = 5;  // a > b is read as b < a

const Infix* infix_of(Op op) {
  for (const Infix& i : infixes) {
    if (i.op == op) return &i;
  }
  return nullptr;
}

const char* call_name(Op op) {
  switch (op) {
    case Op::min:
      return "min";
    case Op::max:
      return "max";
    case Op::floor_div:
      return "floor_div";
    default:
      return nullptr;
  }
}

std::string print(const Expr& e, int context) {
  const auto wrap = [&](std::string text, int level) { return level < context ? "(" + text + ")" : text; };
  if (e.op == Op::constant)
    return e.value < 0 ? wrap(fmt::format("{}", e.value), 6) : fmt::format("{}", e.value);
  if (e.op == Op::variable) return e.name;
  if (const char* name = call_name(e.op)) {
    return fmt::format("{}({}, {})", name, print(e.args[0], 0), print(e.args[1], 0));
  }
  if (e.op == Op::select) {
    return wrap(fmt::format("{} ? {} : {}", print(e.args[0], select_level + 1), print(e.args[1], 0),
                            print(e.args[2], select_level)),
                select_level);
  }
  const Infix* infix = infix_of(e.op);
  if (e.op == Op::lt && e.args[0].is_constant()) {  // as people write it: x > 0
    return wrap(
        fmt::format("{} > {}", print(e.args[1], infix->level + 1), print(e.args[0], infix->level + 1)),
        infix->level);
  }
  // Compilers warn at `a && b || c`: && inside || gets its parentheses.
  const bool is_or = e.op == Op::logical_or;
  const int left = is_or && e.args[0].op == Op::logical_and ? infix->level + 2 : infix->level;
  const int right = is_or && e.args[1].op == Op::logical_and ? infix->level + 2 : infix->level + 1;
  return wrap(fmt::format("{} {} {}", print(e.args[0], left), infix->token, print(e.args[1], right)),
              infix->level);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Expr> select_expr() {
    Result<Expr> condition = binary(2);
    if (!condition || !take("?")) return condition;
    Result<Expr> yes = select_expr();
    if (!yes) return yes;
    if (!take(":")) return refuse("expected ':' of a conditional");
    Result<Expr> no = select_expr();
    if (!no) return no;
    return make(Op::select, {*condition, *yes, *no});
  }

  std::string_view rest() const { return text_.substr(at_); }

 private:
  // Parsing keeps the tree as written: folding would lose the round trip.
  static Expr make(Op op, std::vector<Expr> args) {
    Expr e;
    e.op = op;
    e.args = std::move(args);
    return e;
  }

  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(std::string_view token) {
    skip();
    if (!text_.substr(at_).starts_with(token)) return false;
    if (token == "<" && text_.substr(at_).starts_with("<=")) return false;
    at_ += token.size();
    return true;
  }
  Error refuse(std::string_view why) const {
    return invalid_argument(fmt::format("expression \"{}\", column {}: {}", text_, at_ + 1, why));
  }

  Result<Expr> binary(int level) {
    if (level > 7) return primary();
    Result<Expr> left = binary(level + 1);
    while (left) {
      const Infix* found = nullptr;
      for (const Infix& i : infixes) {
        if (i.level == level && take(i.token)) {
          found = &i;
          break;
        }
      }
      if (!found && level == greater_level && take(">")) {
        Result<Expr> right = binary(level + 1);
        if (!right) return right;
        left = make(Op::lt, {*right, *left});
        continue;
      }
      if (!found) break;
      Result<Expr> right = binary(level + 1);
      if (!right) return right;
      left = make(found->op, {*left, *right});
    }
    return left;
  }

  Result<Expr> primary() {
    skip();
    if (at_ >= text_.size()) return refuse("expected a number, a name or '('");
    if (take("(")) {
      Result<Expr> inner = select_expr();
      if (inner && !take(")")) return refuse("expected ')'");
      return inner;
    }
    const char c = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '-') {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc()) return refuse("not a 64-bit number");
      at_ = static_cast<std::size_t>(end - text_.data());
      return Expr(value);
    }
    if (!std::isalpha(static_cast<unsigned char>(c)) && c != '_')
      return refuse("expected a number, a name or '('");
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    if (at_ >= text_.size() || text_[at_] != '(') return Expr::var(name);
    for (const Op op : {Op::min, Op::max, Op::floor_div}) {
      if (name != call_name(op)) continue;
      ++at_;
      Result<Expr> a = select_expr();
      if (!a) return a;
      if (!take(",")) return refuse("expected ','");
      Result<Expr> b = select_expr();
      if (!b) return b;
      if (!take(")")) return refuse("expected ')'");
      return make(op, {*a, *b});
    }
    return refuse("unknown function \"" + name + "\": there are min, max and floor_div");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_string(const Expr& e) { return print(e, 0); }

Result<Expr> parse_expr_prefix(std::string_view& text) {
  Parser parser(text);
  Result<Expr> e = parser.select_expr();
  text = parser.rest();
  return e;
}

Result<Expr> parse_expr(std::string_view text) {
  std::string_view rest = text;
  Result<Expr> e = parse_expr_prefix(rest);
  if (!e) return e;
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (!rest.empty()) return invalid_argument(fmt::format("expression \"{}\": unexpected \"{}\"", text, rest));
  return e;
}

}  // namespace cortex
