#include "polyopt/recursive/cell_uses.h"

#include <fmt/format.h>

#include <algorithm>

namespace cortex::recursive {

std::string CellUses::name_of(int i) const {
  return value(i).name.empty() ? fmt::format("value {} ({})", i, op_name(value(i).op)) : value(i).name;
}

int CellUses::summed_product(int i) const {
  const Value& v = value(i);
  if (!options_.fuse || v.op != Op::add) return -1;
  for (const std::size_t side : {0u, 1u}) {
    const int product = v.args[side], plus = v.args[1 - side];
    if (!is_product(product) || is_state(product) || value(product).shape.size() != 2) continue;
    if (value(plus).shape != v.shape || value(product).shape != v.shape) continue;
    const std::optional<Stream> from = source(plus);
    const auto uses = [&](const Value& u) { return std::count(u.args.begin(), u.args.end(), product); };
    int64_t count = 0;
    for (const Value& u : cell_.values) count += uses(u);
    if (from && from->from == From::parameter && count == 1) return product;
  }
  return -1;
}

bool CellUses::is_pointwise(int i) const {
  const Value& v = value(i);
  if (summed_product(i) >= 0) return false;
  return is_elementwise(v.op) || v.op == Op::sum || v.op == Op::max || v.op == Op::constant;
}

bool CellUses::is_hoisted(int i) const {
  return options_.hoist && is_product(i) && value(value(i).args[1]).op == Op::feature &&
         value(i).shape.size() == 1;
}

std::optional<Stream> CellUses::source(int i) const {
  const Value& v = value(i);
  if (v.op == Op::parameter) return Stream{From::parameter, v.ref};
  if (v.op == Op::table_row) return Stream{From::word, v.ref, 0, 0, elements(v.shape)};
  if (v.op == Op::feature) return Stream{From::features, 0, 0, 0, elements(v.shape)};
  if (v.op == Op::child) {
    const From from = v.child.kind == ChildRef::each   ? From::each
                      : v.child.kind == ChildRef::slot ? From::slot
                                                       : From::selected;
    return Stream{from, v.ref, 0, v.child.index};
  }
  if (v.op == Op::slice || v.op == Op::slot) {
    std::optional<Stream> of =
        v.op == Op::slot ? places_[static_cast<std::size_t>(v.args[0])] : source(v.args[0]);
    if (!of) return of;
    if (v.op == Op::slot) {
      of->from = From::block;
      of->width = elements(v.shape);
    } else {
      of->offset += v.begin * (elements(v.shape) / v.shape[0]);
    }
    return of;
  }
  return std::nullopt;
}

bool CellUses::at_start(int i) const {
  const Value& v = value(i);
  if (v.op == Op::concat)
    return std::all_of(v.args.begin(), v.args.end(), [&](int a) { return at_start(a); });
  if (v.op == Op::sum || v.op == Op::max) return value(v.args[0]).per_child && source(v.args[0]).has_value();
  return v.op != Op::slot && source(i).has_value();
}

bool CellUses::is_state(int i) const {
  return std::find(cell_.states.begin(), cell_.states.end(), i) != cell_.states.end();
}

bool CellUses::is_operand(int i) const {
  for (int u = i + 1; u < count(); ++u) {
    const Value& v = value(u);
    if (std::find(v.args.begin(), v.args.end(), i) == v.args.end()) continue;
    if (v.op == Op::matmul && !at_start(i)) return true;
    if (v.op == Op::concat && is_operand(u)) return true;
  }
  return false;
}

bool CellUses::is_gathered(int i) const {
  if (!at_start(i)) return false;
  return std::any_of(cell_.values.begin(), cell_.values.end(), [&](const Value& v) {
    return v.op == Op::matmul && v.args[1] == i && v.shape.size() == 1 && value(v.args[0]).shape.size() == 2;
  });
}

bool CellUses::has_slot(int i) const {
  return std::any_of(cell_.values.begin(), cell_.values.end(),
                     [&](const Value& v) { return v.op == Op::slot && v.args[0] == i; });
}

bool CellUses::used_whole(int i) const {
  return is_state(i) || std::any_of(cell_.values.begin(), cell_.values.end(), [&](const Value& v) {
           return v.op != Op::slot && std::find(v.args.begin(), v.args.end(), i) != v.args.end();
         });
}

bool CellUses::used_later(int i) const {
  for (int u = i + 1; u < count(); ++u) {
    const std::vector<int>& args = value(u).args;
    if (std::find(args.begin(), args.end(), i) == args.end()) continue;
    if (phase_[static_cast<std::size_t>(u)] > phase_[static_cast<std::size_t>(i)] && is_pointwise(u) &&
        !is_constant(i)) {
      return true;
    }
  }
  return false;
}

bool CellUses::needed(int i) const {
  if (places_[static_cast<std::size_t>(i)] || is_state(i)) return true;
  for (int u = i + 1; u < count(); ++u) {
    const std::vector<int>& args = value(u).args;
    if (is_pointwise(u) && std::find(args.begin(), args.end(), i) != args.end()) return true;
  }
  return false;
}

bool CellUses::used_elementwise(int i) const {
  if (is_state(i)) return true;
  for (int u = i + 1; u < count(); ++u) {
    const std::vector<int>& args = value(u).args;
    if (std::find(args.begin(), args.end(), i) != args.end() && value(u).op != Op::matmul &&
        value(u).op != Op::concat)
      return true;
  }
  return false;
}

}  // namespace cortex::recursive
