#include "polyopt/schedule/loop_string.h"

#include <gtest/gtest.h>

#include <random>

#include "graph/lower/lower.h"
#include "polyopt/search/search.h"

namespace cortex {
namespace {

Nest nest_of(const std::string& line) {
  const Result<Problem> problem = parse_problem(line);
  EXPECT_TRUE(problem) << (problem ? "" : problem.error().message);
  const Result<Nest> nest = lower(*problem);
  EXPECT_TRUE(nest) << (nest ? "" : nest.error().message);
  return coalesce(*nest);
}

const std::string tail = " | brgemm_f32_f32_f32_7x64x1_avx512 m=a n=b k=c";

TEST(LoopString, SaysWhatTheOtherFormSays) {
  const Nest nest = nest_of("100x300:300x200");
  EXPECT_EQ(loop_letters(nest), "a=m b=n c=k");
  const std::string usual =
      "m/50@2 k/128 pack(B,panel) n/64 m/6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k";
  const std::string letters = "A{R:2}cba a=50,6~ b=64 c=128 pack(B,panel)@2" + tail;
  const Result<Schedule> schedule = parse_schedule(usual, nest);
  ASSERT_TRUE(schedule) << schedule.error().message;
  EXPECT_EQ(to_loop_string(*schedule, nest), letters);
  const Result<Schedule> back = parse_schedule(letters, nest);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_string(*back, nest), usual);
}

TEST(LoopString, GridsNameRowsAndColumns) {
  const Nest nest = nest_of("100x300:300x200");
  const Result<Schedule> schedule = parse_schedule("A{R:2}B{C:3}cba a=50,6 b=100,50 c=128" + tail, nest);
  ASSERT_TRUE(schedule) << schedule.error().message;
  EXPECT_EQ(schedule->loops[0].threads, 2);
  EXPECT_EQ(schedule->loops[1].threads, 3);
  EXPECT_TRUE(schedule->loops[1].parallel);
  EXPECT_FALSE(schedule->loops[2].parallel);
  // A capital alone is parallel with no grid of its own.
  const Result<Schedule> bare = parse_schedule("AB a=50 b=100" + tail, nest);
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_TRUE(bare->loops[0].parallel);
  EXPECT_EQ(bare->loops[0].threads, 1);
}

TEST(LoopString, LeftOutSizesAreSteps) {
  const Nest nest = nest_of("mb1ic64ih58oc64oh56kh3ph0");
  const Result<Schedule> schedule = parse_schedule(
      "Ab b=6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=b n=c k=e batch=d pack(B,panel,ahead)", nest);
  ASSERT_TRUE(schedule) << schedule.error().message;
  EXPECT_EQ(schedule->loops[0].step, 1);
  EXPECT_EQ(to_string(*schedule, nest),
            "oh/1@1 ow/6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=ow n=oc k=kw_ic batch=kh pack(B,panel,ahead)");
  const Result<Schedule> none = parse_schedule("- | kernel", nest);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(to_loop_string(*none, nest), "- | kernel");
}

TEST(LoopString, NamesWhatItRefuses) {
  const Nest nest = nest_of("100x300:300x200");
  const std::pair<const char*, const char*> cases[] = {
      {"z a=4", "no dim has the letter \"z\": in nest matmul, a=m b=n c=k"},
      {"a{R:2} a=4", "stands after a capital"},
      {"A{C:2} a=4", "expected {R:n}"},
      {"A{R:0} a=4", "not a number from 1 to 65536"},
      {"A{R:2 a=4", "no closing brace"},
      {"aba a=4 b=2", "1 tile sizes for 2 loops over a (m)"},
      {"aba b=2", "2 loops over m and no tile sizes"},
      {"ab a=0 b=2", "not a positive number"},
      {"ab a=4x b=2", "numbers with commas"},
      {"ab a=4 a=4", "given twice"},
      {"ab q=4", "expected tile sizes"},
      {"ab pack(B,panel)", "say where"},
      {"ab pack(B,panel)@3", "not a number from 0 to 2"},
      {"ab pack(B,panel,ahead)", "stands inside no loop: write it after the kernel"},
      {"ab pack(B,panel,ahead)@1", "stands inside no loop: write it after the kernel"},
      {"ab pack(A,box)", "say where: pack(A,box)@2 stands inside two loops"},
      {"pack(A,box)@0 m/6 n/64",
       "a depth is for packs among the letters and sizes of a loop string: drop \"@0\""},
      {"ab pack(C,box)@1", "only A and B"},
  };
  for (const auto& [text, reason] : cases) {
    const Result<Schedule> schedule = parse_schedule(text + tail, nest);
    ASSERT_FALSE(schedule) << text;
    EXPECT_NE(schedule.error().message.find(reason), std::string::npos)
        << text << ": " << schedule.error().message;
    EXPECT_EQ(schedule.error().message.rfind("schedule", 0), 0u) << schedule.error().message;
  }
  const Result<Schedule> behind = parse_schedule("ab a=4" + tail + " pack(B,panel,ahead)@0", nest);
  ASSERT_FALSE(behind);
  EXPECT_NE(behind.error().message.find("drop \"@0\""), std::string::npos) << behind.error().message;
  EXPECT_FALSE(parse_schedule("ab a=4", nest));
  EXPECT_FALSE(parse_schedule("ab a=4 | kernel m=z", nest));
  EXPECT_FALSE(parse_schedule("ab a=4 | kernel m=m", nest)) << "roles are letters here";
}

// PARLOOPER leaves a wrong capital to be a silent race.
TEST(LoopString, AParallelReductionIsRefusedWithItsDependence) {
  const Nest nest = nest_of("100x300:300x200");
  const Result<Schedule> schedule = parse_schedule("Cab a=6 b=64 c=128" + tail, nest);
  ASSERT_TRUE(schedule) << schedule.error().message;
  const Status status = check(*schedule, nest);
  ASSERT_FALSE(status);
  EXPECT_EQ(
      status.error().message,
      "schedule of matmul: parallel loop k: RAW on dst: S[m=0,n=0,k=0] -> S[m=0,n=0,k=128] would race: make "
      "k sequential or split the reduction (k/128+)");
}

TEST(LoopString, RandomSchedulesRoundTrip) {
  const unsigned seed = 5;
  std::mt19937 random(seed);
  const auto pick = [&](int lo, int hi) { return std::uniform_int_distribution<int>(lo, hi)(random); };
  const Nest nest = nest_of("g2mb2ic64ih56oc64oh56kh3ph1");
  const int dims = static_cast<int>(nest.dims.size());
  for (int round = 0; round < 500; ++round) {
    Schedule schedule;
    for (int n = pick(0, 8); n > 0; --n) {
      Loop loop{
          .dim = pick(0, dims - 1), .step = pick(1, 4) == 1 ? 1 : pick(1, 64), .balanced = pick(0, 1) == 1};
      loop.parallel = pick(0, 1) == 1;
      const auto grids = std::count_if(schedule.loops.begin(), schedule.loops.end(),
                                       [](const Loop& l) { return l.threads > 1; });
      if (loop.parallel && grids < 4) loop.threads = pick(1, 3);
      schedule.loops.push_back(loop);
    }
    if (pick(0, 1) == 1) {
      schedule.packs.push_back(
          {Operand::a, pick(0, static_cast<int>(schedule.loops.size())), PackForm::box, pick(0, 16)});
    }
    if (pick(0, 1) == 1) schedule.packs.push_back({Operand::b, 0, PackForm::panel, 0, true});
    schedule.tile = {"kernel",           pick(-1, dims - 1), pick(-1, dims - 1),
                     pick(-1, dims - 1), pick(-1, dims - 1), {}};
    for (int n = pick(0, 2); n > 0; --n) schedule.tile.batch_dims.push_back(pick(0, dims - 1));
    const std::string text = to_loop_string(schedule, nest);
    const Result<Schedule> back = parse_schedule(text, nest);
    ASSERT_TRUE(back) << "seed " << seed << " round " << round << ": " << text << ": "
                      << back.error().message;
    ASSERT_EQ(to_string(*back, nest), to_string(schedule, nest)) << "seed " << seed << ": " << text;
  }
}

TEST(LoopString, WhatSearchFindsRoundTrips) {
  const Machine machine = host_machine(Isa::avx2);
  for (const char* line :
       {"mb1ic64ih56oc64oh56kh3ph1", "mb16ic3ih224oc64oh112kh7sh2ph3", "g32mb1ic32ih112oc32oh56kh3sh2ph1",
        "g4mb2ic64ih14oc128oh14kh3ph1", "128x768:768x3072", "4x64x32:4x32x48"}) {
    const Nest nest = nest_of(line);
    const Result<SearchResult> found = search(nest, machine, {.threads = 2, .keep = 8});
    ASSERT_TRUE(found) << line << ": " << found.error().message;
    for (const Candidate& c : found->best) {
      const std::string text = to_loop_string(c.schedule, nest);
      const Result<Schedule> back = parse_schedule(text, nest);
      ASSERT_TRUE(back) << text << ": " << back.error().message;
      EXPECT_EQ(to_string(*back, nest), to_string(c.schedule, nest)) << text;
    }
  }
}

}  // namespace
}  // namespace cortex
