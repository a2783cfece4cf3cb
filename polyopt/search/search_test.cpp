#include "polyopt/search/search.h"

#include <gtest/gtest.h>

#include "graph/lower/lower.h"
#include "graph/problem/problem.h"
#include "polyopt/schedule/program.h"

namespace cortex {
namespace {

Machine test_machine(Isa isa = Isa::avx512) {
  Machine m;
  m.name = "test";
  m.isa = isa;
  m.cores = 4;
  m.ghz = 4;
  m.fma_per_cycle = 2;
  m.vector_lanes = isa == Isa::avx512 ? 16 : isa == Isa::avx2 ? 8 : 4;
  m.caches = {{"L1", 48 << 10, 64, 12, 1, 128, 64, 4},
              {"L2", 1 << 20, 64, 16, 1, 36, 20, 14},
              {"L3", 32 << 20, 64, 16, 4, 14, 9, 50}};
  m.memory_read_bytes_per_cycle = 7;
  m.memory_write_bytes_per_cycle = 4.5;
  m.memory_bytes_per_cycle_all = 14;
  return m;
}

void expect_plans(const Problem& problem, const Machine& machine, SearchOptions options) {
  const Result<Nest> nest = lower(problem);
  ASSERT_TRUE(nest.ok()) << problem.text << ": " << nest.error().message;
  const Nest coalesced = coalesce(*nest);
  const Result<SearchResult> found = search(coalesced, machine, options);
  ASSERT_TRUE(found.ok()) << problem.text << ": " << found.error().message;
  ASSERT_FALSE(found->best.empty()) << problem.text;
  double before = 0;
  for (const Candidate& c : found->best) {
    const Result<Program> program = resolve(coalesced, c.schedule);
    ASSERT_TRUE(program.ok()) << problem.text << ": " << to_string(c.schedule, coalesced) << ": "
                              << program.error().message;
    EXPECT_GE(c.prediction.cycles, before);
    EXPECT_GT(c.prediction.kernel_cycles, 0);
    before = c.prediction.cycles;
  }
}

class Workload : public testing::TestWithParam<const char*> {};

TEST_P(Workload, EveryProblemGetsLegalSchedules) {
  const Result<std::vector<Problem>> problems =
      read_batch(std::string(CORTEX_WORKLOADS) + "/" + GetParam() + ".txt");
  ASSERT_TRUE(problems.ok()) << problems.error().message;
  for (const Problem& problem : *problems) {
    expect_plans(problem, test_machine(), {1, 3, true});
    expect_plans(problem, test_machine(), {2, 1, false});
    expect_plans(problem, test_machine(Isa::avx2), {1, 1, true});
    expect_plans(problem, test_machine(Isa::baseline), {4, 1, true});
  }
}

INSTANTIATE_TEST_SUITE_P(All, Workload,
                         testing::Values("conv_alexnet_mb1", "conv_mobilenetv2_mb1", "conv_resnet18_mb1",
                                         "conv_resnet50_mb1", "conv_resnet50_mb16", "conv_resnet50_polydl_mb1",
                                         "conv_vgg16_mb16", "conv_yolo9000_mb1", "matmul_dl"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace cortex
