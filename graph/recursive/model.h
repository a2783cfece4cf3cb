// A recursive model: what one node computes from its children's states, as values in order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cortex::recursive {

// A product of a number and named sizes: 4h, n*h, 1. Names are those of Model::sizes.
struct Size {
  int64_t factor = 1;
  std::vector<std::string> symbols;
  bool operator==(const Size&) const = default;
};
Size number(int64_t n);
std::string to_string(const Size& size);
// nullopt: a name without a value, or a product beyond 2^40.
std::optional<int64_t> evaluate(const Size& size, const std::map<std::string, int64_t>& sizes);

enum class Structure { sequence, tree, dag };
const char* structure_name(Structure structure);

struct Parameter {
  std::string name;
  std::vector<Size> dims;
  bool table = false;  // its first dimension is indexed by the node's word
};

struct State {
  std::string name;
  std::vector<Size> dims;
};

enum class Op {
  constant,   // number; without dims it fits any shape
  parameter,  // ref: the parameter
  table_row,  // ref: the table; its row for the node's word
  feature,    // the node's features
  child,      // ref: the state; child says whose
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  sigmoid,
  tanh,
  relu,
  exp,
  matmul,  // matrix @ vector, vector @ matrix, matrix @ matrix
  slice,   // [lo, hi) of the outermost dimension
  concat,  // along the outermost dimension; of one per-child value: all slots of it
  sum,     // over the children: per-child -> node
  max,
  slot,  // args[0] has one block per child slot: the block of the child at hand (node -> per-child)
};
const char* op_name(Op op);
bool is_elementwise(Op op);

// Which child a state is read of. `computed` and call arguments exist to be refused with a reason.
struct ChildRef {
  enum Kind { each, slot, selected, computed } kind = each;
  int index = 0;
  int index_value = -1;             // of computed
  std::vector<int> call_arguments;  // values handed down with the recursive call
};

struct Value {
  Op op = Op::constant;
  std::vector<int> args;
  int ref = -1;
  ChildRef child;
  Size lo, hi;
  double number = 0;
  std::vector<Size> dims;  // of a constant
  std::string name;        // empty: printed where it is used
  int line = 0;            // of the text, for messages

  // Filled in by check().
  std::vector<int64_t> shape;
  bool per_child = false;
  int64_t begin = 0, end = 0;  // of a slice
};

int64_t elements(const std::vector<int64_t>& shape);

// What follows walks chains of values by recursion and compares values with each other: a case's text or
// builder stays within this.
constexpr std::size_t max_values = 4096;

// Values use only values before them.
struct Cell {
  std::vector<Value> values;
  std::vector<int> states;  // the value of each of the model's states
};

struct Model {
  std::string name;
  Structure structure = Structure::tree;
  std::optional<Size> max_children;  // nullopt: any number
  std::map<std::string, int64_t> sizes;
  std::vector<Parameter> parameters;
  std::optional<Parameter> feature;  // the node's features: name and width
  std::vector<State> states;
  std::optional<Cell> leaf;  // without one, leaves run `node` with no children
  Cell node;
  std::vector<int> outputs;  // states

  int64_t size(const Size& s) const { return evaluate(s, sizes).value_or(0); }
  std::vector<int64_t> shape(const std::vector<Size>& dims) const;
  int find_parameter(std::string_view name) const;  // -1: none
  int find_state(std::string_view name) const;
  int64_t children() const { return max_children ? size(*max_children) : -1; }  // -1: any number
};

}  // namespace cortex::recursive
