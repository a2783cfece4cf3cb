#include "polyopt/search/search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "graph/lower/lower.h"
#include "graph/problem/problem.h"
#include "polyopt/schedule/program.h"
#include "polyopt/search/sample.h"
#include "polyopt/search/tiles.h"

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
                                         "conv_resnet50_mb1", "conv_resnet50_mb16",
                                         "conv_resnet50_polydl_mb1", "conv_vgg16_mb16", "conv_yolo9000_mb1",
                                         "matmul_dl"),
                         [](const auto& test) { return std::string(test.param); });

std::string chosen(const char* problem, bool prepacked) {
  const Nest nest = coalesce(*lower(*parse_problem(problem)));
  const Result<SearchResult> found = search(nest, test_machine(), {1, 1, prepacked});
  return found.ok() ? to_string(found->best[0].schedule, nest) : found.error().message;
}

TEST(Search, TakesRowsOfBWhereItLiesAndPanelsWherePacked) {
  for (const char* problem : {"1x1024:1024x1024", "1x1024:1024x4096", "1x4096:4096x4096"}) {
    EXPECT_NE(chosen(problem, false).find("_rows_"), std::string::npos) << chosen(problem, false);
    EXPECT_NE(chosen(problem, true).find("pack(B,panel,ahead)"), std::string::npos) << chosen(problem, true);
  }
}

TEST(Search, StreamsPanelsOfOneRowInOnePiece) {
  for (const char* problem : {"1x1024:1024x1024", "1x1024:1024x4096", "1x578:578x259", "1x4096:4096x4096"}) {
    const std::string schedule = chosen(problem, true);
    EXPECT_EQ(schedule.find("k/"), std::string::npos) << problem << ": " << schedule;
  }
}

TEST(Search, WritesWideRowsOfFewProductsAlongTheRows) {
  for (const char* problem : {"2048x32:32x4096", "3000x4:4x2048", "500x8:8x1500"}) {
    const std::string schedule = chosen(problem, true);
    const std::size_t loops = schedule.find('|'), rows = schedule.rfind("m/", loops);
    EXPECT_LT(rows, schedule.rfind("n/", loops)) << problem << ": " << schedule;
  }
}

TEST(Search, TakesFewColumnsAsDotProducts) {
  for (const char* problem : {"1024x1024:1024x2", "1024x1024:1024x5", "--wtag=ba 5x700:700x900"}) {
    EXPECT_NE(chosen(problem, false).find("_dots_"), std::string::npos) << chosen(problem, false);
  }
  EXPECT_NE(chosen("1024x1024:1024x2", true).find("pack(B,box,ahead)"), std::string::npos);
  EXPECT_EQ(chosen("1024x1024:1024x16", true).find("_dots_"), std::string::npos);
}

Nest coalesced(const std::string& text) {
  const Result<Problem> problem = parse_problem(text);
  EXPECT_TRUE(problem.ok()) << problem.error().message;
  const Result<Nest> nest = lower(*problem);
  EXPECT_TRUE(nest.ok()) << nest.error().message;
  return coalesce(*nest);
}

std::string chosen_on(Machine machine, const std::string& problem) {
  machine.vector_lanes = 16;
  const Nest nest = coalesced(problem);
  const Result<SearchResult> found = search(nest, machine, {1, 1, true});
  return found.ok() ? to_string(found->best[0].schedule, nest) : found.error().message;
}

