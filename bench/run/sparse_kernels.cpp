#include "bench/run/sparse_kernels.h"

#include <cortex/cortex.h>

#include <algorithm>
#include <array>

#include "bench/measure/sampler.h"
#include "bench/measure/statistics.h"

namespace cortex::bench {

std::span<const SparseKernel> sparse_kernels() {
  static constexpr std::array<SparseKernel, 6> kernels = {{{"dense", false, 0},
                                                           {"1 row", true, 1},
                                                           {"2 rows", true, 2},
                                                           {"4 rows", true, 4},
                                                           {"patterns", true, CORTEX_SPARSE_PATTERNS},
                                                           {"bitmap", true, CORTEX_SPARSE_BITMAP}}};
  return kernels;
}

Result<std::vector<SparseCandidate>> make_sparse_candidates(Backend& backend, Request request,
                                                            const Operands& operands) {
  std::vector<SparseCandidate> candidates;
  for (const SparseKernel& kernel : sparse_kernels()) {
    request.sparse = kernel.sparse;
    request.sparse_share = kernel.share;
    Result<std::unique_ptr<Instance>> made = backend.create(request, operands);
    // Not every type has patterns, not every operator bitmaps.
    if (!made && made.error().code == ErrorCode::unsupported && kernel.sparse) continue;
    if (!made) return made.error();
    candidates.push_back({&kernel, std::move(*made)});
  }
  return candidates;
}

void measure_sparse_candidates(std::vector<SparseCandidate>& candidates, double min_time, Cold cold) {
  std::vector<Contestant> contestants;
  for (const SparseCandidate& candidate : candidates) {
    Instance* const instance = candidate.instance.get();
    instance->prepare_output();
    contestants.push_back({[instance] { instance->execute(); }, flushed(*instance, cold)});
  }
  SamplingOptions sampling;
  sampling.min_time = min_time;
  const std::vector<Samples> samples = sample_interleaved(contestants, sampling);
  for (std::size_t i = 0; i < samples.size(); ++i) candidates[i].ns = median(samples[i].ns);
}

const SparseCandidate& fastest(const std::vector<SparseCandidate>& candidates) {
  return *std::min_element(candidates.begin(), candidates.end(),
                           [](const SparseCandidate& a, const SparseCandidate& b) { return a.ns < b.ns; });
}

std::vector<std::span<const std::byte>> flushed(const Instance& instance, Cold cold) {
  switch (cold) {
    case Cold::weights:
      return instance.weight_ranges();
    case Cold::all:
      return instance.operands();
    case Cold::none:
      break;
  }
  return {};
}

}  // namespace cortex::bench
