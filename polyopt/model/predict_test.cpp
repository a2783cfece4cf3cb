#include "polyopt/model/predict.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/lower/lower.h"
#include "graph/problem/problem.h"
#include "polyopt/model/ask_for_c.h"

namespace cortex {
namespace {

Machine small_machine() {
  Machine m;
  m.name = "small";
  m.cores = 4;
  m.ghz = 1;
  m.fma_per_cycle = 1;
  m.caches = {{"L1", 8 << 10, 64, 8, 1, 16, 16, 4}, {"L2", 1 << 20, 64, 16, 1, 8, 8, 14}};
  m.memory_read_bytes_per_cycle = 4;
  m.memory_write_bytes_per_cycle = 4;
  m.memory_bytes_per_cycle_all = 8;
  m.costs.usable_cache = 0.85;
  m.costs.spill = 0;  // reuse is there or it is not
  return m;
}

Nest nest_of(const char* text) {
  const Result<Problem> problem = parse_problem(text);
  EXPECT_TRUE(problem.ok()) << problem.error().message;
  return coalesce(*lower(*problem));
}

Prediction predicted(const char* problem, const char* schedule, const Machine& machine, int threads = 1) {
  const Nest nest = nest_of(problem);
  const Result<Schedule> parsed = parse_schedule(schedule, nest);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  const Result<Prediction> prediction = predict(nest, *parsed, machine, threads);
  EXPECT_TRUE(prediction.ok()) << prediction.error().message;
  return *prediction;
}

constexpr const char* kernel = "brgemm_f32_f32_f32_4x8x1_baseline m=m n=n k=k pack(B,panel,ahead)";

// 16 columns in two vectors of AVX2: four rows are 8 sums, just what two multiply-adds a cycle of latency 4
// need in flight, six rows 12.
TEST(Predict, FewSumsInFlightWaitForOneAnother) {
  Machine m = small_machine();
  m.vector_lanes = 8;
  m.fma_per_cycle = 2;
  m.costs.load_overlap = m.costs.call_setup = m.costs.loop_step = m.costs.loop_visit = 0;
  const auto cycles = [&](const char* tile, const char* step) {
    return predicted(
               "48x1024:1024x16",
               fmt::format("m/{} | brgemm_f32_f32_f32_{}x1_avx2 m=m n=n k=k pack(B,panel,ahead)", step, tile)
                   .c_str(),
               m)
        .kernel_cycles;
  };
  EXPECT_GT(cycles("6x16", "4"), 1.1 * cycles("6x16", "6"));
  EXPECT_DOUBLE_EQ(cycles("6x16", "4"), cycles("4x24", "4"));
}

// Seven rows of four vectors leave no register for all of B's row: A is loaded again with the last vector.
// Six rows, or three vectors, do not.
TEST(Predict, TilesThatRepeatLoadsPayForThem) {
  Machine m = small_machine();
  m.vector_lanes = 16;
  m.fma_per_cycle = 2;
  const auto cycles = [&](double repeated, const char* tile, const char* step) {
    m.costs.repeated_loads = repeated;
    return predicted("42x1024:1024x192",
                     fmt::format("n/{} m/{} | brgemm_f32_f32_f32_{}x1_avx512 m=m n=n k=k pack(B,panel,ahead)",
                                 std::string(tile).substr(2), step, tile)
                         .c_str(),
                     m)
        .kernel_cycles;
  };
  EXPECT_GT(cycles(1, "7x64", "7"), 1.02 * cycles(0, "7x64", "7"));
  EXPECT_DOUBLE_EQ(cycles(1, "7x64", "6"), cycles(0, "7x64", "6"));
  EXPECT_DOUBLE_EQ(cycles(1, "8x48", "7"), cycles(0, "8x48", "7"));
}

// Prepacked B of 4 MB from memory, rows of C in 8 tiles. With columns outermost each panel is asked for while
// the one before is used; where L2 cannot hold two of them, that is no help.
TEST(Predict, BAskedForAheadIsNotWaitedFor) {
  const auto cycles = [](int64_t l2) {
    Machine m = small_machine();
    m.caches[1].bytes = l2;
    m.memory_latency_cycles = 400;
    return predicted("32x512:512x2048", (std::string("n/8 m/4 | ") + kernel).c_str(), m).cycles;
  };
  EXPECT_LT(cycles(1 << 20), 0.8 * cycles(28 << 10));
}

// Chunks of k of a window's nine taps lie apart in a panel of all of it; not in place, nor in a panel of a
// chunk.
TEST(Predict, TapsApartInPanelsCostAJumpEach) {
  Machine m = small_machine();
  const auto jumps = [&](const char* schedule) {
    const std::string text =
        fmt::format("{} | brgemm_f32_f32_f32_4x8x1_baseline m=ow n=oc k=ic batch=kh,kw{}", schedule,
                    std::string(schedule).find("pack(B") == std::string::npos ? " pack(B,panel,ahead)" : "");
    m.costs.tap_run = 0;
    const double without = predicted("mb1ic64ih8oc16oh8kh3ph1", text.c_str(), m).cycles;
    m.costs.tap_run = 10;
    return (predicted("mb1ic64ih8oc16oh8kh3ph1", text.c_str(), m).cycles - without) / 10;
  };
  EXPECT_DOUBLE_EQ(jumps("oc/8 oh/1 ow/4"), 0);
  EXPECT_DOUBLE_EQ(jumps("oc/8 kh/1 oh/1 ow/4"), 0);
  EXPECT_DOUBLE_EQ(jumps("ic/32 oc/8 oh/1 ow/4"), 2 * 2 * 8 * 2 * 9);
  EXPECT_DOUBLE_EQ(jumps("ic/32 pack(B,panel) oc/8 oh/1 ow/4"), 0);
  EXPECT_GT(jumps("pack(B,panel) ic/32 oc/8 oh/1 ow/4"), 0);
}

// Zen 4's vectors take two halves' time: asking is free beside them.
TEST(Ahead, CIsAskedForWhereAskingIsFree) {
  Machine zen4 = small_machine();
  zen4.vector_lanes = 16;
  Machine zen5 = zen4;
  zen5.fma_per_cycle = 2;
  const auto c_far = [](const char* problem, const Machine& machine) {
    const Nest nest = nest_of(problem);
    const Result<Program> program = resolve(nest, *parse_schedule(fmt::format("n/8 m/4 | {}", kernel), nest));
    EXPECT_TRUE(program.ok()) << program.error().message;
    Program asking = *program;
    ask_for_c(asking, machine);
    return asking.kernel.c_far;
  };
  EXPECT_EQ(c_far("784x128:128x512", zen4), 1);
  EXPECT_EQ(c_far("784x128:128x512", zen5), 0);
  EXPECT_EQ(c_far("64x128:128x512", zen4), 0);  // L2 holds it
}

TEST(Ahead, TilesOfBf16AskForCAndForTheNextA) {
  Machine zen4 = small_machine();
  zen4.vector_lanes = 16;
  Machine zen5 = zen4;
  zen5.fma_per_cycle = 2;
  const auto asking = [](const char* problem, const Machine& machine,
                         const char* type = "bf16_bf16_f32_7x64x2", const char* isa = "avx512bf16") {
    const Nest nest = nest_of(problem);
    const std::string text =
        fmt::format("n/64 m/7~ | brgemm_{}_{} m=m n=n k=k pack(B,panel,ahead)", type, isa);
    const Result<Program> program = resolve(nest, *parse_schedule(text, nest));
    EXPECT_TRUE(program.ok()) << program.error().message;
    Program asks = *program;
    ask_for_c(asks, machine);
    return std::pair(static_cast<int>(asks.kernel.c_far), asks.kernel.a_ahead.dim >= 0);
  };
  using Asks = std::pair<int, bool>;
  EXPECT_EQ(asking("--dt=bf16 784x256:256x512", zen4), (Asks{1, true}));
  EXPECT_EQ(asking("--dt=bf16 784x256:256x512", zen5), (Asks{0, false}));
  EXPECT_EQ(asking("--dt=bf16 784x64:64x512", zen4), (Asks{1, false}));   // L2 holds A
  EXPECT_EQ(asking("--dt=bf16 784x256:256x128", zen4), (Asks{0, true}));  // and C
  EXPECT_EQ(asking("--dt=u8:s8:u8 784x512:512x512", zen4, "u8_s8_s32_7x64x4", "avx512vnni"),
            (Asks{0, false}));
  EXPECT_EQ(asking("784x256:256x512", zen4, "f32_f32_f32_7x64x1", "avx512"), (Asks{1, false}));
  // Machine files may describe one level of cache: nothing is known to be far.
  zen4.caches.resize(1);
  EXPECT_FALSE(asking("--dt=bf16 784x256:256x512", zen4).second);
  EXPECT_GT(
      predicted("--dt=bf16 784x256:256x512",
                "n/64 m/7~ | brgemm_bf16_bf16_f32_7x64x2_avx512bf16 m=m n=n k=k pack(B,panel,ahead)", zen4)
          .kernel_cycles,
      0);
}

// A tile of bf16 whose stores keep the next one waiting costs more than one of fewer rows.
TEST(Predict, TilesOfBf16WaitForStores) {
  Machine zen4 = small_machine();
  zen4.vector_lanes = 16;
  Machine zen5 = zen4;
  zen5.fma_per_cycle = 2;
  const auto cycles = [](int rows, const Machine& machine) {
    return predicted(
               "--dt=bf16 420x64:64x64",
               fmt::format("m/{} | brgemm_bf16_bf16_f32_7x64x2_avx512bf16 m=m n=n k=k pack(B,panel,ahead)",
                           rows)
                   .c_str(),
               machine)
        .kernel_cycles;
  };
  EXPECT_LT(cycles(6, zen4), cycles(7, zen4));
  EXPECT_GT(cycles(6, zen5), cycles(7, zen5));
}

// Where halves of vectors take turns, columns that fill at most half of the last one cost half of it.
TEST(Predict, HalfEmptyVectorsTakeHalfTheTime) {
  Machine zen4 = small_machine();
  zen4.vector_lanes = 16;
  zen4.costs.load_overlap = zen4.costs.call_setup = zen4.costs.loop_step = zen4.costs.loop_visit = 0;
  Machine zen5 = zen4;
  zen5.fma_per_cycle = 2;
  const auto cycles = [](int columns, const Machine& machine, const char* type, const char* tile) {
    return predicted(fmt::format("{} 48x4096:4096x{}", type, columns).c_str(),
                     fmt::format("m/8 | brgemm_{} m=m n=n k=k pack(B,panel,ahead)", tile).c_str(), machine)
        .kernel_cycles;
  };
  const auto f32 = [&](int columns, const Machine& machine) {
    return cycles(columns, machine, "--dt=f32", "f32_f32_f32_8x48x1_avx512");
  };
  EXPECT_NEAR(f32(40, zen4) / f32(48, zen4), 2.5 / 3, 0.01);
  EXPECT_NEAR(f32(24, zen4) / f32(32, zen4), 1.5 / 2, 0.01);
  EXPECT_DOUBLE_EQ(f32(41, zen4), f32(48, zen4));
  EXPECT_DOUBLE_EQ(f32(40, zen5), f32(48, zen5));
  const auto widened = [&](int columns) {  // no halves there
    return cycles(columns, zen4, "--dt=u8:s8:s32", "u8_s8_s32_12x32x4_avx512");
  };
  EXPECT_DOUBLE_EQ(widened(24), widened(32));
}

// 64 x 64 x 64 in tiles of 4 x 8. A tile of A is 1 KiB, a panel of B 2 KiB, a tile of C 4 lines: together
// they fit 85 % of 8 KiB, with all of A (16 KiB) they do not.
TEST(Predict, ColumnsOutermostHoldAPanelAndStreamA) {
  const Prediction p =
      predicted("64x64:64x64", (std::string("n/8 m/4 | ") + kernel).c_str(), small_machine());
  ASSERT_EQ(p.levels.size(), 2u);
  EXPECT_EQ(p.levels[0].level, "L2");
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[0], 8 * 16384);    // all of A for each of 8 panels
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[1], 16384);        // B once
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[2], 8 * 64 * 64);  // a line of C per row and panel
  EXPECT_DOUBLE_EQ(p.levels[0].write_bytes[2], 8 * 64 * 64);
  EXPECT_DOUBLE_EQ(p.levels[1].read_bytes[0], 0);  // everything fits L2
}