// Zen 4: 28 vectors of sums to store keep the next tile waiting longer than A's loads for 20 take. Bytes are
// stored sooner, and two multiply-adds a cycle leave no time to wait for.
TEST(Search, LowerTilesWhereStoresKeepTheNextOneWaiting) {
  Machine zen4 = test_machine();
  zen4.fma_per_cycle = 1;
  const auto heights = [](const char* name, const Machine& machine, double c_bytes) {
    return tile_heights(*find_kernel(name), machine, c_bytes);
  };
  using Heights = std::vector<int64_t>;
  EXPECT_EQ(heights("brgemm_f32_f32_f32_7x64x1_avx512", zen4, 4), (Heights{7, 5}));
  EXPECT_EQ(heights("brgemm_f32_f32_f32_14x32x1_avx512", zen4, 4), (Heights{14, 10}));
  EXPECT_EQ(heights("brgemm_f32_f32_f32_7x64x1_avx512", test_machine(), 4), Heights{7});
  EXPECT_EQ(heights("brgemm_f32_f32_f32_6x16x1_avx2", zen4, 4), Heights{6});
  EXPECT_EQ(heights("brgemm_u8_s8_s32_7x64x4_avx512vnni", zen4, 1), Heights{7});
  EXPECT_EQ(heights("brgemm_u8_s8_s32_7x64x4_avx512vnni", zen4, 2), Heights{7});
  EXPECT_EQ(heights("brgemm_bf16_bf16_f32_7x64x2_avx512bf16", zen4, 2), (Heights{7, 6}));
  EXPECT_EQ(heights("brgemm_bf16_bf16_f32_14x32x2_avx512bf16", zen4, 2), (Heights{14, 12}));
  EXPECT_EQ(heights("brgemm_bf16_bf16_f32_8x48x2_avx512bf16", zen4, 2), Heights{8});
  EXPECT_EQ(heights("brgemm_bf16_bf16_f32_7x64x2_avx512bf16", test_machine(), 2), Heights{7});
  EXPECT_EQ(heights("brgemm_f32_f32_f32_1x256x1_avx512", zen4, 4), Heights{1});
  // Short sums, many tiles.
  const Result<Nest> nest = lower(*parse_problem("1440x64:64x64"));
  ASSERT_TRUE(nest.ok());
  const auto rows = [&](const Machine& machine) {
    const Nest coalesced = coalesce(*nest);
    const Result<Program> program =
        resolve(coalesced, search(coalesced, machine, {1, 1, true})->best.front().schedule);
    const ProgramKernel& k = program->kernel;
    return std::pair<int64_t, int64_t>(program->schedule.loops.back().step, k.nr);
  };
  const auto [lower_rows, columns] = rows(zen4);
  EXPECT_LE(lower_rows * columns / 16, 20) << lower_rows << "x" << columns;
  const auto [all_rows, all_columns] = rows(test_machine());
  EXPECT_GT(all_rows * all_columns / 16, 20) << all_rows << "x" << all_columns;
}

// Weights of 9 MB for 49 outputs: panels of a third of the window fit L2 beside the next one.
TEST(Search, CutsWindowsInRowsWhoseWeightsLieTogether) {
  Machine machine = test_machine(Isa::avx2);
  machine.caches[1].bytes = 512 << 10;
  machine.costs.tap_run = 40;
  const Nest nest = coalesced("mb1ic512ih7oc512oh7kh3ph1");
  const Result<SearchResult> found = search(nest, machine, {1, 1, true});
  ASSERT_TRUE(found.ok()) << found.error().message;
  const std::string best = to_string(found->best.front().schedule, nest);
  EXPECT_NE(best.find("kh/1"), std::string::npos) << best;
}

TEST(Search, TileRegistersTakeShortRowsInBands) {
  const Machine machine = test_machine(Isa::amx);
  const std::string wide = chosen_on(machine, "--dt=u8:s8:u8 mb1ic64ih56oc256oh56kh1ph0");
  EXPECT_NE(wide.find("_amx"), std::string::npos) << wide;
  EXPECT_EQ(wide.find("rows="), std::string::npos) << wide;
  for (const char* dt : {"u8:s8:u8", "bf16:bf16:bf16"}) {
    const std::string narrow = chosen_on(machine, fmt::format("--dt={} mb1ic512ih7oc512oh7kh3ph1", dt));
    EXPECT_NE(narrow.find("_amx"), std::string::npos) << narrow;
    EXPECT_NE(narrow.find("rows=oh"), std::string::npos) << narrow;
  }
  const std::string one_row = chosen_on(machine, "--dt=u8:s8:u8 1x1024:1024x1024");
  EXPECT_NE(one_row.find("_avx512vnni"), std::string::npos) << one_row;
  const std::string f32 = chosen_on(machine, "mb1ic64ih56oc256oh56kh1ph0");
  EXPECT_NE(f32.find("_avx512 "), std::string::npos) << f32;
}

// One product for each index of a batch looks like a window of one tap, but for units.
TEST(Search, ProductsOfOneUnitAreNoWindows) {
  const std::string schedule =
      chosen_on(test_machine(Isa::avx512vnni), "--dt=u8:s8:u8 --attr-oscale=per_oc 4x4x1x2:1x4x2x1");
  EXPECT_NE(schedule.find("brgemm_u8_s8_s32_"), std::string::npos) << schedule;
}

