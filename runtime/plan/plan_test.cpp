// Plans as the library itself makes them: searched schedules, every layout, every ISA, several threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "graph/lower/lower.h"
#include "polyopt/schedule/kernel_key.h"
#include "polyopt/schedule/program.h"
#include "runtime/interpreter/interpreter.h"
#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_problem.h"
#include "support/cpu.h"
#include "support/fnv.h"
#include "support/testing/seed.h"

namespace cortex::testing {
namespace {

class PlanOnIsa : public ::testing::TestWithParam<Isa> {};

TEST_P(PlanOnIsa, RandomProblems) {
  if (!supports(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  const uint64_t seed = seed_from_environment(20240602);
  SCOPED_TRACE(fmt::format("CORTEX_TEST_SEED={}", seed));
  const Handle<cortex_context> context = context_for(isa_name(GetParam()));
  ASSERT_TRUE(context);
  const Handle<cortex_thread_pool> pool = pool_of(2);
  double worst = 0;
  for (uint64_t i = 0; i < 150; ++i) {
    Random random(seed + i);
    const Problem problem = i % 2 ? random_conv(random) : random_matmul(random);
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = static_cast<int32_t>(pick(random, 1, 4));
    options.weights_handling = static_cast<int32_t>(pick(random, 0, 1));
    random_layouts(problem, CORTEX_LAYOUT_NATIVE, random, options);
    const Outcome outcome =
        check_plan(context.get(), problem, options, pick(random, 0, 3) ? pool.get() : nullptr, seed + i,
                   problem.epilogue.residual && pick(random, 0, 1));
    ASSERT_TRUE(outcome.ok()) << "case " << i << ": " << outcome.failure;
    worst = std::max(worst, outcome.error_ratio);
  }
  fmt::print("{}: largest error ratio {:.3f}\n", isa_name(GetParam()), worst);
}

INSTANTIATE_TEST_SUITE_P(Isas, PlanOnIsa, ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512),
                         [](const auto& p) { return std::string(isa_name(p.param)); });

// One bias value, four products that share A: their dim is adjacent in B and C like columns, but is none.
TEST(Plan, BatchIsNoColumnOfABiasedMatmul) {
  const Handle<cortex_context> context = context_for(nullptr);
  for (const char* text :
       {"--bia_dt=f32 1x1x20:4x20x1", "--bia_dt=f32 1x1x20:4x20x16", "--bia_dt=f32 4x3x20:4x20x1"}) {
    const Outcome outcome =
        check_plan(context.get(), *parse_problem(text), cortex_plan_options_init(), nullptr, 1);
    EXPECT_TRUE(outcome.ok()) << outcome.failure;
  }
}

// A "generated" library of one kernel; its function is the interpreter, counted.
struct OneKernel {
  inline static std::optional<Interpreter> code;
  inline static std::atomic<int> calls{0};
  static void run(const cortex_kernel_call* call) {
    ++calls;
    code->run(*call);
  }

  std::string key, text, schedule;
  cortex_kernel_entry entry{};
  int32_t table[2] = {-1, -1};
  cortex_kernel_library library{};

  OneKernel(const Problem& problem, const std::string& schedule_text, Isa isa, int threads)
      : key(kernel_table_key(problem, true)), text(to_string(problem)), schedule(schedule_text) {
    const Nest nest = coalesce(*lower(problem));
    const Program program = *resolve(nest, *parse_schedule(schedule, nest));
    code = *Interpreter::compile(program, isa);
    calls = 0;
    entry.key = key.c_str();
    entry.problem = text.c_str();
    entry.isa = isa_name(isa);
    entry.threads = threads;
    entry.schedule = schedule.c_str();
    entry.run = run;
    entry.scratch_bytes = program.scratch_bytes;
    entry.packed_weights_bytes = program.packed_weights_bytes;
    entry.predicted_seconds = 0.125;
    entry.hash = kernel_entry_hash(key, entry.isa, threads);
    table[entry.hash % 2] = 0;
    library = {CORTEX_KERNEL_LIBRARY_ABI, "one_kernel", "by hand", 1, &entry, 2, table};
  }
};

class PlanWithLibrary : public ::testing::Test {
 protected:
  const Isa isa_ = Isa::baseline;
  const Handle<cortex_context> context_ = context_for("baseline");
  const Problem problem_ = *parse_problem("--bia_dt=f32 --attr-post-ops=relu mb1ic20ih9oc24oh9kh3ph1");
  const std::string schedule_ =
      "oh/2@2 pack(A,box) oh/1 ow/4 oc/8 | brgemm_f32_f32_f32_4x8x1_baseline m=ow n=oc k=kw_ic batch=kh "
      "pack(B,panel,ahead)";

  cortex_plan_info create(const cortex_plan_options& options, cortex_status expected = CORTEX_OK) {
    cortex_message message;
    const Handle<cortex_problem> problem = problem_of(problem_, &message);
    cortex_plan* plan = nullptr;
    EXPECT_EQ(cortex_plan_create(context_.get(), problem.get(), &options, &plan, &message), expected)
        << message.text;
    plan_.reset(plan);
    cortex_plan_info info = cortex_plan_info_init();
    if (plan) cortex_plan_query(plan, &info, nullptr);
    return info;
  }
  Handle<cortex_plan> plan_;
};

TEST_F(PlanWithLibrary, GeneratedKernelRunsOnEveryTask) {
  const OneKernel made(problem_, schedule_, isa_, 2);
  ASSERT_EQ(cortex_context_add_library(context_.get(), &made.library, nullptr), CORTEX_OK);
  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 2;
  const cortex_plan_info info = create(options);
  EXPECT_EQ(info.generated, 1);
  EXPECT_EQ(info.tasks, 2);
  EXPECT_EQ(info.predicted_seconds, 0.125);
  EXPECT_EQ(cortex_plan_kernel(plan_.get()), &made.entry);
  const Handle<cortex_thread_pool> pool = pool_of(2);
  options.src_layout = options.dst_layout = CORTEX_LAYOUT_NCHW;
  const Outcome outcome = check_plan(context_.get(), problem_, options, pool.get(), 7);
  EXPECT_TRUE(outcome.ok()) << outcome.failure;
  EXPECT_EQ(OneKernel::calls.load(), 2 * 2);  // check_plan executes twice
}

TEST_F(PlanWithLibrary, InterpreterTakesTheSameSchedule) {
  const OneKernel made(problem_, schedule_, isa_, 2);
  ASSERT_EQ(cortex_context_add_library(context_.get(), &made.library, nullptr), CORTEX_OK);
  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 2;
  options.kernel = CORTEX_KERNEL_INTERPRETED;
  const cortex_plan_info info = create(options);
  EXPECT_EQ(info.generated, 0);
  const Nest nest = coalesce(*lower(problem_));
  EXPECT_EQ(info.schedule, to_string(*parse_schedule(schedule_, nest), nest));
}

TEST_F(PlanWithLibrary, OtherThreadCountsOnlyOnRequest) {
  const OneKernel made(problem_, schedule_, isa_, 2);
  ASSERT_EQ(cortex_context_add_library(context_.get(), &made.library, nullptr), CORTEX_OK);
  cortex_plan_options options = cortex_plan_options_init();
  EXPECT_EQ(create(options).generated, 0);
  options.kernel = CORTEX_KERNEL_GENERATED;
  const cortex_plan_info info = create(options);
  EXPECT_EQ(info.generated, 1);
  EXPECT_EQ(info.tasks, 1);
  options.weights_handling = CORTEX_WEIGHTS_PLAIN;
  create(options, CORTEX_NOT_FOUND);
}

TEST_F(PlanWithLibrary, InconsistentPackingIsRefused) {
  OneKernel made(problem_, schedule_, isa_, 1);
  made.entry.packed_weights_bytes += 64;
  ASSERT_EQ(cortex_context_add_library(context_.get(), &made.library, nullptr), CORTEX_OK);
  create(cortex_plan_options_init(), CORTEX_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace cortex::testing
