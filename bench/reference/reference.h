// The double-precision answer to a problem, computed once, and the verdict on results of any backend.
#pragma once

#include <string>
#include <vector>

#include "bench/reference/operands.h"
#include "bench/reference/rows.h"

namespace cortex::bench {

struct Verdict {
  double error_ratio = 0;  // max |error| / bound over the outputs compared; above 1: wrong
  int64_t compared = 0;    // outputs compared one by one (all of them also enter projections, if large)
  std::string where;       // the worst output, for a message; empty when nothing was wrong
  bool ok() const { return error_ratio <= 1; }
};

struct ReferenceOptions {
  double full_check_flops = 50e6;  // up to here every output is compared
  int64_t sampled_outputs = 4096;  // above: at least so many, in full rows
  uint64_t seed = 1;
};

class Reference {
 public:
  // Keeps references to both arguments.
  Reference(const Problem& problem, const Operands& operands, const ReferenceOptions& options = {});

  Verdict check(const float* result) const;  // c_elements values in the reference layout

 private:
  struct Expected {
    double value, tolerance;
  };
  Expected finish(double sum, double magnitude, int64_t column, int64_t element) const;
  Expected stored(double value, double tolerance) const;
  const float* a() const { return from_zero_.empty() ? operands_.a_data() : from_zero_.data(); }
  void choose_rows(const ReferenceOptions& options, bool all);
  void compute_sampled();
  void compute_projections(uint64_t seed);
  void check_projections(const float* result, Verdict& verdict) const;

  const Problem& problem_;
  const Operands& operands_;
  std::vector<float> from_zero_;  // A less its zero point, where it has one
  Rows rows_;
  double gamma_ = 0;
  std::vector<int64_t> sampled_;    // row numbers
  std::vector<Expected> expected_;  // width values per sampled row
  int64_t block_ = 0;               // columns per projection; 0: none (everything is compared)
  std::vector<double> signs_;       // one per column of B
  std::vector<double> projected_, projected_bound_;  // per row and block: of the bare sum
};

}  // namespace cortex::bench
