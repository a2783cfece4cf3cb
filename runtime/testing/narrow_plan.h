// A problem of narrow types, dense or with zeros, planned and run under guard pages on any instruction set,
// against the contract in double. Integers must come out the same, byte for byte, wherever they run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_problem.h"
#include "runtime/testing/reference.h"
#include "support/cpu.h"
#include "support/testing/guarded_buffer.h"

namespace cortex::testing {

class Narrow {
 public:
  // sparse: weights have zeros that the plan knows of.
  explicit Narrow(uint64_t seed, bool sparse = false);
  explicit Narrow(const char* line, const cortex_plan_options& options = cortex_plan_options_init());
  // A problem as given; its weights are zero but for `percent`. extremes: bytes of the source are the
  // largest, others of the weights -128.
  Narrow(const char* line, int32_t share, int percent, bool extremes = false);

  std::string text() const { return to_string(problem_); }

  // Empty: this machine and library refuse the problem.
  std::vector<char> run(const cortex_context* context, const cortex_thread_pool* pool, std::string& failure);

 private:
  void make_operands();
  void check(const std::vector<char>& dst, std::string& failure) const;
  bool has_one_filter_matrix() const;
  template <typename F>
  void for_each_src(const cortex_plan_info& info, F f) const;
  template <typename F>
  void for_each_dst(const cortex_plan_info& info, F f) const;

  Random random_;
  bool sparse_ = false, extremes_ = false;
  int percent_ = -1;  // of the weights, not zero; -1: random
  Problem problem_;
  cortex_plan_options options_;
  Side side_ = Side::after;
  std::unique_ptr<GuardedBuffer> src_, weights_, residual_, bias_, scale_;
  Expected expected_;
};

// Contexts for every instruction set of this CPU, and for its last one with products of pairs of the other
// speed.
struct EveryIsa {
  std::vector<Isa> isas;
  std::vector<Handle<cortex_context>> contexts;

  EveryIsa();
  // Returns on how many of them the case ran.
  int check(Narrow& narrow, const cortex_thread_pool* pool) const;
};

// Random cases on all of them.
void check_narrow(bool sparse);

}  // namespace cortex::testing
