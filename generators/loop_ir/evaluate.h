// The loop IR's meaning, for tests: runs a Function without touching memory and records what it would do.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {

using Values = std::map<std::string, int64_t>;

inline int64_t evaluate(const Expr& e, const Values& values) {
  using Op = Expr::Op;
  if (e.op == Op::constant) return e.value;
  if (e.op == Op::variable) {
    if (e.name.starts_with("CORTEX_")) return 0;
    return values.at(e.name);
  }
  const auto arg = [&](std::size_t i) { return evaluate(e.args[i], values); };
  switch (e.op) {
    case Op::add:
      return arg(0) + arg(1);
    case Op::sub:
      return arg(0) - arg(1);
    case Op::mul:
      return arg(0) * arg(1);
    case Op::div:
      return arg(0) / arg(1);
    case Op::mod:
      return arg(0) % arg(1);
    case Op::floor_div:
      return arg(0) / arg(1) - (arg(0) % arg(1) != 0 && (arg(0) < 0) != (arg(1) < 0));
    case Op::min:
      return std::min(arg(0), arg(1));
    case Op::max:
      return std::max(arg(0), arg(1));
    case Op::lt:
      return arg(0) < arg(1);
    case Op::le:
      return arg(0) <= arg(1);
    case Op::eq:
      return arg(0) == arg(1);
    case Op::logical_and:
      return arg(0) && arg(1);
    case Op::logical_or:
      return arg(0) || arg(1);
    case Op::select:
      return arg(0) ? arg(1) : arg(2);
    default:
      throw std::logic_error("unknown operation");
  }
}

// One microkernel call (op "call") or pack (op "pack"): every number by name. Pointers are "name@base".
struct Event {
  std::string op;
  Values numbers;
  bool operator==(const Event&) const = default;
};

// What the thread at `coord` of `grid` does.
class Recorder {
 public:
  Recorder(const Function& f, std::vector<int64_t> grid, std::vector<int64_t> coord)
      : f_(f), grid_(std::move(grid)), coord_(std::move(coord)) {}

  std::vector<Event> run() {
    block(f_.body, {});
    return std::move(events_);
  }

 private:
  void block(const Block& stmts, Values values) {
    for (const Stmt& s : stmts) {
      if (left_) return;
      std::visit([&](const auto& node) { step(node, values); }, s.node);
    }
  }
  void step(const For& loop, Values& values) {
    const int64_t end = evaluate(loop.end, values);
    for (int64_t i = evaluate(loop.begin, values); i < end; i += loop.step) {
      Values inner = values;
      inner[loop.var] = i;
      block(loop.body, std::move(inner));
    }
  }
  void step(const Let& let, Values& values) { values[let.name] = evaluate(let.value, values); }
  void step(const Share& s, Values& values) {
    const auto p = static_cast<std::size_t>(s.parallel);
    values[s.first] = s.trips * coord_[p] / grid_[p];
    values[s.last] = s.trips * (coord_[p] + 1) / grid_[p];
  }
  void step(const Leave& l, Values&) {
    const auto p = static_cast<std::size_t>(l.parallel);
    left_ = coord_[p] + 1 < grid_[p];
  }
  void step(const PackStmt& p, Values& values) {
    Event e{"pack", {}};
    e.numbers["src@" + p.src.base] = evaluate(p.src.offset, values);
    e.numbers["dst@" + p.dst.base] = evaluate(p.dst.offset, values);
    for (std::size_t j = 0; j < p.origin.size(); ++j) {
      e.numbers["origin" + std::to_string(j)] = evaluate(p.origin[j], values);
      e.numbers["box" + std::to_string(j)] = evaluate(p.box[j], values);
    }
    events_.push_back(std::move(e));
  }
  void step(const Call& call, Values& values) {
    Event e{"call", {}};
    for (const Field& f : call.fields) {
      if (const Expr* x = std::get_if<Expr>(&f.value)) e.numbers[f.name] = evaluate(*x, values);
      if (const Pointer* p = std::get_if<Pointer>(&f.value)) {
        e.numbers[f.name + "@" + p->base] = evaluate(p->offset, values);
      }
    }
    e.numbers["accumulate"] = evaluate(call.accumulate, values);
    e.numbers["epilogue"] = evaluate(call.epilogue, values);
    events_.push_back(std::move(e));
  }

  const Function& f_;
  std::vector<int64_t> grid_, coord_;
  std::vector<Event> events_;
  bool left_ = false;
};

}  // namespace cortex