TEST(Search, WidensPairsWhereTheirProductsAreSlow) {
  Machine machine = test_machine(Isa::avx512bf16);
  const char* problem = "--dt=bf16:bf16:bf16 mb1ic64ih56oc256oh56kh1ph0";
  machine.bf16_dots_per_cycle = 2;
  EXPECT_NE(chosen_on(machine, problem).find("_avx512bf16"), std::string::npos);
  machine.bf16_dots_per_cycle = 0.5;
  EXPECT_NE(chosen_on(machine, problem).find("_avx512 "), std::string::npos);
}

TEST(Search, RandomProblemsGetLegalSchedules) {
  const unsigned seed = 20240612;
  std::mt19937 random(seed);
  const auto upto = [&](int most) { return 1 + static_cast<int>(random() % static_cast<unsigned>(most)); };
  for (int round = 0; round < 300; ++round) {
    std::string text;
    if (round % 3 == 0) {
      const int b = upto(3), m = upto(70), k = upto(200), n = upto(150);
      const char* layouts[] = {"", "--wtag=ba ", "--stag=ba ", "--stag=ba --wtag=ba "};
      text = b == 1 ? fmt::format("{}{}x{}:{}x{}", layouts[random() % 4], m, k, k, n)
                    : fmt::format("{}x{}x{}:{}x{}x{}", b, m, k, b, k, n);
    } else {
      const int kh = upto(3), kw = upto(3), s = upto(2), g = upto(3), ic = upto(20), oc = upto(40);
      const int h = kh + upto(15), w = kw + upto(15);
      const bool depthwise = round % 9 == 1;
      text = depthwise ? fmt::format("g{0}mb{1}ic{0}ih{2}iw{3}oc{0}kh{4}kw{5}sh{6}sw{6}ph1pw1", ic, upto(2),
                                     h, w, kh, kw, s)
                       : fmt::format("g{}mb{}ic{}ih{}iw{}oc{}kh{}kw{}sh{}sw{}ph{}pw{}", g, upto(3), g * ic, h,
                                     w, g * oc, kh, kw, s, s, upto(2) - 1, upto(2) - 1);
    }
    const Result<Problem> problem = parse_problem(text);
    ASSERT_TRUE(problem.ok()) << "seed " << seed << ": " << problem.error().message;
    SCOPED_TRACE(fmt::format("seed {} round {}: {}", seed, round, text));
    const Isa isa = round % 2 ? Isa::avx512 : round % 4 ? Isa::avx2 : Isa::baseline;
    expect_plans(*problem, test_machine(isa), {upto(4), 2, round % 5 != 0});
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Search, EqualInputsGiveEqualSchedules) {
  const Nest nest = coalesced("mb4ic64ih28oc96oh28kh3ph1");
  const Result<SearchResult> one = search(nest, test_machine(), {2, 5, true});
  const Result<SearchResult> two = search(nest, test_machine(), {2, 5, true});
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_EQ(one->best.size(), two->best.size());
  for (std::size_t i = 0; i < one->best.size(); ++i) {
    EXPECT_EQ(to_string(one->best[i].schedule, nest), to_string(two->best[i].schedule, nest));
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(to_string(one->best[i].schedule, nest), to_string(one->best[j].schedule, nest))
          << "kept twice";
    }
  }
}

TEST(Search, KeepingMoreDoesNotChangeTheBest) {
  const Nest nest = coalesced("512x512:512x512");
  const Result<SearchResult> one = search(nest, test_machine(), {1, 1, false});
  const Result<SearchResult> many = search(nest, test_machine(), {1, 20, false});
  ASSERT_TRUE(one.ok() && many.ok());
  EXPECT_EQ(many->best.size(), 20u);
  EXPECT_EQ(to_string(one->best[0].schedule, nest), to_string(many->best[0].schedule, nest));
}

TEST(Search, TinyProblemsGetNoLoopsAndFewVariants) {
  const Nest nest = coalesced("16x16:16x16");
  const Result<SearchResult> found = search(nest, test_machine(), {2, 1, false});
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->best[0].schedule.loops.empty()) << to_string(found->best[0].schedule, nest);
  EXPECT_TRUE(found->best[0].schedule.packs.empty());
  EXPECT_LT(found->variants_scored, 100);
}

TEST(Search, FewRowsReadBInPlace) {
  for (const char* text : {"10x256:256x1024", "1x1024:1024x1024"}) {
    const Nest nest = coalesced(text);
    const Result<SearchResult> found = search(nest, test_machine(), {1, 1, false});
    ASSERT_TRUE(found.ok());
    EXPECT_TRUE(found->best[0].schedule.packs.empty()) << to_string(found->best[0].schedule, nest);
  }
}

