// Stage: where the variants of one problem run, all on the same operands and the same memory.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/backends/buffer.h"
#include "bench/backends/cortex_handles.h"
#include "bench/reference/reference.h"
#include "graph/problem/problem.h"

namespace cortex::bench {

class Stage {
 public:
  // Keeps a reference to `problem`.
  static Result<std::unique_ptr<Stage>> make(const Problem& problem, const cortex_context* context,
                                             const cortex_thread_pool* pool, int threads, bool plain,
                                             uint64_t seed);

  // Numbers variants from 0. Refuses what the runtime refuses.
  Result<int> add(const std::string& schedule);
  void execute(int variant) const;
  // Runs the variant on an output of NaNs and holds it against the reference.
  Status check(int variant);
  // What execute touches, beside scratch.
  std::vector<std::span<const std::byte>> operands(int variant) const;

 private:
  struct Entry {
    PlanHandle plan;
    cortex_execute_args args{};
  };

  Stage(const Problem& problem, const cortex_thread_pool* pool) : problem_(problem), pool_(pool) {}
  Status pack(const cortex_plan* plan, const std::string& layout, int64_t bytes);

  const Problem& problem_;
  const cortex_thread_pool* pool_;
  const cortex_context* context_ = nullptr;
  int threads_ = 1;
  bool plain_ = false;
  ProblemHandle handle_;
  Operands operands_;
  std::optional<Reference> reference_;
  BenchBuffer src_, dst_, bias_;
  std::vector<float> result_;                   // where dst is no f32
  std::map<std::string, BenchBuffer> weights_;  // by layout: variants with the same share one
  // Grows with the largest need; older ones stay, for the arguments that point to them.
  std::vector<BenchBuffer> scratch_;
  std::vector<Entry> entries_;
};

}  // namespace cortex::bench
