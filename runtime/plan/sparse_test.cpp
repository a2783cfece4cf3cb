// Plans that rely on zeros: every structure, layout, ISA, several threads, under guard pages.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <fstream>

#include "polyopt/machine/machine.h"
#include "runtime/testing/check_plan.h"
#include "runtime/testing/random_problem.h"
#include "support/cpu.h"
#include "support/testing/seed.h"

namespace cortex::testing {
namespace {

// 1 where a weight may differ from zero.
std::vector<float> random_zeros(int64_t count, Random& random) {
  std::vector<float> kept(static_cast<std::size_t>(count));
  const int64_t percent = pick(random, 0, 3) ? pick(random, 5, 95) : pick(random, 0, 1) * 100;
  for (float& k : kept) k = pick(random, 1, 100) <= percent ? 1.0f : 0.0f;
  return kept;
}

class SparseOnIsa : public ::testing::TestWithParam<Isa> {};

TEST_P(SparseOnIsa, RandomProblems) {
  if (!supports(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  const uint64_t seed = seed_from_environment(20240603);
  SCOPED_TRACE(fmt::format("CORTEX_TEST_SEED={}", seed));
  const Handle<cortex_context> context = context_for(isa_name(GetParam()));
  ASSERT_TRUE(context);
  const Handle<cortex_thread_pool> pool = pool_of(2);
  double worst = 0;
  int run = 0;
  for (uint64_t i = 0; run < 150; ++i) {
    Random random(seed + i);
    const Problem problem = i % 3 ? random_conv(random) : random_matmul(random);
    if (problem.is_conv() ? problem.conv().g != 1 : problem.matmul().batch_a != problem.matmul().batch_b)
      continue;
    if (problem.is_matmul() && weights_elements(problem) != problem.matmul().k * problem.matmul().n) continue;
    ++run;
    const std::vector<float> kept = random_zeros(weights_elements(problem), random);
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = static_cast<int32_t>(pick(random, 1, 4));
    options.sparse_weights = kept.data();
    const int32_t shares[] = {0, 1, 2, 4, CORTEX_SPARSE_PATTERNS, CORTEX_SPARSE_BITMAP};
    options.sparse_share = shares[pick(random, 0, problem.is_matmul() ? 5 : 4)];
    random_layouts(problem, CORTEX_LAYOUT_NATIVE, random, options);
    const Outcome outcome =
        check_plan(context.get(), problem, options, pick(random, 0, 3) ? pool.get() : nullptr, seed + i,
                   problem.epilogue.residual && pick(random, 0, 1));
    ASSERT_TRUE(outcome.ok()) << "case " << i << ": " << outcome.failure;
    worst = std::max(worst, outcome.error_ratio);
  }
  fmt::print("{}: largest error ratio {:.3f}\n", isa_name(GetParam()), worst);
}

// Long reductions come in blocks; tiles reach over images; windows have strides and gaps.
TEST_P(SparseOnIsa, LargerOnes) {
  if (!supports(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  const Handle<cortex_context> context = context_for(isa_name(GetParam()));
  for (const char* line :
       {"mb3ic70ih7oc37oh7kh3ph1", "--attr-post-ops=sum+relu mb2ic33ih15oc18oh8kh3sh2ph1",
        "mb1ic3ih40oc9oh20kh7sh2ph3", "mb2ic40ih9oc8oh9kh5ph4dh1", "mb1ic300ih14oc12oh14kh1ph0",
        "--attr-post-ops=gelu_tanh 50x700:700x33", "mb4ic16ih8oc7oh3kh3sh3ph1", "mb16ic20ih14oc9oh14kh3ph1",
        "--attr-post-ops=sum+relu mb32ic17ih14oc11oh7kh3sh2ph1", "mb16ic5ih21oc6oh21kh1ph0",
        "mb1ic24ih56oc10oh56kh1ph0", "--attr-post-ops=sum mb2ic24ih56oc10oh56kh3ph1",
        "mb1ic9ih56oc10oh28kh1sh2ph0", "mb1ic9ih56oc10oh28kh3sh2ph1", "mb16ic3ih6oc4oh2kh3sh2ph0",
        "mb1ic8id1ih8iw8oc8od1oh8ow8kd1kh3kw3sd3pd1ph1pw1"}) {
    const Result<Problem> problem = parse_problem(line);
    ASSERT_TRUE(problem) << problem.error().message;
    for (const int32_t share : {0, 1, 2, 4, int32_t{CORTEX_SPARSE_PATTERNS}}) {
      Random random(5);
      std::vector<float> kept(static_cast<std::size_t>(weights_elements(*problem)));
      for (float& k : kept) k = pick(random, 1, 4) == 1 ? 1.0f : 0.0f;
      cortex_plan_options options = cortex_plan_options_init();
      options.sparse_weights = kept.data();
      options.sparse_share = share;
      for (const cortex_layout layout : {CORTEX_LAYOUT_NCHW, CORTEX_LAYOUT_NATIVE}) {
        if (problem->is_conv()) options.src_layout = options.dst_layout = layout;
        const Outcome outcome = check_plan(context.get(), *problem, options, nullptr, 9);
        EXPECT_TRUE(outcome.ok()) << outcome.failure;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, SparseOnIsa, ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512),
                         [](const auto& p) { return std::string(isa_name(p.param)); });

TEST(SparsePlan, Refusals) {
  const Handle<cortex_context> context = context_for(nullptr);
  cortex_message message;
  const auto refused = [&](const char* line, auto change) {
    const Result<Problem> problem = parse_problem(line);
    const std::vector<float> kept(static_cast<std::size_t>(weights_elements(*problem)), 1.0f);
    cortex_plan_options options = cortex_plan_options_init();
    options.sparse_weights = kept.data();
    change(options);
    cortex_plan* plan = nullptr;
    const cortex_status status =
        cortex_plan_create(context.get(), problem_of(*problem, &message).get(), &options, &plan, &message);
    const Handle<cortex_plan> made(plan);
    return status;
  };
  const auto nothing = [](cortex_plan_options&) {};
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1", nothing), CORTEX_OK) << message.text;
  EXPECT_EQ(refused("g2mb1ic8ih4oc8oh4kh1", nothing), CORTEX_UNSUPPORTED);
  EXPECT_EQ(refused("3x4x5:3x5x6", nothing), CORTEX_UNSUPPORTED);
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1", [](auto& o) { o.sparse_share = 3; }), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1", [](auto& o) { o.sparse_share = CORTEX_SPARSE_BITMAP; }),
            CORTEX_UNSUPPORTED);
  EXPECT_EQ(
      refused("--dt=u8:s8:s32 mb1ic8ih4oc8oh4kh1", [](auto& o) { o.sparse_share = CORTEX_SPARSE_PATTERNS; }),
      CORTEX_UNSUPPORTED);
  EXPECT_NE(std::string(message.text).find("patterns of rows are for f32 and bf16 alone"), std::string::npos)
      << message.text;
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1", [](auto& o) { o.weights_handling = CORTEX_WEIGHTS_PLAIN; }),
            CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1", [](auto& o) { o.weights_layout = CORTEX_WEIGHTS_KN; }),
            CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(refused("mb1ic8ih4oc8oh4kh1",
                    [](auto& o) { o.sparse_weights = static_cast<const char*>(o.sparse_weights) + 1; }),
            CORTEX_INVALID_ARGUMENT);
}

// Runs of patterns have 28 bits for their columns. The weights are never read.
TEST(SparsePlan, PatternsOfTooManyColumnsAreRefused) {
  const Handle<cortex_context> context = context_for(nullptr);
  const Result<Problem> problem = parse_problem("1x134217728:134217728x1");
  constexpr std::size_t bytes = std::size_t{1} << 29;
  void* const weights = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(weights, MAP_FAILED);
  cortex_plan_options options = cortex_plan_options_init();
  options.sparse_weights = weights;
  options.sparse_share = CORTEX_SPARSE_PATTERNS;
  cortex_message message;
  cortex_plan* plan = nullptr;
  EXPECT_EQ(
      cortex_plan_create(context.get(), problem_of(*problem, &message).get(), &options, &plan, &message),
      CORTEX_UNSUPPORTED);
  const Handle<cortex_plan> owned(plan);
  EXPECT_NE(std::string(message.text).find("more than 2^27 - 1 columns"), std::string::npos) << message.text;
  munmap(weights, bytes);
}

// What a caller asks of zeros is not dropped where there are none to rely on.
TEST(SparsePlan, SharesNeedWeights) {
  const Handle<cortex_context> context = context_for(nullptr);
  const Result<Problem> problem = parse_problem("8x8:8x8");
  const auto made = [&](int share, cortex_message* message) {
    cortex_plan_options options = cortex_plan_options_init();
    options.sparse_share = share;
    cortex_plan* plan = nullptr;
    const cortex_status status =
        cortex_plan_create(context.get(), problem_of(*problem, message).get(), &options, &plan, message);
    const Handle<cortex_plan> owned(plan);
    return status;
  };
  cortex_message message;
  for (const int share : {1, 2, 4, int{CORTEX_SPARSE_BITMAP}, int{CORTEX_SPARSE_PATTERNS}}) {
    EXPECT_EQ(made(share, &message), CORTEX_INVALID_ARGUMENT) << share;
    EXPECT_NE(std::string(message.text).find(fmt::format("sparse_share {} without sparse_weights", share)),
              std::string::npos)
        << message.text;
  }
  for (const int share : {0, int{CORTEX_SPARSE_OR_DENSE}})
    EXPECT_EQ(made(share, &message), CORTEX_OK) << message.text;
}

// Blocks as large as a large L2 allows, with windows that do not divide what offsets reach.
TEST(SparsePlan, OffsetsStayInReachWhateverTheCaches) {
  const std::string path = ::testing::TempDir() + "/large_l2.json";
  for (const auto& [line, isa] : {std::pair{"mb1ic8ih14oc8oh1kh14", Isa::avx512},
                                  {"mb1ic16id8ih8iw8oc8od2oh2ow2kd7kh7kw7", Isa::avx2}}) {
    if (!supports(isa)) continue;
    Machine machine = host_machine(isa);
    ASSERT_GE(machine.caches.size(), 2u);
    machine.caches[1].bytes = 4 << 20;
    std::ofstream(path) << to_json(machine);
    cortex_context_options options = cortex_context_options_init();
    options.max_isa = isa_name(isa);
    options.machine_path = path.c_str();
    cortex_context* raw = nullptr;
    cortex_message message;
    ASSERT_EQ(cortex_context_create(&options, &raw, &message), CORTEX_OK) << message.text;
    const Handle<cortex_context> context(raw);
    const Result<Problem> problem = parse_problem(line);
    const std::vector<float> kept(static_cast<std::size_t>(weights_elements(*problem)), 1.0f);
    cortex_plan_options plan = cortex_plan_options_init();
    plan.sparse_weights = kept.data();
    plan.sparse_share = 4;
    plan.src_layout = plan.dst_layout = CORTEX_LAYOUT_NCHW;
    const Outcome outcome = check_plan(context.get(), *problem, plan, nullptr, 1);
    EXPECT_TRUE(outcome.ok()) << line << ": " << outcome.failure;
  }
}

// A few rows: lanes are columns.
TEST_P(SparseOnIsa, Bitmaps) {
  if (!supports(GetParam())) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam());
  const Handle<cortex_context> context = context_for(isa_name(GetParam()));
  const Handle<cortex_thread_pool> pool = pool_of(2);
  for (const char* line :
       {"1x300:300x200", "--attr-post-ops=sum+relu 3x70:70x65", "4x64:64x1",
        "--attr-post-ops=gelu_tanh 7x129:129x130", "--stag=ba 5x33:33x70", "--wtag=ba 2x40:40x31"}) {
    const Result<Problem> problem = parse_problem(line);
    ASSERT_TRUE(problem) << problem.error().message;
    for (const int64_t percent : {0, 12, 50, 100}) {
      Random random(5);
      std::vector<float> kept(static_cast<std::size_t>(weights_elements(*problem)));
      for (float& k : kept) k = pick(random, 1, 100) <= percent ? 1.0f : 0.0f;
      cortex_plan_options options = cortex_plan_options_init();
      options.sparse_weights = kept.data();
      options.sparse_share = CORTEX_SPARSE_BITMAP;
      options.threads = percent == 50 ? 3 : 1;
      const Outcome outcome = check_plan(context.get(), *problem, options, pool.get(), 9);
      EXPECT_TRUE(outcome.ok()) << outcome.failure;
    }
  }
}

// The same whatever CPU this runs on.
Machine zen4() {
  Machine m = host_machine(Isa::avx512bf16);
  m.cores = 2, m.ghz = 3.6;
  m.fma_per_cycle = m.bf16_dots_per_cycle = m.loads_per_cycle = 1;
  m.caches = {{"L1", 32 << 10, 64, 8, 1, 64, 32, 4},
              {"L2", 1 << 20, 64, 8, 1, 32, 30, 18},
              {"L3", 32 << 20, 64, 16, 2, 22, 23, 55}};
  m.memory_read_bytes_per_cycle = 7.7, m.memory_write_bytes_per_cycle = 7.2;
  m.memory_bytes_per_cycle_all = 8.5, m.memory_latency_cycles = 600;
  m.costs = Costs{};
  return m;
}

// Schedule and kernel that are chosen for weights of which `percent` are not zero.
std::pair<std::string, std::string> chosen(const Machine& machine, const char* max_isa, const char* line,
                                           int percent) {
  const std::string path = ::testing::TempDir() + "/zen4.json";
  std::ofstream(path) << to_json(machine);
  cortex_context_options of_context = cortex_context_options_init();
  of_context.max_isa = max_isa;
  of_context.machine_path = path.c_str();
  cortex_context* raw_context = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_context_create(&of_context, &raw_context, &message), CORTEX_OK) << message.text;
  const Handle<cortex_context> context(raw_context);
  const Result<Problem> problem = parse_problem(line);
  EXPECT_TRUE(problem) << problem.error().message;
  Random random(5);
  const auto element = static_cast<std::size_t>(size_of(problem->wei));
  std::vector<char> weights(static_cast<std::size_t>(weights_elements(*problem)) * element);
  for (std::size_t i = 0; i < weights.size(); i += element)
    if (pick(random, 1, 100) <= percent) weights[i + element - 1] = 1;
  cortex_plan_options options = cortex_plan_options_init();
  options.sparse_weights = weights.data();
  options.sparse_share = CORTEX_SPARSE_OR_DENSE;
  cortex_plan* raw = nullptr;
  EXPECT_EQ(cortex_plan_create(context.get(), problem_of(*problem, &message).get(), &options, &raw, &message),
            CORTEX_OK)
      << message.text;
  const Handle<cortex_plan> plan(raw);
  cortex_plan_info info = cortex_plan_info_init();
  cortex_plan_query(raw, &info, nullptr);
  return {info.schedule, info.kernel};
}

// Few zeros are not worth lists; nor are more of them where lists want operands transposed, as narrow types
// are element by element.
TEST(SparsePlan, DenseWhereZerosAreFew) {
  if (!supports(Isa::avx512bf16)) GTEST_SKIP() << "this CPU has no avx512bf16";
  for (const auto& [line, percent, sparse] : {std::tuple{"64x256:256x256", 100, false},
                                              {"64x256:256x256", 5, true},
                                              {"--dt=bf16 64x256:256x256", 100, false},
                                              {"--dt=bf16 64x256:256x256", 2, true},
                                              {"--dt=bf16 256x256:256x64", 25, false},
                                              {"--dt=bf16 mb1ic256ih16oc64oh16kh1", 25, true}}) {
    const auto [schedule, kernel] = chosen(zen4(), "avx512bf16", line, percent);
    EXPECT_EQ(schedule.starts_with("sparse"), sparse) << line << ", " << percent << " %: " << schedule;
  }
}

// Bytes are expanded faster than memory gives them, slower than caches do; by tables slower than either,
// though dense kernels are predicted to take as long as their lines are late.
TEST(SparsePlan, BitmapsOfBytesWhereWeightsComeFromMemory) {
  if (!runs_vbmi2(detected_isa()) || !supports(Isa::avx512bf16))
    GTEST_SKIP() << "this CPU has no avx512bf16 or no AVX512_VBMI2";
  Machine small = zen4();
  small.caches[2].bytes = 2 << 20;
  const char* const line = "--dt=u8:s8:u8 1x1024:1024x2048";
  const auto kernel = [&](const Machine& machine, const char* isa) {
    return chosen(machine, isa, line, 50).second;
  };
  EXPECT_EQ(kernel(small, "avx512bf16"), "bitmap_u8s8_avx512vbmi2");
  EXPECT_EQ(kernel(small, "avx512").substr(0, 6), "brgemm");
  EXPECT_EQ(kernel(zen4(), "avx512bf16").substr(0, 6), "brgemm");
}

TEST(SparsePlan, OtherWeightsAreRefused) {
  const Handle<cortex_context> context = context_for(nullptr);
  const Result<Problem> problem = parse_problem("8x8:8x8");
  std::vector<float> weights(64, 0.0f);
  weights[5] = 1;
  cortex_plan_options options = cortex_plan_options_init();
  options.sparse_weights = weights.data();
  for (const int32_t share : {1, int{CORTEX_SPARSE_BITMAP}, int{CORTEX_SPARSE_PATTERNS}}) {
    options.sparse_share = share;
    cortex_message message;
    cortex_plan* raw = nullptr;
    ASSERT_EQ(
        cortex_plan_create(context.get(), problem_of(*problem, &message).get(), &options, &raw, &message),
        CORTEX_OK);
    const Handle<cortex_plan> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(raw, &info, nullptr);
    std::vector<char> packed(static_cast<std::size_t>(info.packed_weights_bytes));
    EXPECT_EQ(cortex_plan_pack_weights(raw, weights.data(), packed.data(), &message), CORTEX_OK);
    weights[6] = 1;
    EXPECT_EQ(cortex_plan_pack_weights(raw, weights.data(), packed.data(), &message),
              CORTEX_INVALID_ARGUMENT);
    EXPECT_NE(std::string(message.text).find("1 weights are not zero"), std::string::npos) << message.text;
    weights[6] = 0;
  }
}

}  // namespace
}  // namespace cortex::testing