TEST(Predict, RowsOutermostHoldATileAndStreamB) {
  const Prediction p =
      predicted("64x64:64x64", (std::string("m/4 n/8 | ") + kernel).c_str(), small_machine());
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[0], 16384);
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[1], 16 * 16384);  // all of B for each of 16 row tiles
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[2], 16384);       // whole lines: the next tile finishes them
}

TEST(Predict, BeyondTheCapacityReuseFadesOut) {
  // All of B (16 KiB), a tile of A and its part of C stand against a cache of 8 KiB times `usable`.
  const auto reads_of_b = [](double usable, double spill) {
    Machine m = small_machine();
    m.costs.usable_cache = usable;
    m.costs.spill = spill;
    return predicted("64x64:64x64", (std::string("m/4 n/8 | ") + kernel).c_str(), m).levels[0].read_bytes[1];
  };
  const double once = 16384, always = 16 * 16384;
  EXPECT_DOUBLE_EQ(reads_of_b(3, 0), once);
  EXPECT_DOUBLE_EQ(reads_of_b(1, 0), always);
  double before = once;
  for (double usable = 2.75; usable > 0.5; usable -= 0.25) {
    const double now = reads_of_b(usable, 1);
    EXPECT_GE(now, before);
    before = now;
  }
  const double between = reads_of_b(1.5, 1);
  EXPECT_GT(between, once);
  EXPECT_LT(between, always);
}

