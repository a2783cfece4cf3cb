// Every kernel of the two libraries, through the C API, against the reference.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/problem/problem.h"
#include "listed_kernels.h"
#include "polyopt/schedule/kernel_key.h"
#include "random_kernels.h"
#include "runtime/testing/check_plan.h"
#include "support/cpu.h"

namespace cortex {
namespace {

// One test per library and ISA, so that an ISA this CPU lacks shows as skipped.
void run_all(const cortex_kernel_library* library, const char* isa_text) {
  if (!supports(*parse_isa(isa_text))) GTEST_SKIP() << "this CPU has no " << isa_text;
  const auto context = testing::context_for(isa_text);
  cortex_message message;
  ASSERT_EQ(cortex_context_add_library(context.get(), library, &message), CORTEX_OK) << message.text;
  int ran = 0;
  double worst = 0;
  for (int32_t i = 0; i < library->count; ++i) {
    const cortex_kernel_entry& entry = library->entries[i];
    if (std::string_view(entry.isa) != isa_text) continue;
    const Result<Problem> problem = parse_problem(entry.problem);
    ASSERT_TRUE(problem.ok()) << entry.problem << ": " << problem.error().message;
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = entry.threads;
    options.kernel = CORTEX_KERNEL_GENERATED;
    const bool plain = std::string_view(entry.key).ends_with("|plain");
    EXPECT_EQ(entry.key, kernel_table_key(*problem, !plain));
    if (plain) {
      options.weights_handling = CORTEX_WEIGHTS_PLAIN;
      if (problem->is_conv()) options.weights_layout = CORTEX_WEIGHTS_GHWIO;
    }
    const auto pool = testing::pool_of(entry.threads);
    const uint64_t seed = entry.hash;  // of the operands
    for (const bool in_place : {false, true}) {
      if (in_place && !problem->epilogue.residual) continue;
      const testing::Outcome outcome =
          testing::check_plan(context.get(), *problem, options, pool.get(), seed, in_place);
      EXPECT_TRUE(outcome.ok()) << entry.isa << ", " << entry.threads << " threads, seed " << seed << ": "
                                << outcome.failure;
      worst = std::max(worst, outcome.error_ratio);
    }
    ++ran;
  }
  fmt::print("{} kernels, largest error over tolerance {:.3f}\n", ran, worst);
  EXPECT_GT(ran, 5);
}

TEST(ListedKernels, Avx512) { run_all(listed_kernels(), "avx512"); }
TEST(ListedKernels, Avx2) { run_all(listed_kernels(), "avx2"); }
TEST(ListedKernels, Baseline) { run_all(listed_kernels(), "baseline"); }
TEST(RandomKernels, Avx512) { run_all(random_kernels(), "avx512"); }
TEST(RandomKernels, Avx2) { run_all(random_kernels(), "avx2"); }
TEST(RandomKernels, Baseline) { run_all(random_kernels(), "baseline"); }

}  // namespace
}  // namespace cortex
