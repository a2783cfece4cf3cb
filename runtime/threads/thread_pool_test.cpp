#include "runtime/threads/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

namespace cortex {
namespace {

struct Counts {
  std::vector<std::atomic<int>> hits;
  explicit Counts(int n) : hits(static_cast<std::size_t>(n)) {}
};

void count_task(void* arg, int i) {
  static_cast<Counts*>(arg)->hits[static_cast<std::size_t>(i)].fetch_add(1);
}

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3, 4, 7}) {
    auto pool = ThreadPool::create(threads);
    ASSERT_TRUE(pool.ok());
    EXPECT_EQ((*pool)->size(), threads);
    for (const int tasks : {0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1000}) {
      Counts counts(tasks);
      (*pool)->run(tasks, count_task, &counts);
      for (const auto& hit : counts.hits)
        ASSERT_EQ(hit.load(), 1) << threads << " threads, " << tasks << " tasks";
    }
  }
}

// What tasks wrote without atomics is visible after run; back-to-back jobs do not mix.
TEST(ThreadPool, ManyJobsInARow) {
  auto pool = ThreadPool::create(3);
  ASSERT_TRUE(pool.ok());
  struct Job {
    int value;
    int out[3];
  } job{};
  for (int round = 0; round < 20000; ++round) {
    job.value = round;
    (*pool)->run(
        3,
        [](void* arg, int i) {
          Job& j = *static_cast<Job*>(arg);
          j.out[i] = j.value + i;
        },
        &job);
    for (int i = 0; i < 3; ++i) ASSERT_EQ(job.out[i], round + i);
  }
}

TEST(ThreadPool, WakesAfterSleep) {
  auto pool = ThreadPool::create(2);
  ASSERT_TRUE(pool.ok());
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(round % 2 ? 300 : 50));
    Counts counts(2);
    (*pool)->run(2, count_task, &counts);
    EXPECT_EQ(counts.hits[0].load() + counts.hits[1].load(), 2);
  }
}

TEST(ThreadPool, SharedAndNestedRunsComplete) {
  auto pool = ThreadPool::create(2);
  ASSERT_TRUE(pool.ok());
  struct Outer {
    ThreadPool* pool;
    Counts inner{8};
  };
  std::vector<std::thread> callers;
  std::vector<std::unique_ptr<Outer>> states;
  for (int c = 0; c < 3; ++c) states.push_back(std::make_unique<Outer>(pool->get()));
  for (auto& state : states) {
    callers.emplace_back([&state] {
      for (int round = 0; round < 500; ++round) {
        state->pool->run(
            4,
            [](void* arg, int) {
              Outer& o = *static_cast<Outer*>(arg);
              o.pool->run(8, count_task, &o.inner);
            },
            state.get());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& state : states) {
    for (const auto& hit : state->inner.hits) EXPECT_EQ(hit.load(), 4 * 500);
  }
}

TEST(ThreadPool, RefusesImpossibleSizes) {
  EXPECT_FALSE(ThreadPool::create(0).ok());
  EXPECT_FALSE(ThreadPool::create(-1).ok());
  EXPECT_FALSE(ThreadPool::create(257).ok());
}

}  // namespace
}  // namespace cortex
