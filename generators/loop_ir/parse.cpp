// Loop IR text back to a Function: one statement a line, blocks between braces.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { next_line(); }

  Result<Function> function() {
    Function f;
    if (!word("function") || !name(f.name) || !word("pack") || !name(f.pack_isa) || !end_of_line("{"))
      return fail();
    next_line();
    while (starts("operand ") || starts("desc ") || starts("table ")) {
      if (!(starts("operand ") ? operand(f) : starts("desc ") ? desc(f) : table(f))) return fail();
      next_line();
    }
    if (!block(f.body)) return fail();
    if (have_line_) return fail("text after the function's closing brace");
    return f;
  }

 private:
  // Lines, trimmed. `line_` is what is left of the current one.
  void next_line() {
    have_line_ = false;
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      line_ = text_.substr(at_, end - at_);
      at_ = end + 1;
      ++number_;
      while (!line_.empty() && line_.front() == ' ') line_.remove_prefix(1);
      if (line_.empty()) continue;
      have_line_ = true;
      return;
    }
    line_ = {};
  }

  Error fail(std::string_view why = "") {
    if (why_.empty()) why_ = why.empty() ? "not a statement of the loop IR" : std::string(why);
    return invalid_argument(fmt::format("loop IR, line {}, before \"{}\": {}", number_, line_, why_));
  }
  bool set_why(std::string_view why) {
    if (why_.empty()) why_ = why;
    return false;
  }

  void skip() {
    while (!line_.empty() && line_.front() == ' ') line_.remove_prefix(1);
  }
  bool starts(std::string_view prefix) const { return have_line_ && line_.starts_with(prefix); }
  bool word(std::string_view token) {
    skip();
    if (!line_.starts_with(token)) return set_why(fmt::format("expected \"{}\"", token));
    line_.remove_prefix(token.size());
    return true;
  }
  bool maybe(std::string_view token) {
    skip();
    if (!line_.starts_with(token)) return false;
    line_.remove_prefix(token.size());
    return true;
  }
  bool end_of_line(std::string_view token) {
    if (!word(token)) return false;
    skip();
    return line_.empty() || set_why("unexpected text at the end of the line");
  }
  bool name(std::string& out) {
    skip();
    std::size_t n = 0;
    while (n < line_.size() &&
           (std::isalnum(static_cast<unsigned char>(line_[n])) || line_[n] == '_' || line_[n] == '.')) {
      ++n;
    }
    out = std::string(line_.substr(0, n));
    line_.remove_prefix(n);
    return n > 0 || set_why("expected a name");
  }
  template <typename T>
  bool number(T& out) {
    skip();
    const auto [end, error] = std::from_chars(line_.data(), line_.data() + line_.size(), out);
    if (error != std::errc()) return set_why("expected a number");
    line_.remove_prefix(static_cast<std::size_t>(end - line_.data()));
    return true;
  }
  bool expr(Expr& out) {
    Result<Expr> e = parse_expr_prefix(line_);
    if (!e) return set_why(e.error().message);
    out = *e;
    return true;
  }
  bool pointer(Pointer& out) {
    if (!word("&") || !name(out.base)) return false;
    out.offset = 0;
    return !maybe("+") || expr(out.offset);
  }
  bool exprs(std::vector<Expr>& out) {
    if (!word("[")) return false;
    if (maybe("]")) return true;
    do {
      if (!expr(out.emplace_back())) return false;
    } while (maybe(","));
    return word("]");
  }
  bool numbers(std::vector<int64_t>& out) {
    if (!word("[")) return false;
    if (maybe("]")) return true;
    do {
      if (!number(out.emplace_back())) return false;
    } while (maybe(","));
    return word("]");
  }

  bool operand(Function& f) {
    OperandPointer& o = f.operands.emplace_back();
    return word("operand") && name(o.name) && word("=") && name(o.member) && word("+") && number(o.offset);
  }
  bool desc(Function& f) {
    PackDesc& d = f.packs.emplace_back();
    std::vector<int64_t> shape, src, dst;
    if (!(word("desc") && name(d.name) && word(":") && word("elem") && number(d.desc.elem_size) &&
          word("shape") && numbers(shape) && word("src") && numbers(src) && word("dst") && numbers(dst) &&
          word("panel") && number(d.desc.panel_dim) && word("width") && number(d.desc.panel_width) &&
          word("stride") && number(d.desc.panel_stride))) {
      return false;
    }
    if (shape.size() > CORTEX_PACK_MAX_RANK || src.size() != shape.size() || dst.size() != shape.size()) {
      return set_why("shape, src and dst differ in length or exceed the largest rank");
    }
    d.desc.rank = static_cast<int32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), d.desc.shape);
    std::copy(src.begin(), src.end(), d.desc.src_stride);
    std::copy(dst.begin(), dst.end(), d.desc.dst_stride);
    return true;
  }
  bool table(Function& f) {
    Table& t = f.tables.emplace_back();
    return word("table") && name(t.name) && word("=") && numbers(t.values);
  }

  // Up to and with the closing brace.
  bool block(Block& out) {
    std::string comment;
    for (;;) {
      if (!have_line_) return set_why("a block is not closed: expected \"}\"");
      if (line_ == "}") {
        next_line();
        return true;
      }
      if (starts("# ")) {
        comment = std::string(line_.substr(2));
        next_line();
        continue;
      }
      if (!statement(out, comment)) return false;
      comment.clear();
    }
  }

  bool statement(Block& out, const std::string& comment) {
    if (starts("for ")) return for_loop(out, comment);
    if (starts("call ")) return call(out);
    bool good = false;
    if (starts("let ")) {
      Let let;
      good = word("let") && name(let.name) && word("=") && expr(let.value);
      out.push_back({let});
    } else if (starts("share ")) {
      Share s;
      good = word("share") && name(s.first) && word(",") && name(s.last) && word("=") && number(s.trips) &&
             word("tiles") && word("parallel") && number(s.parallel);
      out.push_back({s});
    } else if (starts("leave ")) {
      Leave l;
      good = word("leave unless last of parallel") && number(l.parallel);
      out.push_back({l});
    } else if (starts("pack ")) {
      PackStmt p;
      p.comment = comment;
      good = word("pack") && name(p.desc) && word(":") && pointer(p.src) && word("->") && pointer(p.dst) &&
             word("origin") && exprs(p.origin) && word("box") && exprs(p.box);
      out.push_back({p});
    } else {
      return set_why("expected for, let, share, leave, pack, call or }");
    }
    skip();
    if (good && !line_.empty()) return set_why("unexpected text at the end of the line");
    if (good) next_line();
    return good;
  }

  bool for_loop(Block& out, const std::string& comment) {
    For loop;
    loop.comment = comment;
    if (!(word("for") && name(loop.var) && word("=") && expr(loop.begin) && word("..") && expr(loop.end) &&
          word("step") && number(loop.step))) {
      return false;
    }
    if (maybe("parallel") && !number(loop.parallel)) return false;
    if (!end_of_line("{")) return false;
    next_line();
    if (!block(loop.body)) return false;
    out.push_back({std::move(loop)});
    return true;
  }

  bool call(Block& out) {
    Call c;
    if (!(word("call") && name(c.kernel) && end_of_line("{"))) return false;
    next_line();
    while (have_line_ && line_ != "}") {
      if (starts("accumulate if")) {
        if (!word("accumulate if") || !expr(c.accumulate)) return false;
      } else if (starts("epilogue if")) {
        if (!word("epilogue if") || !expr(c.epilogue)) return false;
      } else {
        Field& f = c.fields.emplace_back();
        if (!name(f.name) || !word("=")) return false;
        skip();
        if (maybe("float ")) {
          const std::string digits(line_);
          f.value = std::strtof(digits.c_str(), nullptr);
          line_ = {};
        } else if (line_.starts_with("&")) {
          Pointer p;
          if (!pointer(p)) return false;
          f.value = p;
        } else {
          Expr e;
          if (!expr(e)) return false;
          f.value = e;
        }
      }
      skip();
      if (!line_.empty()) return set_why("unexpected text at the end of the line");
      next_line();
    }
    if (!have_line_) return set_why("a call is not closed: expected \"}\"");
    next_line();
    out.push_back({std::move(c)});
    return true;
  }

  std::string_view text_, line_;
  std::size_t at_ = 0;
  int number_ = 0;
  bool have_line_ = false;
  std::string why_;
};

}  // namespace

Result<Function> parse_function(std::string_view text) { return Parser(text).function(); }

}  // namespace cortex
