#include "runtime/recursive/team.h"

#include <fmt/format.h>

#include "runtime/threads/waiting.h"

namespace cortex::recursive {

Result<std::unique_ptr<Team>> Team::create(int threads) {
  if (threads < 1 || threads > max_threads) {
    return invalid_argument(
        fmt::format("executor of {} threads: 1 to {} are possible", threads, max_threads));
  }
  std::unique_ptr<Team> team(new Team(threads));
  if (!team->start()) {
    return Error{ErrorCode::out_of_memory,
                 fmt::format("executor of {} threads: the system refuses to start another thread", threads)};
  }
  return team;
}

// The destructor ends those that started.
bool Team::start() {
  return start_workers(workers_, threads_, [this](int self) { work(self); });
}

Team::~Team() {
  stop_.store(true);
  job_.fetch_add(1);
  wake_all(job_);
  for (std::thread& worker : workers_) worker.join();
}

// A sleeper announces itself, then looks once more; whoever moves the word on then looks for sleepers. Both
// in sequentially consistent order, so one of the two sees the other.
void Team::wait_while(std::atomic<uint32_t>& word, uint32_t old, std::atomic<int>& sleepers) {
  using clock = std::chrono::steady_clock;
  clock::time_point since;
  for (int spins = 1; word.load(std::memory_order_acquire) == old; ++spins) {
    pause_cpu();
    if (spins % 64) continue;
    if (spins == 64) since = clock::now();
    if (clock::now() - since < spin_time) continue;
    sleepers.fetch_add(1);
    while (word.load() == old) sleep_on(word, old);
    sleepers.fetch_sub(1);
    return;
  }
}

void Team::wake(std::atomic<uint32_t>& word, std::atomic<int>& sleepers) {
  word.fetch_add(1);
  if (sleepers.load() > 0) wake_all(word);
}

void Team::barrier() {
  if (threads_ == 1) return;
  const uint32_t generation = generation_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    wake(generation_, barrier_sleepers_);
    return;
  }
  wait_while(generation_, generation, barrier_sleepers_);
}

void Team::work(int self) {
  for (uint32_t seen = 0;; ++seen) {
    wait_while(job_, seen, job_sleepers_);
    if (stop_.load()) return;
    task_(arg_, self);
    barrier();
  }
}

void Team::run(void (*task)(void*, int), void* arg) {
  if (threads_ == 1) return task(arg, 0);
  task_ = task;
  arg_ = arg;
  wake(job_, job_sleepers_);
  task(arg, 0);
  barrier();
}

}  // namespace cortex::recursive