TEST(Search, ThreadsGetEvenShares) {
  const Nest nest = coalesced("mb16ic64ih56oc64oh56kh3ph1");
  const Result<SearchResult> found = search(nest, test_machine(), {4, 1, true});
  ASSERT_TRUE(found.ok());
  int grid = 1;
  for (const Loop& loop : found->best[0].schedule.loops) grid *= loop.threads;
  EXPECT_EQ(grid, 4) << to_string(found->best[0].schedule, nest);
}

// Threads share a reduction where C has too few elements to divide, and nowhere else.
TEST(Search, SplitsReductionsOfFewElements) {
  const auto splits = [](const char* text, int threads) {
    const Nest nest = coalesce(*lower(*parse_problem(text)));
    const Result<SearchResult> found = search(nest, test_machine(), {threads, 1, true});
    EXPECT_TRUE(found.ok()) << found.error().message;
    EXPECT_TRUE(resolve(nest, found->best[0].schedule).ok());
    const std::vector<Loop>& loops = found->best[0].schedule.loops;
    return std::any_of(loops.begin(), loops.end(), [](const Loop& loop) { return loop.split; });
  };
  EXPECT_TRUE(splits("7x65536:65536x64", 2));
  EXPECT_TRUE(splits("--bia_dt=f32 7x65536:65536x64", 4));
  EXPECT_FALSE(splits("7x65536:65536x64", 1));
  EXPECT_FALSE(splits("1024x1024:1024x1024", 2));
  EXPECT_FALSE(splits("7x64:64x64", 2));
  EXPECT_FALSE(splits("35x2048:2048x700", 2));
  EXPECT_FALSE(splits("mb1ic64ih56oc64oh56kh3ph1", 2));
}

TEST(Search, ScoresFewEnoughVariants) {
  // At a few million a second this keeps planning within tens of milliseconds.
  for (const char* text :
       {"2048x2048:2048x2048", "mb16ic512ih7oc512oh7kh3ph1", "mb16ic1024ih17oc28272oh17kh1ph0"}) {
    const Result<SearchResult> found = search(coalesced(text), test_machine(), {4, 1, false});
    ASSERT_TRUE(found.ok());
    EXPECT_LT(found->variants_scored, 60000) << text;
  }
}

void expect_refusal(const Nest& nest, const Machine& machine, const SearchOptions& options,
                    const char* part) {
  const Result<SearchResult> found = search(nest, machine, options);
  ASSERT_FALSE(found.ok()) << part;
  EXPECT_NE(found.error().message.find(part), std::string::npos) << found.error().message;
}

TEST(Search, RefusesWithReasons) {
  Nest nest = coalesced("64x64:64x64");
  expect_refusal(nest, test_machine(), {0, 1, true}, "0 threads");
  expect_refusal(nest, test_machine(), {1, 0, true}, "0 schedules to keep");
  expect_refusal(nest, Machine{}, {1, 1, true}, "no caches");
  nest[Operand::b].tensor.type = DataType::s8;
  expect_refusal(nest, test_machine(), {1, 1, true}, "no microkernel multiplies f32 by s8 into f32");
}

TEST(Sample, SchedulesAreLegalDistinctAndReproducible) {
  for (const char* text : {"mb1ic64ih28oc128oh28kh3ph1", "g4mb2ic16ih9oc24oh9kh3ph1", "300x200:200x500",
                           "g8mb1ic8ih14oc8oh14kh3ph1"}) {
    const Nest nest = coalesced(text);
    for (const bool prepacked : {true, false}) {
      const SearchOptions options{4, 1, prepacked};
      const auto schedules = sample_schedules(nest, test_machine(), options, 100, 7);
      ASSERT_TRUE(schedules.ok()) << schedules.error().message;
      std::set<std::string> texts, kernels;
      for (const Schedule& s : *schedules) {
        EXPECT_TRUE(resolve(nest, s).ok()) << to_string(s, nest);
        texts.insert(to_string(s, nest));
        kernels.insert(s.tile.kernel);
        for (const Pack& p : s.packs) EXPECT_TRUE(prepacked || !p.ahead_of_time) << to_string(s, nest);
      }
      EXPECT_EQ(texts.size(), schedules->size()) << text;
      if (text[0] != 'g') {
        EXPECT_EQ(schedules->size(), 100u) << text;
        EXPECT_GE(kernels.size(), 3u) << text;
      }
      const auto again = sample_schedules(nest, test_machine(), options, 100, 7);
      EXPECT_EQ(to_string(again->back(), nest), to_string(schedules->back(), nest));
    }
  }
}

}  // namespace
}  // namespace cortex
