// What the model takes C for against what resolve() makes of it.
#include "polyopt/model/far_c.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/lower/lower.h"
#include "graph/problem/problem.h"
#include "polyopt/schedule/program.h"

namespace cortex {
namespace {

FarC seen(const char* problem, const std::string& text) {
  SCOPED_TRACE(fmt::format("{}: {}", problem, text));
  const Result<Problem> parsed = parse_problem(problem);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  const Nest nest = coalesce(*lower(*parsed));
  const Result<Schedule> schedule = parse_schedule(text, nest);
  EXPECT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> program = resolve(nest, *schedule);
  EXPECT_TRUE(program.ok()) << program.error().message;
  const Result<NestFacts> facts = gather_facts(nest);
  PlanChains chains;
  const Result<LoopPlan> plan = to_plan(nest, *schedule, 1, chains);
  EXPECT_TRUE(facts.ok() && plan.ok());
  const FarC model = far_c(*facts, *plan, Walk(*facts, *plan));
  EXPECT_EQ(static_cast<int>(model), program->kernel.c_far);
  return model;
}

TEST(FarC, IsWhatResolveMakesOfIt) {
  const std::string wide = " | brgemm_f32_f32_f32_6x16x1_avx2 m=m n=n k=k";
  const std::string odd = " | brgemm_f32_f32_f32_4x24x1_avx2 m=m n=n k=k";
  EXPECT_EQ(seen("60000x27:27x48", "m/6~ n/16" + wide), FarC::no);           // 11 MB
  EXPECT_EQ(seen("80000x27:27x48", "m/6~ n/16" + wide), FarC::past_caches);  // 15 MB
  EXPECT_EQ(seen("80000x27:27x48", "m/4~ n/24" + odd), FarC::no);            // tiles end within lines
  EXPECT_EQ(seen("80000x27:27x52", "m/6~ n/16" + wide), FarC::no);           // so do rows
  EXPECT_EQ(seen("80000x27:27x48", "k/9 m/6~ n/16" + wide), FarC::no);       // sums come back
  EXPECT_EQ(seen("--attr-post-ops=sum 80000x27:27x48", "m/6~ n/16" + wide), FarC::no);
  EXPECT_EQ(seen("80000x48:48x48", "m/6~ n/16" + wide), FarC::no);  // long sums
  EXPECT_EQ(seen("80000x27:27x96", "m/6~ n/16" + wide), FarC::past_caches);
  EXPECT_EQ(seen("80000x48:48x96", "m/6~ n/16" + wide), FarC::asked_for);  // 29 MB
  EXPECT_EQ(seen("80000x27:27x96", "k/9 m/6~ n/16" + wide), FarC::asked_for);
  const std::string window = " | brgemm_f32_f32_f32_6x16x1_avx2 m=ow n=oc k=kw_ic batch=kh";
  EXPECT_EQ(seen("mb1ic3ih224oc64oh224kh3ph1", "oh/1 pack(A,box) oc/16 ow/6~" + window), FarC::past_caches);
  EXPECT_EQ(seen("mb1ic8ih224oc64oh224kh3ph1", "oh/1 pack(A,box) oc/16 ow/6~" + window), FarC::no);
}

}  // namespace
}  // namespace cortex
