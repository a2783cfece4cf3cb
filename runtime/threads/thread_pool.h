// A small fork-join pool with low latency: workers spin on one word for a while, then sleep.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "cortex/cortex.h"
#include "support/result.h"

namespace cortex {

class ThreadPool {
 public:
  static constexpr int max_threads = 256;

  // threads - 1 workers; the thread that calls run is the last one.
  static Result<std::unique_ptr<ThreadPool>> create(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // task(arg, i) once for every 0 <= i < tasks. When another thread is inside run (or a task calls it),
  // the caller does all of its tasks itself.
  void run(int tasks, void (*task)(void*, int), void* arg);

 private:
  // Tasks are dealt in slots, one bit of `open_` each; whoever clears the bit runs the slot. A thread goes
  // for the slot of its own number first, so that the same thread meets the same data call after call.
  static constexpr int max_slots = max_threads;
  static constexpr int words = max_slots / 64;

  explicit ThreadPool(int threads) : threads_(threads) {}
  bool start();
  void work(int self);
  bool take(int preferred, int* slot);
  void run_slot(int slot);
  bool anything_open() const;
  void sleep();
  void wake_sleepers();

  struct Job {
    void (*task)(void*, int) = nullptr;
    void* arg = nullptr;
    int tasks = 0, slots = 0;
  };

  const int threads_;
  // One cache line goes from the caller to a worker: what to do beside the bits that offer it.
  alignas(64) std::atomic<uint64_t> open_[words] = {};
  Job job_;  // written by run while no bit is open, read by whoever cleared one
  alignas(64) std::atomic<uint32_t> finished_{0};  // slots of all jobs so far, modulo 2^32
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<uint32_t> wake_{0};  // futex word
  std::atomic<bool> stop_{false};
  alignas(64) std::atomic<bool> busy_{false};
  std::vector<std::thread> workers_;
};

}  // namespace cortex
