// The verdict on the states that a backend computed for a problem's batches.
#pragma once

#include <vector>

#include "bench/recursive/cells.h"
#include "bench/reference/reference.h"

namespace cortex::bench {

struct RecursiveReferenceOptions {
  double full_check_multiply_adds = 1e9;  // up to here every element of every node is compared
  double recursion_multiply_adds = 3e8;   // structures run from the leaves up in double
  uint64_t seed = 1;
};

class RecursiveReference {
 public:
  // Keeps references to problem and operands.
  RecursiveReference(const RecursiveProblem& problem, const RecursiveOperands& operands,
                     const RecursiveReferenceOptions& options = {});

  // Values in a result: for every batch h of all nodes in their order, [nodes][hidden], then c or M of all
  // nodes.
  int64_t result_count() const;

  Verdict check(const float* result) const;

  // The whole recursion of one batch in double: [nodes][hidden + second state], children before parents.
  std::vector<double> run(const Structures& batch) const;

 private:
  void check_steps(size_t batch, const float* h, const float* second, double full_share,
                   Verdict& verdict) const;
  void check_recursion(size_t batch, const float* h, double& budget, Verdict& verdict) const;
  void fail(Verdict& verdict, double ratio, size_t batch, int32_t node, int64_t element, double found,
            Bounded expected) const;

  const RecursiveProblem& problem_;
  const RecursiveOperands& operands_;
  RecursiveReferenceOptions options_;
  Cell cell_;
  int64_t second_;
};

}  // namespace cortex::bench
