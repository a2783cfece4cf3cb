// The kernels that can leave out given zeros, made for one problem and measured beside each other.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "bench/backends/backend.h"
#include "bench/run/options.h"

namespace cortex::bench {

struct SparseKernel {
  const char* name;
  bool sparse;  // else the dense kernels
  int share;    // cortex_plan_options.sparse_share
};
std::span<const SparseKernel> sparse_kernels();

struct SparseCandidate {
  const SparseKernel* kernel;
  std::unique_ptr<Instance> instance;
  double ns = 0;  // median of what was measured
};

// Every kernel that the problem's type and operator have; `request` says all but the kernel. Each holds
// operands of its own.
Result<std::vector<SparseCandidate>> make_sparse_candidates(Backend& backend, Request request,
                                                            const Operands& operands);
// In turns, `min_time` seconds each, flushed before each execution as `cold` says.
void measure_sparse_candidates(std::vector<SparseCandidate>& candidates, double min_time, Cold cold);

const SparseCandidate& fastest(const std::vector<SparseCandidate>& candidates);

// What to flush before an execution.
std::vector<std::span<const std::byte>> flushed(const Instance& instance, Cold cold);

}  // namespace cortex::bench
