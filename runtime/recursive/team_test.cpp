// The team of a recursion: nobody passes a barrier early, whoever waits long sleeps, sleepers wake.
#include "runtime/recursive/team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <functional>

namespace cortex::recursive {
namespace {

using namespace std::chrono_literals;

void run(Team& team, const std::function<void(int)>& task) {
  team.run([](void* self, int thread) { (*static_cast<const std::function<void(int)>*>(self))(thread); },
           const_cast<std::function<void(int)>*>(&task));
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Every thread writes its cell, meets the others, and reads all: plain integers, so that a thread sanitizer
// sees a barrier that orders nothing.
TEST(Team, NobodyPassesBeforeAllHaveCome) {
  for (const int threads : {1, 2, 5}) {
    const auto team = Team::create(threads);
    ASSERT_TRUE(team.ok());
    std::vector<int> at(static_cast<std::size_t>(threads)), early(at.size());
    for (int round = 0; round < 20; ++round) {
      run(**team, [&](int t) {
        for (int step = 0; step < 50; ++step) {
          at[static_cast<std::size_t>(t)] = 50 * round + step;
          (*team)->barrier();
          for (const int other : at) early[static_cast<std::size_t>(t)] += other != 50 * round + step;
          (*team)->barrier();
        }
      });
    }
    for (const int count : early) EXPECT_EQ(count, 0) << threads;
  }
}

// At a barrier that one thread reaches late, and between two runs: the others are asleep, and come back.
TEST(Team, WhoeverWaitsLongSleeps) {
  constexpr int threads = 4;
  const auto team = Team::create(threads);
  ASSERT_TRUE(team.ok());
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> came{0};
    const double before = cpu_seconds();
    run(**team, [&](int t) {
      if (t == round) std::this_thread::sleep_for(400ms);
      (*team)->barrier();
      ++came;
    });
    std::this_thread::sleep_for(400ms);
    EXPECT_EQ(came.load(), threads);
    EXPECT_LT(cpu_seconds() - before, 0.4) << "three threads waited for 0.4 s, and again";
  }
}

TEST(Team, SizesAreChecked) {
  for (const int threads : {-1, 0, Team::max_threads + 1}) {
    const auto team = Team::create(threads);
    ASSERT_FALSE(team.ok());
    EXPECT_NE(team.error().message.find("1 to 64"), std::string::npos) << team.error().message;
  }
}

}  // namespace
}  // namespace cortex::recursive
