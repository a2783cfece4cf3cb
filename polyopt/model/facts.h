// Facts: a Nest in the form the cost model computes with: no strings, no vectors, bytes.
#pragma once

#include <array>
#include <cstdint>

#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

inline constexpr int facts_max_dims = 12;
inline constexpr int facts_max_rank = 8;

// One (tensor dimension, dim) pair of an access.
struct FactTerm {
  int dim = 0;
  int axis = 0;       // tensor dimension
  double coeff = 1;   // of the dim in that tensor dimension
  double stride = 0;  // bytes: coeff * tensor stride
};

struct OperandFacts {
  int count = 0;
  std::array<FactTerm, facts_max_dims> terms{};  // by stride, smallest first
  int rank = 0;
  std::array<double, facts_max_rank> shape{};
  double elem = 4;    // bytes
  double bytes = 0;   // of the tensor as far as the access can touch it
  uint32_t dims = 0;  // bit d: depends on dim d
  bool padded = false;

  bool depends_on(int dim) const { return (dims >> dim) & 1u; }
};

struct NestFacts {
  int dims = 0;
  bool f32_sums = false;  // in C: what a split reduction takes
  DataType a_type = DataType::f32;
  std::array<double, facts_max_dims> extent{};
  uint32_t reductions = 0;  // bit d: dim d is a reduction
  std::array<OperandFacts, operand_count> operand{};
  double points = 1;                    // product of extents
  bool epilogue_reads_c_shape = false;  // residual
  bool light_epilogue = true;           // Epilogue::light()
  bool c_holds_sums = true;             // else reductions are not cut

  bool is_reduction(int dim) const { return (reductions >> dim) & 1u; }
  const OperandFacts& operator[](Operand o) const { return operand[static_cast<int>(o)]; }
};

// Refuses nests with more dims or tensor dimensions than schedules support.
Result<NestFacts> gather_facts(const Nest& nest);

}  // namespace cortex
