// Interleaved sampling: every contestant in turn, round after round.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace cortex::bench {

struct Contestant {
  std::function<void()> execute;
  // What to push out of the caches before every execution; empty: caches stay warm.
  std::vector<std::span<const std::byte>> flush;
};

struct SamplingOptions {
  double min_time = 0.4;  // seconds of timed execution per contestant
  int repeats = 0;        // samples per contestant; 0: as many as min_time asks for
  int min_samples = 5;
  int max_samples = 400;
  double sample_ns = 400e3;  // a sample repeats short executions until it is about this long
  double wake_ns = 0;  // untimed executions before each turn last at least so long (and are at least one)
  double settle_seconds = 0;  // pause before each turn, for other contestants' spinning threads to park
};

struct Samples {
  std::vector<double> ns;  // one mean execution time per sample
  int executions_per_sample = 1;
};

// Warms each contestant up, then samples in rounds; the order rotates from round to round, and each turn
// starts with an execution that is not timed.
std::vector<Samples> sample_interleaved(std::span<const Contestant> contestants,
                                        const SamplingOptions& options);

}  // namespace cortex::bench