TEST(Predict, ReductionChunksRevisitC) {
  const Prediction once =
      predicted("64x64:64x64", (std::string("n/8 m/4 | ") + kernel).c_str(), small_machine());
  const Prediction twice =
      predicted("64x64:64x64", (std::string("k/32 n/8 m/4 | ") + kernel).c_str(), small_machine());
  EXPECT_DOUBLE_EQ(twice.levels[0].read_bytes[2], 2 * once.levels[0].read_bytes[2]);
  EXPECT_GT(twice.kernel_cycles, once.kernel_cycles);
}

TEST(Predict, ThreadsShareWorkAndDuplicateWhatTheyAllRead) {
  const Prediction one =
      predicted("64x64:64x64", (std::string("n/8@1 m/4 | ") + kernel).c_str(), small_machine());
  const Prediction two =
      predicted("64x64:64x64", (std::string("n/8@2 m/4 | ") + kernel).c_str(), small_machine(), 2);
  EXPECT_NEAR(two.kernel_cycles, one.kernel_cycles / 2, 0.02 * one.kernel_cycles);
  EXPECT_DOUBLE_EQ(two.levels[0].read_bytes[0], one.levels[0].read_bytes[0]);  // half the panels each
  const Prediction rows =
      predicted("64x64:64x64", (std::string("m/4@2 n/8 | ") + kernel).c_str(), small_machine(), 2);
  EXPECT_DOUBLE_EQ(rows.levels[0].read_bytes[1], 16 * 16384);
}

