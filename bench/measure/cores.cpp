#include "bench/measure/cores.h"

#include <time.h>

#include <thread>
#include <vector>

#include "bench/measure/clock.h"

namespace cortex::bench {
namespace {

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

double cores_had(int threads, double seconds) {
  std::vector<double> spent(static_cast<std::size_t>(threads), 0.0);
  const double start = now_ns(), end = start + seconds * 1e9;
  const auto spin = [&](std::size_t t) {
    const double before = thread_seconds();
    while (now_ns() < end) {
    }
    spent[t] = thread_seconds() - before;
  };
  std::vector<std::thread> others;
  for (std::size_t t = 1; t < spent.size(); ++t) others.emplace_back(spin, t);
  spin(0);
  for (std::thread& t : others) t.join();
  double all = 0;
  for (const double s : spent) all += s;
  return all / ((now_ns() - start) * 1e-9);
}

}  // namespace cortex::bench
