#include "runtime/threads/thread_pool.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "runtime/threads/waiting.h"

namespace cortex {

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int threads) {
  if (threads < 1 || threads > max_threads) {
    return invalid_argument(
        fmt::format("thread pool of {} threads: 1 to {} are possible", threads, max_threads));
  }
  std::unique_ptr<ThreadPool> pool(new ThreadPool(threads));
  if (!pool->start()) {
    return Error{
        ErrorCode::out_of_memory,
        fmt::format("thread pool of {} threads: the system refuses to start another thread", threads)};
  }
  return pool;
}

// The destructor ends those that started.
bool ThreadPool::start() {
  return start_workers(workers_, threads_, [this](int self) { work(self); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  wake_.fetch_add(1);
  wake_all(wake_);
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::take(int preferred, int* slot) {
  std::atomic<uint64_t>& home = open_[preferred / 64];
  const uint64_t bit = uint64_t{1} << (preferred % 64);
  // Clearing a bit that a later job has opened meanwhile is fine: job_ is then that job's.
  if ((home.load(std::memory_order_relaxed) & bit) &&
      (home.fetch_and(~bit, std::memory_order_acquire) & bit)) {
    *slot = preferred;
    return true;
  }
  for (int w = 0; w < words; ++w) {
    uint64_t seen = open_[w].load(std::memory_order_relaxed);
    while (seen) {
      const uint64_t lowest = seen & (~seen + 1);
      const uint64_t before = open_[w].fetch_and(~lowest, std::memory_order_acquire);
      if (before & lowest) {
        *slot = w * 64 + __builtin_ctzll(lowest);
        return true;
      }
      seen = before;
    }
  }
  return false;
}

void ThreadPool::run_slot(int slot) {
  const int64_t tasks = job_.tasks, slots = job_.slots;
  const int begin = static_cast<int>(tasks * slot / slots);
  const int end = static_cast<int>(tasks * (slot + 1) / slots);
  for (int i = begin; i < end; ++i) job_.task(job_.arg, i);
  finished_.fetch_add(1, std::memory_order_release);
}

bool ThreadPool::anything_open() const {
  return std::any_of(std::begin(open_), std::end(open_), [](const auto& w) { return w.load() != 0; });
}

// A worker announces that it sleeps, then looks once more; run opens slots, then looks for sleepers. Both
// in sequentially consistent order, so one of the two sees the other.
void ThreadPool::sleep() {
  const uint32_t ticket = wake_.load();
  sleepers_.fetch_add(1);
  if (!anything_open() && !stop_.load()) sleep_on(wake_, ticket);
  sleepers_.fetch_sub(1);
}

void ThreadPool::wake_sleepers() {
  if (sleepers_.load() == 0) return;
  wake_.fetch_add(1);
  wake_all(wake_);
}

void ThreadPool::work(int self) {
  using clock = std::chrono::steady_clock;
  clock::time_point idle_since = clock::now();
  for (int spins = 1;; ++spins) {
    int slot;
    if (take(self, &slot)) {
      run_slot(slot);
      idle_since = clock::now();
      continue;
    }
    if (stop_.load(std::memory_order_relaxed)) return;
    pause_cpu();
    if (spins % 64 == 0 && clock::now() - idle_since > spin_time) {
      sleep();
      idle_since = clock::now();
    }
  }
}

void ThreadPool::run(int tasks, void (*task)(void*, int), void* arg) {
  if (tasks <= 0) return;
  if (tasks == 1 || workers_.empty() || busy_.exchange(true, std::memory_order_acquire)) {
    for (int i = 0; i < tasks; ++i) task(arg, i);
    return;
  }
  const int slots = std::min(tasks, max_slots);
  job_ = {task, arg, tasks, slots};
  const uint32_t target = finished_.load(std::memory_order_relaxed) + static_cast<uint32_t>(slots);
  for (int w = 0; w * 64 < slots; ++w) {
    const int bits = std::min(64, slots - w * 64);
    open_[w].store(bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1);
  }
  wake_sleepers();

  int slot;
  while (take(0, &slot)) run_slot(slot);
  for (int spins = 1; finished_.load(std::memory_order_acquire) != target; ++spins) {
    pause_cpu();
    // A worker may have lost its core to somebody else: give way to it.
    if (spins % 1024 == 0) sched_yield();
  }
  busy_.store(false, std::memory_order_release);
}

}  // namespace cortex