TEST(Predict, ImbalanceIsTheLargestShare) {
  // 5 tiles on 2 threads: one thread has 3.
  const Prediction one = predicted("20x64:64x8", (std::string("m/4@1 | ") + kernel).c_str(), small_machine());
  const Prediction two =
      predicted("20x64:64x8", (std::string("m/4@2 | ") + kernel).c_str(), small_machine(), 2);
  EXPECT_NEAR(two.kernel_cycles / one.kernel_cycles, 0.6, 0.01);
}

TEST(Predict, TheShortTileCountsWhereItIs) {
  const auto share = [](const char* problem, const char* loops) {
    const std::string text = std::string(loops) + " | " + kernel;
    const auto cycles = [&](int threads) {
      return predicted(problem, fmt::format(fmt::runtime(text), threads).c_str(), small_machine(), threads)
          .kernel_cycles;
    };
    return cycles(2) / cycles(1);
  };
  EXPECT_NEAR(share("28x64:64x8", "m/20@{} m/4"), 20.0 / 28, 0.01);  // 20 and 8
  EXPECT_NEAR(share("48x64:64x8", "m/20@{} m/4"), 28.0 / 48, 0.01);  // 20, and 20 + 8
  EXPECT_NEAR(share("28x64:64x8", "m/20~@{} m/4"), 0.5, 0.01);       // 14 and 14
}

