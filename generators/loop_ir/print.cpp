#include <fmt/format.h>

#include <cstring>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {
namespace {

std::string text_of(const Pointer& p) {
  return p.offset.is_constant(0) ? "&" + p.base : fmt::format("&{} + {}", p.base, to_string(p.offset));
}

std::string list(const std::vector<Expr>& exprs) {
  std::string text;
  for (const Expr& e : exprs) text += (text.empty() ? "" : ", ") + to_string(e);
  return "[" + text + "]";
}

std::string list(const int64_t* values, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("{}{}", i ? ", " : "", values[i]);
  return "[" + text + "]";
}

struct Printer {
  std::string out;
  int indent = 1;

  void line(const std::string& text) {
    out += std::string(2 * static_cast<std::size_t>(indent), ' ') + text + "\n";
  }
  void note(const std::string& comment) {
    if (!comment.empty()) line("# " + comment);
  }

  void operator()(const For& loop) {
    note(loop.comment);
    line(fmt::format("for {} = {} .. {} step {}{} {{", loop.var, to_string(loop.begin), to_string(loop.end),
                     loop.step, loop.parallel >= 0 ? fmt::format(" parallel {}", loop.parallel) : ""));
    block(loop.body);
    line("}");
  }
  void operator()(const Let& let) { line(fmt::format("let {} = {}", let.name, to_string(let.value))); }
  void operator()(const Share& s) {
    line(fmt::format("share {}, {} = {} tiles parallel {}", s.first, s.last, s.trips, s.parallel));
  }
  void operator()(const Leave& l) { line(fmt::format("leave unless last of parallel {}", l.parallel)); }
  void operator()(const PackStmt& p) {
    note(p.comment);
    line(fmt::format("pack {}: {} -> {} origin {} box {}", p.desc, text_of(p.src), text_of(p.dst),
                     list(p.origin), list(p.box)));
  }
  void operator()(const Call& call) {
    line(fmt::format("call {} {{", call.kernel));
    ++indent;
    for (const Field& f : call.fields) {
      std::string value;
      if (const Expr* e = std::get_if<Expr>(&f.value)) value = to_string(*e);
      if (const Pointer* p = std::get_if<Pointer>(&f.value)) value = text_of(*p);
      if (const float* x = std::get_if<float>(&f.value)) value = fmt::format("float {:a}", *x);
      line(fmt::format("{} = {}", f.name, value));
    }
    line("accumulate if " + to_string(call.accumulate));
    line("epilogue if " + to_string(call.epilogue));
    --indent;
    line("}");
  }

  void block(const Block& stmts) {
    ++indent;
    for (const Stmt& s : stmts) std::visit(*this, s.node);
    --indent;
  }
};

}  // namespace

bool PackDesc::operator==(const PackDesc& o) const {
  const auto same = [&](const int64_t* x, const int64_t* y) { return std::equal(x, x + desc.rank, y); };
  return name == o.name && desc.rank == o.desc.rank && desc.elem_size == o.desc.elem_size &&
         desc.panel_dim == o.desc.panel_dim && desc.panel_width == o.desc.panel_width &&
         desc.panel_stride == o.desc.panel_stride && same(desc.shape, o.desc.shape) &&
         same(desc.src_stride, o.desc.src_stride) && same(desc.dst_stride, o.desc.dst_stride);
}

std::string to_string(const Function& f) {
  Printer p;
  p.out = fmt::format("function {} pack {} {{\n", f.name, f.pack_isa);
  for (const OperandPointer& o : f.operands) {
    p.line(fmt::format("operand {} = {} + {}", o.name, o.member, o.offset));
  }
  for (const PackDesc& d : f.packs) {
    p.line(fmt::format("desc {}: elem {} shape {} src {} dst {} panel {} width {} stride {}", d.name,
                       d.desc.elem_size, list(d.desc.shape, d.desc.rank),
                       list(d.desc.src_stride, d.desc.rank), list(d.desc.dst_stride, d.desc.rank),
                       d.desc.panel_dim, d.desc.panel_width, d.desc.panel_stride));
  }
  for (const Table& t : f.tables) {
    p.line(fmt::format("table {} = {}", t.name, list(t.values.data(), static_cast<int>(t.values.size()))));
  }
  p.indent = 0;
  p.block(f.body);
  return p.out + "}\n";
}

}  // namespace cortex
