// How threads of a team wait for one another: spin for a while, then sleep on a futex.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace cortex {

// Long enough to bridge the gap between two layers of a network or two batches, short enough not to take a
// core away from the rest of the program.
constexpr std::chrono::microseconds spin_time{60};

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

inline long futex(std::atomic<uint32_t>& word, int op, uint32_t value) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  return syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), op | FUTEX_PRIVATE_FLAG, value, nullptr,
                 nullptr, 0);
}
// Returns at once where the word is no longer `value`; may return early.
inline void sleep_on(std::atomic<uint32_t>& word, uint32_t value) { futex(word, FUTEX_WAIT, value); }
inline void wake_all(std::atomic<uint32_t>& word) { futex(word, FUTEX_WAKE, INT_MAX); }

// work(t) on threads of their own, 1 <= t < threads. False: the system refuses one; those that started run.
template <typename Work>
bool start_workers(std::vector<std::thread>& workers, int threads, Work work) {
  workers.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int t = 1; t < threads; ++t) workers.emplace_back(work, t);
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

}  // namespace cortex
