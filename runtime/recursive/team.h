// Threads that stay together for a whole recursion: one start, then a barrier wherever the program has one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "support/result.h"

namespace cortex::recursive {

class Team {
 public:
  static constexpr int max_threads = 64;

  // threads - 1 workers; the thread that calls run is number 0.
  static Result<std::unique_ptr<Team>> create(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return threads_; }

  // task(arg, t) on every thread t, and back when all are done. By one thread at a time.
  void run(void (*task)(void*, int), void* arg);

  // Inside a task: nobody passes before all have come. Spins, then sleeps.
  void barrier();

 private:
  explicit Team(int threads) : threads_(threads) {}
  bool start();
  void work(int self);

  // Waits until word is no longer `old`.
  static void wait_while(std::atomic<uint32_t>& word, uint32_t old, std::atomic<int>& sleepers);
  static void wake(std::atomic<uint32_t>& word, std::atomic<int>& sleepers);

  const int threads_;
  void (*task_)(void*, int) = nullptr;  // written by run before it moves job_ on
  void* arg_ = nullptr;
  alignas(64) std::atomic<uint32_t> job_{0};
  std::atomic<int> job_sleepers_{0};
  std::atomic<bool> stop_{false};
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<uint32_t> generation_{0};
  std::atomic<int> barrier_sleepers_{0};
  std::vector<std::thread> workers_;
};

}  // namespace cortex::recursive
