// Plans as the library itself makes them: searched schedules, every layout, every ISA, several threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_problem.h"
#include "support/cpu.h"

namespace cortex::testing {
namespace {

uint64_t seed_from_environment() {
  const char* text = std::getenv("CORTEX_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 20240602;
}

class PlanOnIsa : public ::testing::TestWithParam<Isa> {};

TEST_P(PlanOnIsa, RandomProblems) {
  if (GetParam() > detected_isa()) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  const uint64_t seed = seed_from_environment();
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
    if (problem.is_conv()) {
      options.src_layout = static_cast<int32_t>(pick(random, 0, 2));
      options.dst_layout = static_cast<int32_t>(pick(random, 0, 2));
      options.weights_layout = static_cast<int32_t>(pick(random, 0, 3));
    } else if (pick(random, 0, 1)) {
      options.weights_layout = static_cast<int32_t>(pick(random, CORTEX_WEIGHTS_KN, CORTEX_WEIGHTS_NK));
    }
    const Outcome outcome = check_plan(context.get(), problem, options, pick(random, 0, 3) ? pool.get() : nullptr,
                                       seed + i, problem.epilogue.residual && pick(random, 0, 1));
    ASSERT_TRUE(outcome.ok()) << "case " << i << ": " << outcome.failure;
    worst = std::max(worst, outcome.error_ratio);
  }
  fmt::print("{}: largest error ratio {:.3f}\n", isa_name(GetParam()), worst);
}

INSTANTIATE_TEST_SUITE_P(Isas, PlanOnIsa, ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512),
                         [](const auto& p) { return std::string(isa_name(p.param)); });

}  // namespace
}  // namespace cortex::testing
