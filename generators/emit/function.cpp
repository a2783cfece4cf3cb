#include "generators/emit/function.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "generators/emit/text.h"
#include "generators/loop_ir/walk.h"
#include "microkernels/catalogue/catalogue.h"

namespace cortex {
namespace {

bool is_fixed(const Expr& e) {
  bool fixed = true;
  visit_variables(e, [&](const std::string& name) { fixed = fixed && name.starts_with("CORTEX_"); });
  return fixed;
}

bool is_fixed(const Field& field) {
  if (const Expr* e = std::get_if<Expr>(&field.value)) return is_fixed(*e);
  if (const Pointer* p = std::get_if<Pointer>(&field.value)) return is_fixed(p->offset);
  return true;
}

std::string address(const Pointer& p) {
  if (p.offset.is_constant(0)) return p.base;
  if (p.offset.op == Expr::Op::select) return fmt::format("{} + ({})", p.base, to_string(p.offset));
  return fmt::format("{} + {}", p.base, to_string(p.offset));
}

std::string float_literal(float x) {
  std::string text = fmt::format("{}", x);  // shortest text that reads back as x
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

class Emitter {
 public:
  explicit Emitter(const Function& f) : f_(f) {}

  std::string run(const std::string& comment) {
    out_ += as_comment(comment, "");
    const std::string head = fmt::format("void {}(", f_.name),
                      parameters = "const cortex_kernel_call* call) {\n";
    out_ += head + (head.size() + parameters.size() > 111 ? "\n    " : "") + parameters;
    for (const OperandPointer& o : f_.operands) operand(o);
    for (const PackDesc& d : f_.packs) desc(d);
    for (const Table& t : f_.tables) {
      out_ += wrap_list(fmt::format("  static const int64_t {}[] = {{", t.name), t.values, "};");
    }
    visit_calls(f_.body, [&](const Call& call) { arguments(call); });
    out_ += "\n";
    block(f_.body);
    visit_calls(f_.body, [&](const Call& call) {
      if (find_kernel(call.kernel)->tiles) out_ += "  cortex_tiles_release_amx(&tiles);\n";
    });
    return out_ + "}\n";
  }

  void operator()(const For& loop) {
    note(loop.comment);
    line(fmt::format("for (int64_t {0} = {1}; {0} < {2}; {3}) {{", loop.var, to_string(loop.begin),
                     to_string(loop.end),
                     loop.step == 1 ? "++" + loop.var : fmt::format("{} += {}", loop.var, loop.step)));
    block(loop.body);
    line("}");
  }
  void operator()(const Let& let) {
    line(fmt::format("const int64_t {} = {};", let.name, to_string(let.value)));
  }
  void operator()(const Share& s) {
    note(fmt::format("This thread's share of {} tiles.", s.trips));
    line(fmt::format("const int64_t {} = INT64_C({}) * call->coord[{}] / call->grid[{}];", s.first, s.trips,
                     s.parallel, s.parallel));
    line(fmt::format("const int64_t {} = INT64_C({}) * (call->coord[{}] + 1) / call->grid[{}];", s.last,
                     s.trips, s.parallel, s.parallel));
  }
  void operator()(const Leave& l) {
    note("A single tile: the last thread of this grid dimension has it.");
    line(fmt::format("if (call->coord[{0}] + 1 < call->grid[{0}]) return;", l.parallel));
  }
  void operator()(const PackStmt& p) {
    note(p.comment);
    line("{");
    ++indent_;
    numbers("origin", p.origin);
    numbers("box", p.box);
    line(fmt::format("cortex_pack_{}(&{}, {}, {}, origin, box);", f_.pack_isa, p.desc, address(p.src),
                     address(p.dst)));
    --indent_;
    line("}");
  }
  void operator()(const Call& call) {
    for (const Field& f : call.fields) {
      if (!is_fixed(f)) assign(f);
    }
    if (!is_fixed(call.accumulate) || !is_fixed(call.epilogue)) {
      line(fmt::format("args.flags = {};", fixed_flags(call)));
      flag(call.accumulate, "CORTEX_TILE_ACCUMULATE");
      flag(call.epilogue, "CORTEX_TILE_EPILOGUE");
    }
    line(fmt::format("cortex_{}(&args);", call.kernel));
  }

 private:
  void line(const std::string& text) { out_ += wrap_code(text, 2 * indent_); }
  void note(const std::string& comment) {
    if (!comment.empty())
      out_ += as_comment(comment, std::string(2 * static_cast<std::size_t>(indent_), ' '));
  }
  void block(const Block& stmts) {
    ++indent_;
    for (const Stmt& s : stmts) std::visit(*this, s.node);
    --indent_;
  }

  void operand(const OperandPointer& o) {
    // A pointer nobody uses would draw a warning: B packed on the way has no unpacked reader, say.
    if (!mentions(o.name)) return;
    const std::string offset = o.offset > 0   ? fmt::format(" + {}", o.offset)
                               : o.offset < 0 ? fmt::format(" - {}", -o.offset)
                                              : "";
    if (o.member == "bias" || o.member == "scale" || o.member == "compensation") {
      out_ += fmt::format("  const {}* const {} = call->{}{};\n",
                          o.member == "compensation" ? "int32_t" : "float", o.name, o.member, offset);
      return;
    }
    const char* type = o.member == "c" || o.member == "scratch" ? "char" : "const char";
    out_ +=
        fmt::format("  {0}* const {1} = static_cast<{0}*>(call->{2}){3};\n", type, o.name, o.member, offset);
  }

  bool mentions(const std::string& base) const { return mentions(f_.body, base); }
  static bool mentions(const Block& block, const std::string& base) {
    return std::any_of(block.begin(), block.end(), [&](const Stmt& s) {
      if (const For* loop = std::get_if<For>(&s.node)) return mentions(loop->body, base);
      if (const PackStmt* p = std::get_if<PackStmt>(&s.node))
        return p->src.base == base || p->dst.base == base;
      const Call* call = std::get_if<Call>(&s.node);
      return call && std::any_of(call->fields.begin(), call->fields.end(), [&](const Field& f) {
               const Pointer* p = std::get_if<Pointer>(&f.value);
               return p && p->base == base;
             });
    });
  }

  void desc(const PackDesc& d) {
    const auto list = [&](const int64_t* v) {
      return fmt::format("{}", fmt::join(v, v + d.desc.rank, ", "));
    };
    out_ += fmt::format("  static const cortex_pack_desc {} = {{\n", d.name);
    out_ += fmt::format("      {}, {},  // rank, bytes per element\n", d.desc.rank, d.desc.elem_size);
    out_ += fmt::format("      {{{}}},  // shape\n", list(d.desc.shape));
    out_ += fmt::format("      {{{}}},  // byte strides of the source\n", list(d.desc.src_stride));
    out_ += fmt::format("      {{{}}},  // byte strides of the copy\n", list(d.desc.dst_stride));
    out_ += fmt::format("      {}, {}, {}}};  // panels: dimension (-1: none), width, byte stride\n",
                        d.desc.panel_dim, d.desc.panel_width, d.desc.panel_stride);
  }

  // The argument struct, with everything that holds for all calls.
  void arguments(const Call& call) {
    const KernelInfo* kernel = find_kernel(call.kernel);
    out_ += fmt::format("\n  cortex_{}_args args = {{}};\n",
                        kernel->op == KernelOp::dwconv ? "dwconv" : "brgemm");
    indent_ = 1;
    if (kernel->tiles) {
      line("cortex_tiles tiles;");
      line("tiles.configured = tiles.unfinished = 0;");
      line("args.tiles = &tiles;");
    }
    for (const Field& f : call.fields) {
      if (is_fixed(f) && !is_zero(f)) assign(f);
    }
    if (is_fixed(call.accumulate) && is_fixed(call.epilogue) && fixed_flags(call) != "0") {
      line(fmt::format("args.flags = {};", fixed_flags(call)));
    }
    indent_ = 0;
  }

  static bool is_zero(const Field& f) {
    const Expr* e = std::get_if<Expr>(&f.value);
    return e && e->is_constant(0);
  }

  static std::string fixed_flags(const Call& call) {
    std::string flags;
    if (call.accumulate.is_constant() && call.accumulate.value) flags = "CORTEX_TILE_ACCUMULATE";
    if (call.epilogue.is_constant() && call.epilogue.value) {
      flags += flags.empty() ? "CORTEX_TILE_EPILOGUE" : " | CORTEX_TILE_EPILOGUE";
    }
    return flags.empty() ? "0" : flags;
  }

  void flag(const Expr& condition, const char* name) {
    if (!is_fixed(condition)) line(fmt::format("if ({}) args.flags |= {};", to_string(condition), name));
  }

  void assign(const Field& f) {
    std::string value;
    if (const Expr* e = std::get_if<Expr>(&f.value)) value = to_string(*e);
    if (const float* x = std::get_if<float>(&f.value)) value = float_literal(*x);
    if (const Pointer* p = std::get_if<Pointer>(&f.value)) {
      value = address(*p);
    }
    line(fmt::format("args.{} = {};", f.name, value));
  }

  void numbers(const char* name, const std::vector<Expr>& values) {
    const bool fixed = std::all_of(values.begin(), values.end(), [](const Expr& e) { return is_fixed(e); });
    std::vector<std::string> texts;
    for (const Expr& e : values) texts.push_back(to_string(e));
    line(fmt::format("{} int64_t {}[] = {{{}}};", fixed ? "static const" : "const", name,
                     fmt::join(texts, ", ")));
  }

  const Function& f_;
  std::string out_;
  int indent_ = 0;
};

}  // namespace

std::string emit_function(const Function& function, const std::string& comment) {
  return Emitter(function).run(comment);
}

std::string emit_helpers(const std::vector<const Function*>& functions) {
  static const std::pair<Expr::Op, const char*> helpers[] = {
      {Expr::Op::min, "inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }\n"},
      {Expr::Op::max, "inline int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }\n"},
      {Expr::Op::floor_div,
       "inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); "
       "}\n"},
  };
  std::string out;
  for (const auto& [op, text] : helpers) {
    bool used = false;
    for (const Function* f : functions) {
      visit_exprs(f->body, [&, op = op](const Expr& e) { used = used || uses_op(e, op); });
    }
    if (used) out += text;
  }
  return out.empty() ? "" : "namespace {\n\n" + out + "\n}  // namespace\n\n";
}

}  // namespace cortex
