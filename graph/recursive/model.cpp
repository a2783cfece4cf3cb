#include "graph/recursive/model.h"

#include <fmt/format.h>

#include "support/checked.h"

namespace cortex::recursive {

Size number(int64_t n) {
  Size size;
  size.factor = n;
  return size;
}

std::string to_string(const Size& size) {
  std::string text;
  if (size.symbols.empty() || size.factor != 1) text = fmt::format("{}", size.factor);
  for (std::size_t i = 0; i < size.symbols.size(); ++i) text += (i ? "*" : "") + size.symbols[i];
  return text;
}

std::optional<int64_t> evaluate(const Size& size, const std::map<std::string, int64_t>& sizes) {
  constexpr int64_t most = int64_t{1} << 40;
  int64_t product = size.factor;
  for (const std::string& symbol : size.symbols) {
    const auto found = sizes.find(symbol);
    if (found == sizes.end()) return std::nullopt;
    const std::optional<int64_t> next = checked_mul(product, found->second);
    if (!next || *next > most) return std::nullopt;
    product = *next;
  }
  return product;
}

const char* structure_name(Structure structure) {
  switch (structure) {
    case Structure::sequence:
      return "sequence";
    case Structure::tree:
      return "tree";
    case Structure::dag:
      return "dag";
  }
  return "";
}

const char* op_name(Op op) {
  static constexpr const char* names[] = {"constant", "parameter", "table", "feature", "child",   "+",
                                          "-",        "*",         "/",     "maximum", "minimum", "sigmoid",
                                          "tanh",     "relu",      "exp",   "@",       "slice",   "concat",
                                          "sum",      "max",       "slot"};
  return names[static_cast<int>(op)];
}

bool is_elementwise(Op op) { return op >= Op::add && op <= Op::exp; }

int64_t elements(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

std::vector<int64_t> Model::shape(const std::vector<Size>& dims) const {
  std::vector<int64_t> extents;
  for (const Size& dim : dims) extents.push_back(size(dim));
  return extents;
}

int Model::find_parameter(std::string_view wanted) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == wanted) return static_cast<int>(i);
  }
  return -1;
}

int Model::find_state(std::string_view wanted) const {
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].name == wanted) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace cortex::recursive
