// The interpreter on random schedules: whatever check() accepts must compute the problem.
#include "runtime/interpreter/interpreter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "graph/lower/lower.h"
#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_schedule.h"
#include "support/aligned_buffer.h"
#include "support/testing/seed.h"

namespace cortex::testing {
namespace {

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
  const uint64_t seed = seed_from_environment(20240601);
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

// One schedule, one sequence of additions: the bits of C do not depend on threads or on who ran when.
TEST(Interpreter, SplitReductionsGiveTheSameBitsOnAnyThreads) {
  const Handle<cortex_context> context = context_for(nullptr);
  const Problem problem = *parse_problem("--bia_dt=f32 --attr-post-ops=relu 13x4000:4000x70");
  cortex_message message;
  const Handle<cortex_problem> handle = problem_of(problem, &message);
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> a(13 * 4000), b(4000 * 70), bias(70), first;
  for (auto* values : {&a, &b, &bias}) {
    for (float& x : *values) x = uniform(random);
  }
  for (const int threads : {1, 2, 3, 5, 8}) {
    const Handle<cortex_thread_pool> pool = pool_of(threads);
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = threads;
    options.weights_handling = CORTEX_WEIGHTS_PLAIN;
    options.schedule = "k/800+@2 k/256 m/4 n/8 | brgemm_f32_f32_f32_4x8x1_baseline m=m n=n k=k";
    cortex_plan* raw = nullptr;
    ASSERT_EQ(cortex_plan_create(context.get(), handle.get(), &options, &raw, &message), CORTEX_OK)
        << message.text;
    const Handle<cortex_plan> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(raw, &info, nullptr);
    for (int round = 0; round < 20; ++round) {
      std::vector<float> c(13 * 70, NAN);
      AlignedBuffer scratch(static_cast<std::size_t>(info.scratch_bytes));
      cortex_execute_args args = cortex_execute_args_init();
      args.src = a.data(), args.src_bytes = info.src_bytes;
      args.weights = b.data(), args.weights_bytes = info.weights_bytes;
      args.bias = bias.data(), args.bias_bytes = info.bias_bytes;
      args.dst = c.data(), args.dst_bytes = info.dst_bytes;
      args.scratch = scratch.data(), args.scratch_bytes = info.scratch_bytes;
      args.pool = pool.get();
      ASSERT_EQ(cortex_plan_execute(raw, &args, &message), CORTEX_OK) << message.text;
      if (first.empty()) first = c;
      ASSERT_EQ(std::memcmp(c.data(), first.data(), c.size() * sizeof(float)), 0) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace cortex::testing
