#include "bench/measure/sampler.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "bench/measure/clock.h"
#include "bench/measure/flush.h"

namespace cortex::bench {
namespace {

double timed(const Contestant& who, int executions) {
  const double start = now_ns();
  for (int i = 0; i < executions; ++i) who.execute();
  return (now_ns() - start) / executions;
}

double one_sample(const Contestant& who, int executions) {
  if (who.flush.empty()) return timed(who, executions);
  double total = 0;
  for (int i = 0; i < executions; ++i) {
    for (const auto& range : who.flush) flush_from_caches(range);
    total += timed(who, 1);
  }
  return total / executions;
}

// The fastest of a few runs: after them code and data are where repeated execution leaves them.
double warm_up(const Contestant& who) {
  double best = timed(who, 1);
  for (int i = 0; i < 3 && best < 50e6; ++i) best = std::min(best, timed(who, 1));
  return std::max(best, 1.0);
}

// Brings code and data back into the caches that others used, and threads back to cores of their own.
void wake(const Contestant& who, double at_least_ns) {
  const double start = now_ns();
  do {
    who.execute();
  } while (now_ns() - start < at_least_ns);
}

}  // namespace

std::vector<Samples> sample_interleaved(std::span<const Contestant> contestants,
                                        const SamplingOptions& options) {
  std::vector<Samples> samples(contestants.size());
  double round_ns = 0;
  std::vector<double> single(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    single[i] = warm_up(contestants[i]);
    // Cold executions are timed one by one: a mean over several still steadies tiny ones.
    const double target = contestants[i].flush.empty() ? options.sample_ns : options.sample_ns / 8;
    samples[i].executions_per_sample = static_cast<int>(std::clamp(std::ceil(target / single[i]), 1.0, 1e6));
    round_ns += single[i] * samples[i].executions_per_sample;
  }
  if (contestants.empty()) return samples;
  int rounds = options.repeats;
  if (rounds <= 0) {
    const double budget = options.min_time * 1e9 * static_cast<double>(contestants.size());
    rounds = static_cast<int>(
        std::clamp(budget / round_ns, double(options.min_samples), double(options.max_samples)));
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < contestants.size(); ++turn) {
      const std::size_t i = (turn + static_cast<std::size_t>(round)) % contestants.size();
      if (options.settle_seconds > 0 && contestants.size() > 1) {
        std::this_thread::sleep_for(std::chrono::duration<double>(options.settle_seconds));
      }
      if (single[i] < 100e6) wake(contestants[i], options.wake_ns);
      samples[i].ns.push_back(one_sample(contestants[i], samples[i].executions_per_sample));
    }
  }
  return samples;
}

}  // namespace cortex::bench
