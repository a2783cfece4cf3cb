// The interpreter on random schedules: whatever check() accepts must compute the problem.
#include "runtime/interpreter/interpreter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "graph/lower/lower.h"
#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_schedule.h"

namespace cortex::testing {
namespace {

uint64_t seed_from_environment() {
  const char* text = std::getenv("CORTEX_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 20240601;
}

TEST(TileRuns, CoverTheRange) {
  for (int64_t length = 1; length < 40; ++length) {
    for (int64_t step = 1; step < 45; ++step) {
      for (const bool balanced : {false, true}) {
        const auto runs = tile_runs(length, step, balanced);
        EXPECT_EQ(runs[0].count * runs[0].size + runs[1].count * runs[1].size, length);
        EXPECT_EQ(runs[0].count + runs[1].count, (length + step - 1) / step);
        EXPECT_LE(runs[0].size, step);
        if (runs[1].count > 0 && balanced) {
          EXPECT_EQ(runs[0].size - runs[1].size, 1);
        }
      }
    }
  }
}

void random_schedules(bool conv, int count) {
  const uint64_t seed = seed_from_environment();
  SCOPED_TRACE(fmt::format("CORTEX_TEST_SEED={}", seed));
  const Handle<cortex_context> context = context_for(nullptr);
  ASSERT_TRUE(context);
  const Isa isa = *parse_isa(cortex_context_isa(context.get()));
  const Handle<cortex_thread_pool> pool = pool_of(3);
  int run = 0;
  double worst = 0;
  for (int i = 0; i < count; ++i) {
    Random random(seed + static_cast<uint64_t>(i));
    Problem problem = conv ? random_conv(random) : random_matmul(random);
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = static_cast<int32_t>(pick(random, 1, 4));
    options.weights_handling = pick(random, 0, 2) ? CORTEX_WEIGHTS_PREPACKED : CORTEX_WEIGHTS_PLAIN;
    const bool ahead = options.weights_handling == CORTEX_WEIGHTS_PREPACKED;
    const Result<Nest> nest = lower(problem);
    ASSERT_TRUE(nest.ok()) << nest.error().message;
    const Nest coalesced = coalesce(*nest);
    const std::optional<Schedule> schedule = random_schedule(coalesced, isa, ahead, random);
    if (!schedule) continue;
    const std::string text = to_string(*schedule, coalesced);
    options.schedule = text.c_str();
    if (std::getenv("CORTEX_TEST_VERBOSE")) fmt::print("{} {} {}\n", i, to_string(problem), text);
    const Outcome outcome =
        check_plan(context.get(), problem, options, pool.get(), seed + static_cast<uint64_t>(i),
                   problem.epilogue.residual && pick(random, 0, 1));
    ASSERT_TRUE(outcome.ok()) << "case " << i << ": " << outcome.failure;
    worst = std::max(worst, outcome.error_ratio);
    ++run;
  }
  fmt::print("{} of {} cases ran, largest error ratio {:.3f}\n", run, count, worst);
  EXPECT_GT(run, count / 2) << "the generator of schedules hardly finds any";
}

TEST(Interpreter, RandomSchedulesOfConvolutions) { random_schedules(true, 600); }
TEST(Interpreter, RandomSchedulesOfMatmuls) { random_schedules(false, 600); }

}  // namespace
}  // namespace cortex::testing
