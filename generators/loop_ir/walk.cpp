#include "generators/loop_ir/walk.h"

namespace cortex {
namespace {

struct ExprVisitor {
  const std::function<void(const Expr&)>& visit;

  void operator()(const For& loop) const {
    visit(loop.begin);
    visit(loop.end);
    visit_exprs(loop.body, visit);
  }
  void operator()(const Let& let) const { visit(let.value); }
  void operator()(const Share&) const {}
  void operator()(const Leave&) const {}
  void operator()(const PackStmt& p) const {
    visit(p.src.offset);
    visit(p.dst.offset);
    for (const Expr& e : p.origin) visit(e);
    for (const Expr& e : p.box) visit(e);
  }
  void operator()(const Call& call) const {
    for (const Field& f : call.fields) {
      if (const Expr* e = std::get_if<Expr>(&f.value)) visit(*e);
      if (const Pointer* p = std::get_if<Pointer>(&f.value)) visit(p->offset);
    }
    visit(call.accumulate);
    visit(call.epilogue);
  }
};

}  // namespace

void visit_exprs(const Block& block, const std::function<void(const Expr&)>& visit) {
  for (const Stmt& s : block) std::visit(ExprVisitor{visit}, s.node);
}

void visit_loops(Block& block, const std::function<void(For&)>& visit) {
  for (Stmt& s : block) {
    if (For* loop = std::get_if<For>(&s.node)) {
      visit(*loop);
      visit_loops(loop->body, visit);
    }
  }
}

void visit_calls(const Block& block, const std::function<void(const Call&)>& visit) {
  for (const Stmt& s : block) {
    if (const For* loop = std::get_if<For>(&s.node)) visit_calls(loop->body, visit);
    if (const Call* call = std::get_if<Call>(&s.node)) visit(*call);
  }
}

bool uses(const Block& block, std::string_view variable) {
  bool found = false;
  visit_exprs(block, [&](const Expr& e) { found = found || uses(e, variable); });
  return found;
}

}  // namespace cortex
