#include "bench/rank/learn.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bench/rank/variants.h"

namespace cortex::bench {
namespace {

// Variants of real problems, "measured" by a law the model does not know: kernels of 32 columns, with AVX2
// those of 16, take `penalty` times what the model says, all others what it says.
std::vector<Ranking> records(const Machine& machine, double penalty) {
  std::vector<Ranking> all;
  for (const char* line : {"64x64:64x64", "128x96:96x200", "200x300:300x64", "50x512:512x256",
                           "256x128:128x96", "mb1ic32ih20oc48oh20kh3ph1", "mb1ic64ih28oc64oh28kh1ph0"}) {
    const Result<Problem> problem = parse_problem(line);
    EXPECT_TRUE(problem.ok());
    Result<Ranking> ranking = choose_variants(*problem, machine, {.threads = 1, .drawn = 120});
    EXPECT_TRUE(ranking.ok());
    for (Variant& v : ranking->variants) {
      const bool narrow =
          v.schedule.find("x32x1_") != std::string::npos || v.schedule.find("_6x16x1_") != std::string::npos;
      v.ns = v.prediction.seconds * 1e9 * (narrow ? penalty : 1);
      v.samples = 3;
    }
    choose_again(*ranking);
    all.push_back(std::move(*ranking));
  }
  return all;
}

TEST(Learn, FindsWhatTheModelMissesOnShapesItHasNotSeen) {
  const Machine machine = host_machine(Isa::avx512);
  const Result<Learned> learned = learn(records(machine, 1.5), machine, nullptr);
  ASSERT_TRUE(learned.ok());
  EXPECT_GT(learned->learned.mean.pairwise_accuracy, learned->analytic.mean.pairwise_accuracy + 0.02);
  EXPECT_LT(learned->learned.mean.error, 0.5 * learned->analytic.mean.error);
}

TEST(Learn, DoesNotReplaceAModelThatIsRight) {
  const Machine machine = host_machine(Isa::avx512);
  const Result<Learned> learned = learn(records(machine, 1), machine, nullptr);
  ASSERT_TRUE(learned.ok());
  EXPECT_FALSE(learned->better());
}

TEST(Learn, NeedsAShapeToHoldOut) {
  const Machine machine = host_machine(Isa::avx512);
  std::vector<Ranking> one = records(machine, 1);
  one.resize(1);
  const Result<Learned> learned = learn(one, machine, nullptr);
  ASSERT_FALSE(learned.ok());
  EXPECT_NE(learned.error().message.find("1 shape"), std::string::npos) << learned.error().message;
}

}  // namespace
}  // namespace cortex::bench