TEST(Predict, PaddedInputIsCopiedWithItsHalo) {
  // 3x3, padding 1, 16 channels: the copy of one image is 18 x 18 pixels.
  const char* conv = "mb1ic16ih16oc8oh16kh3ph1";
  const std::string tile = "brgemm_f32_f32_f32_4x8x1_baseline m=ow n=oc k=kw_ic batch=kh pack(B,panel,ahead)";
  const Prediction whole = predicted(conv, ("pack(A,box) oh/1 ow/4 | " + tile).c_str(), small_machine());
  const Prediction rows = predicted(conv, ("oh/1 pack(A,box) ow/4 | " + tile).c_str(), small_machine());
  EXPECT_GT(whole.pack_cycles, 0);
  EXPECT_GT(rows.pack_cycles, 2.5 * whole.pack_cycles);  // three input rows for each of 16 output rows
  EXPECT_LT(rows.pack_cycles, 4.5 * whole.pack_cycles);
}

// 14 columns of a panel of 1536: of every row the kernel reads four vectors of four.
TEST(Predict, OfAPanelThatIsNotFullWholeVectorsAreRead) {
  const char* rows = "m/1 | brgemm_f32_f32_f32_1x1536x1_rows_baseline m=m n=n k=k pack(B,panel,ahead)";
  Machine m = small_machine();
  m.caches[0].bytes = 64;  // B comes from L2 for every row
  const Prediction p = predicted("16x64:64x14", rows, m);
  EXPECT_DOUBLE_EQ(p.levels[0].read_bytes[1], 16.0 * 64 * 16 * 4);
}

// 32 channels of 3 x 3 windows over 12 x 12: all of it does not fit L1, and a call goes over it in blocks of
// one row and two columns. With 4 channels a call fits.
TEST(Predict, DepthwiseBlocksReadTheirNeighboursInputsAgain) {
  const char* problem = "g32mb1ic32ih12oc32oh12kh3ph1";
  const auto reads = [&](const char* loops, Operand o) {
    const std::string text =
        std::string(loops) + "| dwconv_f32_f32_f32_2x4x1_baseline m=ow n=c rows=oh batch=kh,kw";
    Machine m = small_machine();
    m.caches[0].bytes = 2 << 10;
    return predicted(problem, text.c_str(), m).levels[0].read_bytes[static_cast<int>(o)];
  };
  // A block of all channels: 12 inputs, 2 outputs and 9 weights of 128 bytes.
  EXPECT_DOUBLE_EQ(reads("", Operand::b), 72.0 * 9 * 32 * 4);
  EXPECT_DOUBLE_EQ(reads("c/4 ", Operand::b), 8.0 * 9 * 64);  // once, by lines
  EXPECT_GT(reads("", Operand::a), 5.9 * 12 * 12 * 32 * 4);   // three times down, twice across
}

TEST(Predict, BoundsAreCompulsoryBytesAndPeak) {
  const Prediction p =
      predicted("64x64:64x64", (std::string("n/8 m/4 | ") + kernel).c_str(), small_machine());
  EXPECT_DOUBLE_EQ(p.io_lower_bound_bytes, 3 * 16384);
  const double compute = 2.0 * 64 * 64 * 64 / (2.0 * 4 * 1e9);  // 4 lanes, one FMA a cycle, 1 GHz
  EXPECT_DOUBLE_EQ(p.roofline_seconds, std::max(compute, 3 * 16384 / 4e9));
  EXPECT_GE(p.seconds, p.roofline_seconds * 0.999);
}

TEST(Predict, RefusesWhatCheckRefuses) {
  const Nest nest = nest_of("64x64:64x64");
  Schedule schedule;
  schedule.tile.kernel = "no_such_kernel";
  const Result<Prediction> p = predict(nest, schedule, small_machine(), 1);
  ASSERT_FALSE(p.ok());
  EXPECT_NE(p.error().message.find("no_such_kernel"), std::string::npos);
}

}  // namespace
}  // namespace cortex
