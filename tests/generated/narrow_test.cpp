// Kernels of bf16 and 8-bit integers, generated and interpreted, against the reference and each other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "narrow_kernels.h"
#include "runtime/testing/narrow_plan.h"

namespace cortex::testing {
namespace {

class NarrowKernels : public ::testing::TestWithParam<const char*> {};

TEST_P(NarrowKernels, MatchTheReferenceAndTheInterpreter) {
  if (!supports(*parse_isa(GetParam()))) GTEST_SKIP() << "this CPU has no " << GetParam();
  const auto context = context_for(GetParam());
  const cortex_kernel_library* const library = narrow_kernels();
  cortex_message message;
  ASSERT_EQ(cortex_context_add_library(context.get(), library, &message), CORTEX_OK) << message.text;
  int ran = 0;
  for (int32_t i = 0; i < library->count; ++i) {
    const cortex_kernel_entry& entry = library->entries[i];
    if (std::string_view(entry.isa) != GetParam()) continue;
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = entry.threads;
    const auto pool = pool_of(entry.threads);
    std::vector<char> results[2];
    for (const bool interpreted : {false, true}) {
      options.kernel = interpreted ? CORTEX_KERNEL_INTERPRETED : CORTEX_KERNEL_GENERATED;
      Narrow narrow(entry.problem, options);  // the same operands each time
      std::string failure;
      results[interpreted] = narrow.run(context.get(), pool.get(), failure);
      EXPECT_EQ(failure, "") << entry.problem << ": " << entry.schedule;
      EXPECT_FALSE(results[interpreted].empty()) << entry.problem;
    }
    EXPECT_EQ(results[0], results[1]) << entry.problem << ": " << entry.schedule;
    ++ran;
  }
  EXPECT_EQ(ran, 8);
}

INSTANTIATE_TEST_SUITE_P(Levels, NarrowKernels,
                         ::testing::Values("amx", "avx512bf16", "avx512vnni", "avx2vnni", "avx2"),
                         [](const auto& level) { return std::string(level.param); });

}  // namespace
}  // namespace cortex::testing
