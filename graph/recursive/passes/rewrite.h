// What passes over cells share: a new cell, built value by value from an old one.
#pragma once

#include <utility>
#include <vector>

#include "graph/recursive/model.h"

namespace cortex::recursive {

class Rewrite {
 public:
  explicit Rewrite(const Cell& from) : from_(from), map_(from.values.size(), -1) {}

  const Value& old(int index) const { return from_.values[static_cast<std::size_t>(index)]; }
  int mapped(int index) const { return map_[static_cast<std::size_t>(index)]; }
  void map(int index, int to) { map_[static_cast<std::size_t>(index)] = to; }

  int add(Value v) {
    to_.values.push_back(std::move(v));
    return static_cast<int>(to_.values.size()) - 1;
  }
  // The old value with its operands replaced by what they became.
  Value with_mapped_args(const Value& v) const {
    Value out = v;
    for (int& a : out.args) a = mapped(a);
    return out;
  }
  Value& at(int index) { return to_.values[static_cast<std::size_t>(index)]; }

  Cell finish() {
    for (const int s : from_.states) to_.states.push_back(mapped(s));
    return std::move(to_);
  }

 private:
  const Cell& from_;
  Cell to_;
  std::vector<int> map_;
};

inline Value constant(double number, const std::vector<int64_t>& shape) {
  Value v;
  v.op = Op::constant;
  v.number = number;
  for (const int64_t extent : shape) v.dims.push_back(cortex::recursive::number(extent));
  return v;
}

}  // namespace cortex::recursive
