// Recurrent layers: parameters and inputs from a seed, and the double-precision answer.
#pragma once

#include <vector>

#include "bench/reference/reference.h"
#include "graph/problem/rnn.h"
#include "support/aligned_buffer.h"

namespace cortex::bench {

// Gates in the order i f u o (LSTM), r z g (GRU), one (RNN): the order of include/cortex/recursive.h.
struct RnnOperands {
  struct Layer {
    int64_t in = 0;
    AlignedBuffer w, u, b;  // [gates * hidden][in], [gates * hidden][hidden], [gates * hidden]
  };
  std::vector<Layer> layers;  // of one layer: forward, then backward if both directions run
  AlignedBuffer input;        // [batch][steps][slc]
  const float* x() const { return input.as<float>(); }
};
Result<RnnOperands> make_rnn_operands(const RnnProblem& problem, uint64_t seed);

int64_t rnn_output_width(const RnnProblem& problem);  // hidden, or twice it under concat

// Every step of the sequences (of some, in large problems), from zero states, against the whole recursion in
// double.
class RnnReference {
 public:
  RnnReference(const RnnProblem& problem, const RnnOperands& operands);
  int64_t result_count() const;  // [batch][steps][rnn_output_width]
  Verdict check(const float* result) const;

 private:
  const RnnProblem& problem_;
  const RnnOperands& operands_;
  std::vector<double> expected_;
  std::vector<int64_t> sequences_;  // those computed
  double tolerance_ = 0;
};

}  // namespace cortex::bench
