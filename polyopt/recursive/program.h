// A cell as the executor runs it, level by level.
//
// Arrays: parameters; states, by position; temporaries, by row of the level or by edge of the level; hoisted
// values, by the caller's node; panels, private to a thread. A Stream is where a row of one comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cortex/cell_kernels.h"
#include "cortex/cell_library.h"
#include "graph/recursive/model.h"

namespace cortex::recursive {

enum class From {
  parameter,  // the same for all nodes
  word,       // a table's row
  features,   // the caller's
  hoisted,    // by the caller's node
  own,        // a state of this node
  row,        // a temporary of this node
  edge,       // a temporary of this child edge
  panel,      // gathered
  each,       // a state of the child at hand
  slot,       // a state of child number `slot`, zeros if there is none
  selected,   // a state of the selected child, zeros if there is none
  block,      // a temporary of this node, the block of the child at hand
  scratch,    // a row of the element-wise interpreter
};

struct Stream {
  From from = From::scratch;
  int array = 0;
  int64_t offset = 0;  // elements
  int slot = 0;
  int64_t width = 0;  // of a block, a table's row, the features
  bool operator==(const Stream&) const = default;
};

struct Gather {
  enum class Reduce { none, sum, max };
  struct Part {
    Stream stream;  // `each` where reduced
    Reduce reduce = Reduce::none;
    int64_t at = 0, width = 0;
  };
  int panel = 0;
  bool per_child = false;  // a row per edge
  std::vector<Part> parts;
};

// out[n] = weights[n][k] a[k] for every row.
struct Gemm {
  Stream a, out;
  int64_t n = 0, k = 0;
  int weights = 0;
  bool per_child = false;
  bool inner_only = false;  // nodes that have a parent
};

// out[m][n] = parameter[m][k] [operands stacked][k][n] + plus[m][n] for every node.
struct MatrixProduct {
  int parameter = 0;
  int64_t first_row = 0, m = 0, k = 0, n = 0;
  struct Part {
    Stream stream;
    int64_t rows = 0;
  };
  std::vector<Part> parts;
  std::optional<Stream> plus;  // a parameter
  Stream out;
};

// out[n] = vector[k] matrix[k][n] for every node.
struct VectorMatrix {
  Stream vector, matrix, out;
  int64_t k = 0, n = 0;
};

struct Pointwise {
  int64_t width = 0;
  int64_t quantum = 0;  // threads divide the width in multiples of it
  std::vector<Stream> rows;
  int scratch_rows = 0;
  struct Segment {
    bool edges = false;  // once per child
    std::vector<cortex_cell_step> steps;
    std::vector<cortex_cell_step>
        childless;  // instead of steps where a node has no children; empty: the same
  };
  std::vector<Segment> segments;
  cortex_cell_fn generated = nullptr;  // what runs in their place
};

using Step = std::variant<Gather, Gemm, MatrixProduct, VectorMatrix, Pointwise>;

struct Phase {
  std::vector<Step> steps;
  bool barrier = false;  // behind it
  // Threads may divide its products with a matrix per node by nodes: only products read what comes out,
  // behind the barrier.
  bool by_node = false;
};

struct CellProgram {
  std::vector<Phase> phases;
};

struct Weights {
  int parameter = 0;
  int64_t first_row = 0, n = 0, k = 0;
  bool operator==(const Weights&) const = default;
};

struct Program {
  std::vector<Gemm> hoisted;
  bool barrier_after_hoisted = false;
  CellProgram leaf, node;  // leaf without phases: leaves run node
  bool has_leaf = false;
  std::vector<Weights> weights;
  std::vector<int64_t> state_width, row_width, edge_width, hoisted_width;
  struct Panel {
    int64_t width = 0;
    bool per_child = false;
  };
  std::vector<Panel> panels;
  int64_t widest = 0;  // of the states: zeros stand in for absent children
  int64_t widest_pointwise = 0;
  int scratch_rows = 0;
};

std::string to_string(const Program& program, const Model& model);

}  // namespace cortex::recursive
