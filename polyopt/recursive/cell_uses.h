// Questions about a cell's values that lowering asks again and again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "polyopt/recursive/lower.h"

namespace cortex::recursive {

class CellUses {
 public:
  CellUses(const Cell& cell, const LowerOptions& options)
      : cell_(cell), options_(options), places_(cell.values.size()) {}

  const Value& value(int i) const { return cell_.values[static_cast<std::size_t>(i)]; }
  int count() const { return static_cast<int>(cell_.values.size()); }
  std::string name_of(int i) const;
  bool is_product(int i) const { return value(i).op == Op::matmul; }
  bool is_pointwise(int i) const;
  // Of a sum of a product of matrices and a parameter, which are computed together: that product; else -1.
  int summed_product(int i) const;
  bool is_hoisted(int i) const;
  // Where a value that is read, not computed, stands.
  std::optional<Stream> source(int i) const;
  // Whether a product's operand can be brought together from what stands there when the level begins.
  bool at_start(int i) const;
  bool is_state(int i) const;
  // Of a product that needs it in memory, itself or inside a concat.
  bool is_operand(int i) const;
  // Brought together for a product when the level begins: others read it where it was put.
  bool is_gathered(int i) const;
  bool has_slot(int i) const;
  bool used_whole(int i) const;
  bool used_later(int i) const;
  // In memory, or by other element-wise values.
  bool needed(int i) const;
  bool is_constant(int i) const { return value(i).op == Op::constant; }
  bool used_elementwise(int i) const;

 protected:
  const Cell& cell_;
  const LowerOptions& options_;
  std::vector<std::optional<Stream>> places_;  // where a value stands in memory, once that is known
  std::vector<int> phase_;                     // in which it is computed
};

}  // namespace cortex::recursive
