// Parameters and batches of a recursive problem, made from a seed. Names and shapes are those of
// include/cortex/recursive.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/problem/recursive.h"
#include "support/aligned_buffer.h"

namespace cortex::bench {

struct RecursiveParameter {
  std::string name;
  std::vector<int64_t> dims;  // outermost first; tables begin with the vocabulary
  AlignedBuffer values;
  int64_t count() const;
  const float* data() const { return values.as<float>(); }
};

struct RecursiveOperands {
  int64_t vocabulary = 1;
  int64_t max_children = 2;  // of treelstm-nary: matrices
  std::vector<RecursiveParameter> parameters;
  std::vector<Structures> batches;

  const RecursiveParameter& parameter(const std::string& name) const;  // must exist
  int64_t nodes() const;                                               // of all batches
};

// What a node's state is beside h: c of the LSTMs, M of the MV-RNN (hidden x hidden); 0: nothing.
int64_t second_state_size(const RecursiveProblem& problem);
const char* second_state_name(const RecursiveProblem& problem);  // "c", "M", or null

struct RecursiveSize {
  // 0: so many that about 100 structures run (trees), 2 of synthetic shapes; of large structures so many that
  // about half a million nodes run, but one.
  int32_t batches = 0;
  uint64_t seed = 1;
};
int32_t recursive_batches(const RecursiveProblem& problem, const Structures* trees,
                          const RecursiveSize& size);

// Whether batches, their states and the parameters find room in this machine's memory: if not, what needs how
// much. make_recursive_operands refuses the same.
Status check_recursive_memory(const RecursiveProblem& problem, const Structures* trees,
                              const RecursiveSize& size);

Result<RecursiveOperands> make_recursive_operands(const RecursiveProblem& problem, const Structures* trees,
                                                  const RecursiveSize& size);

// Bytes of the matrices that a level of inner nodes reads.
double recursive_weight_bytes(const RecursiveProblem& problem, int64_t max_children);
// Levels with at least one inner node, of one batch.
int64_t inner_levels(const Structures& batch);

}  // namespace cortex::bench
