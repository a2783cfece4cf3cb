#include "polyopt/schedule/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/lower/lower.h"
#include "polyopt/schedule/loop_string.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"

namespace cortex {
namespace {

Nest nest_of(const char* line) {
  Result<Problem> problem = parse_problem(line);
  EXPECT_TRUE(problem.ok()) << (problem.ok() ? "" : problem.error().message);
  Result<Nest> nest = lower(*problem);
  EXPECT_TRUE(nest.ok()) << (nest.ok() ? "" : nest.error().message);
  return coalesce(*nest);
}

std::string kernel(const char* tile) { return std::string("brgemm_f32_f32_f32_") + tile; }

// Expects `text` to be refused by check() with `reason` somewhere in the message.
void refused(const Nest& nest, const std::string& text, const std::string& reason) {
  Result<Schedule> schedule = parse_schedule(text, nest);
  ASSERT_TRUE(schedule.ok()) << text << ": " << schedule.error().message;
  const Status status = check(*schedule, nest);
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
}

TEST(ScheduleText, RoundTrips) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string text =
      "m/50@2 k/128 pack(B,panel) n/64 m/7~ | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  Result<Schedule> schedule = parse_schedule(text, nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  EXPECT_EQ(to_string(*schedule, nest), text);
  EXPECT_EQ(schedule->loops[0].threads, 2);
  EXPECT_TRUE(schedule->loops[0].parallel);
  EXPECT_TRUE(schedule->loops[3].balanced);
  EXPECT_EQ(schedule->packs[0].depth, 2);
}

TEST(ScheduleText, NamesTheTokenItRefuses) {
  const Nest nest = nest_of("100x300:300x200");
  for (const char* text :
       {"m/0 | k", "q/4 | k", "m/4x | k", "m | k", "m/4", "pack(C,box) m/4 | k", "m/4@0 | k",
        "m/99999999999999999999 | k", "m/4 | k z=m", "m/4 | k m=zz", "pack(A | k", ""}) {
    Result<Schedule> schedule = parse_schedule(text, nest);
    ASSERT_FALSE(schedule.ok()) << text;
    EXPECT_EQ(schedule.error().message.rfind("schedule", 0), 0u) << schedule.error().message;
  }
}

// Whatever was pasted there: one short line of plain text.
TEST(ScheduleText, RefusalsQuoteInPart) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string tail = " | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  for (const std::string& text : {std::string(5000, 'z') + "/4" + tail, std::string(5000, 'z') + tail,
                                  "m/7 n/64 | k m=" + std::string(5000, 'z'), "m/7 \x1b[31m/3" + tail}) {
    const Result<Schedule> schedule = parse_schedule(text, nest);
    ASSERT_FALSE(schedule.ok());
    EXPECT_LT(schedule.error().message.size(), 300u) << schedule.error().message;
    EXPECT_EQ(schedule.error().message.find('\x1b'), std::string::npos);
  }
  const Result<Schedule> schedule =
      parse_schedule("m/7 n/64 | " + std::string(5000, 'z') + " m=m n=n k=k", nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  EXPECT_LT(check(*schedule, nest).error().message.size(), 300u);
}

TEST(ScheduleText, SplitReductionsRoundTrip) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string text = "k/150~+@2 m/50@1 k/64 n/64 m/7~ | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  const Result<Schedule> schedule = parse_schedule(text, nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  EXPECT_TRUE(schedule->loops[0].split && schedule->loops[0].parallel);
  EXPECT_EQ(to_string(*schedule, nest), text);
  const std::string letters = to_loop_string(*schedule, nest);
  EXPECT_EQ(letters.substr(0, letters.find(" |")), "C{R:2}Acba a=50,7~ b=64 c=150~+,64");
  const Result<Schedule> again = parse_schedule(letters, nest);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(to_string(*again, nest), text);
}

TEST(Check, RefusesSplitsThatAreNone) {
  const Nest nest = nest_of("100x300:300x200");
  const auto text = [](const char* loops) {
    return std::string(loops) + " n/64 m/7 | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  };
  refused(nest, text("k/150@2"), "would race: make k sequential or split the reduction (k/150+)");
  refused(nest, text("m/50+@2"), "m is no reduction: only a sum can be split");
  refused(nest, text("k/150+"), "a split of a sequential loop: make it parallel or drop the +");
  refused(nest, text("k/150+@2 k/50+@2"), "2 split loops: one reduction can be split");
  refused(nest, text("k/150+@2 k/50@2"), "would race");
  refused(nest, text("k/300+@2"), "1 part: a reduction is split in 2 to 64");
  refused(nest, text("k/4+@2"), "75 parts: a reduction is split in 2 to 64");
  refused(nest_of("--dt=u8:s8:s32 100x300:300x200"),
          "k/40+@2 n/64 m/6 | brgemm_u8_s8_s32_6x64x4_avx512vnni m=m n=n k=k",
          "sums of u8 by s8 into s32: only f32 sums into f32 can be split");
  refused(nest_of("--dt=bf16 100x300:300x200"),
          "k/50+@2 n/64 m/7 | brgemm_bf16_bf16_f32_7x64x2_avx512bf16 m=m n=n k=k",
          "sums of bf16 by bf16 into bf16: only f32 sums into f32 can be split");
}

TEST(Check, PacksAheadOfTimeStandOutsideTheLoops) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string tail = " | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  for (const std::string& text :
       {"m/7 pack(B,panel,ahead) n/64" + tail,
        "ab a=7 b=64 pack(B,panel,ahead)@1 | " + kernel("7x64x1_avx512") + " m=a n=b k=c"}) {
    const Result<Schedule> schedule = parse_schedule(text, nest);
    ASSERT_FALSE(schedule.ok()) << text;
    EXPECT_NE(schedule.error().message.find("\"pack(B,panel,ahead)\": what is packed ahead of time stands "
                                            "inside no loop: write it after the kernel"),
              std::string::npos)
        << schedule.error().message;
  }
  Result<Schedule> schedule = parse_schedule("m/7 n/64" + tail + " pack(B,panel,ahead)", nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  EXPECT_TRUE(check(*schedule, nest));
  schedule->packs[0].depth = 1;
  EXPECT_NE(check(*schedule, nest).error().message.find("inside 1 loop: what is packed ahead"),
            std::string::npos);
  refused(nest, "m/7 n/64" + tail + " pack(A,box,ahead)", "only B, the weights, can be packed ahead");
  Nest plain = nest;
  plain.b_constant = false;
  refused(plain, "m/7 n/64" + tail + " pack(B,panel,ahead)", "B is no constant here");
}

TEST(Check, CountsTilesOfTheLongestSteps) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string rest = " n/64 m/7 | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  refused(nest, "k/9223372036854775807+@2" + rest, "1 part: a reduction is split in 2 to 64");
  refused(nest, "k/9223372036854775807@2" + rest, "would race");
  for (const char* loop : {"k/9223372036854775807", "k/9223372036854775800~", "m/9223372036854775807@2"}) {
    const Result<Schedule> schedule = parse_schedule(loop + rest, nest);
    ASSERT_TRUE(schedule.ok()) << schedule.error().message;
    EXPECT_EQ(max_trips(nest, *schedule, 0), 1) << loop;
    const Result<Program> program = resolve(nest, *schedule);
    EXPECT_TRUE(program.ok()) << program.error().message;
  }
}

// The parts lie behind each other, the epilogue is that of the sum.
TEST(Resolve, SplitReduction) {
  const Nest nest = nest_of("--bia_dt=f32 --attr-post-ops=relu 10x300:300x20");
  const Result<Schedule> schedule =
      parse_schedule("k/100+@3 m/7~ | " + kernel("7x64x1_avx512") + " m=m n=n k=k", nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> p = resolve(nest, *schedule);
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(p->split.loop, 0);
  EXPECT_EQ(p->split.parts, 3);
  EXPECT_EQ(p->split.bytes, 832);  // 10 x 20 floats in whole lines
  EXPECT_FALSE(is_finished(p->nest));
  ASSERT_NE(p->split.sum, nullptr);
  const Program& sum = *p->split.sum;
  EXPECT_TRUE(verify(sum.nest).ok()) << verify(sum.nest).error().message;
  EXPECT_TRUE(sum.nest.epilogue.bias);
  EXPECT_EQ(sum.nest.epilogue.activation, Activation::relu);
  EXPECT_EQ(sum.kernel.ldb, 832);
  EXPECT_EQ(sum.kernel.n_dim, sum.nest.dim_index("n"));
  EXPECT_EQ(sum.bias_stride, 4);
  EXPECT_EQ(thread_grid(*p, 2)[0], 2);  // whoever adds up what: there are three parts
}

ProgramPrefetch prefetch_of(const Nest& nest, const std::string& text) {
  const Result<Schedule> schedule = parse_schedule(text, nest);
  EXPECT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> program = resolve(nest, *schedule);
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program->kernel.prefetch;
}

TEST(Prefetch, AsksForTheBOfTheNextVisit) {
  const Nest nest = nest_of("100x300:300x210");
  const std::string tile = " | " + kernel("8x48x1_avx512") + " m=m n=n k=k";
  // In place: 300 rows of the next columns for 100 rows of C, 210 floats apart.
  ProgramPrefetch p = prefetch_of(nest, "n/48 m/8~" + tile);
  EXPECT_EQ(p.rows_per_unit, 3);
  EXPECT_EQ(p.rows, 300);
  EXPECT_EQ(p.ahead, 48 * 4);
  EXPECT_EQ(p.ld, 210 * 4);
  EXPECT_FALSE(p.source);
  // Panels: 48 floats apart, the next one after 300 rows.
  p = prefetch_of(nest, "pack(B,panel) n/48 m/8~" + tile);
  EXPECT_EQ(p.ahead, 300 * 48 * 4);
  EXPECT_EQ(p.ld, 48 * 4);
  // A panel copied for each visit: what it is copied from.
  p = prefetch_of(nest, "n/48 pack(B,panel) m/8~" + tile);
  EXPECT_TRUE(p.source);
  EXPECT_EQ(p.ahead, 48 * 4);
  EXPECT_EQ(p.ld, 210 * 4);
  // Along the reduction B moves by rows.
  EXPECT_EQ(prefetch_of(nest, "n/48 k/100 m/8~" + tile).ahead, 100 * 210 * 4);
}

TEST(Prefetch, SharesTheNextBAmongAllLoopsAlongWhichItStays) {
  const std::string tile = kernel("4x24x1_avx2") + " m=ow n=oc k=ic batch=kh,kw pack(B,panel,ahead)";
  const Nest nest = nest_of("mb1ic512ih7oc512oh7kh3ph1");
  const int oh = nest.dim_index("oh"), ow = nest.dim_index("ow");
  // Three rows of 512 units for 49 outputs, all adjacent.
  ProgramPrefetch p = prefetch_of(nest, "oc/24 kh/1 oh/1 ow/4~ | " + tile);
  EXPECT_EQ(p.mover, 1);
  ASSERT_EQ(p.along.size(), 2U);
  EXPECT_EQ(p.along[0].dim, oh);
  EXPECT_EQ(p.along[0].inside, 7);
  EXPECT_EQ(p.along[1].dim, ow);
  EXPECT_EQ(p.along[1].inside, 1);
  EXPECT_EQ(p.rows_per_unit, 32);
  EXPECT_EQ(p.rows, 3 * 512);
  EXPECT_EQ(p.ahead, 3 * 512 * 96);
  EXPECT_EQ(p.tap_rows, 0);
  EXPECT_EQ(prefetch_of(nest, "oc/24 kh/1 ow/4~ oh/1 | " + tile).along[0].dim, ow);
  // Chunks of the reduction lie apart in each tap.
  p = prefetch_of(nest, "oc/24 ic/128 oh/1 ow/4~ | " + tile);
  EXPECT_EQ(p.mover, 1);
  EXPECT_EQ(p.rows, 9 * 128);
  EXPECT_EQ(p.ahead, 128 * 96);
  EXPECT_EQ(p.tap_rows, 128);
  EXPECT_EQ(p.tap_stride, 512 * 96);
  // All weights of a panel would push each other out of L2.
  EXPECT_EQ(prefetch_of(nest, "oc/24 oh/1 ow/4~ | " + tile).rows_per_unit, 0);
  // Two loops over one dim count its units once.
  const std::string rows = " | " + kernel("8x48x1_avx512") + " m=m n=n k=k";
  p = prefetch_of(nest_of("100x300:300x210"), "n/48 m/16 m/8" + rows);
  ASSERT_EQ(p.along.size(), 1U);
  EXPECT_EQ(p.rows_per_unit, 3);
}

TEST(Prefetch, IsLeftOutWhereNothingStays) {
  const std::string tile = " | " + kernel("8x48x1_avx512") + " m=m n=n k=k";
  const Nest nest = nest_of("100x300:300x210");
  EXPECT_EQ(prefetch_of(nest, "m/8~ n/48" + tile).rows_per_unit, 0);  // B moves all the time
  EXPECT_EQ(prefetch_of(nest_of("400x300:300x210"), "n/48 m/8~" + tile).rows_per_unit, 0);  // B is small
  // Rows 8 KB apart leave 64 x 12 of a column in L2, as those 1 KB apart would.
  EXPECT_EQ(prefetch_of(nest_of("100x2000:2000x2048"), "n/48 m/8~" + tile).rows, 768);
}

ProgramKernel kernel_of(const Nest& nest, const std::string& text) {
  const Result<Schedule> schedule = parse_schedule(text, nest);
  EXPECT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> program = resolve(nest, *schedule);
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program->kernel;
}

TEST(FarOperands, AskForTheNextTileOfTheLoopThatMovesA) {
  const std::string tile = " | " + kernel("8x48x1_avx512") + " m=m n=n k=k";
  const Nest nest = nest_of("20000x300:300x210");
  const int m = nest.dim_index("m"), k = nest.dim_index("k");
  EXPECT_EQ(kernel_of(nest, "n/48 m/8~" + tile).a_ahead.dim, m);
  EXPECT_EQ(kernel_of(nest, "n/48 m/8~" + tile).a_ahead.stride, 300 * 4);
  EXPECT_EQ(kernel_of(nest, "m/8~ n/48" + tile).a_ahead.dim, m);
  EXPECT_EQ(kernel_of(nest, "m/8~ n/48 k/100" + tile).a_ahead.dim, k);
  EXPECT_EQ(kernel_of(nest, "m/8~ n/48 k/100" + tile).a_ahead.stride, 4);
  EXPECT_EQ(kernel_of(nest, "m/800 pack(A,box) n/48 m/8~" + tile).a_ahead.dim, -1);  // copies are in cache
  EXPECT_EQ(kernel_of(nest_of("100x300:300x210"), "n/48 m/8~" + tile).a_ahead.dim, -1);
  // Beyond what prefetchers follow from any cache.
  EXPECT_EQ(kernel_of(nest_of("1800x300:300x210"), "n/48 m/8~" + tile).a_ahead.dim, m);
  EXPECT_EQ(kernel_of(nest_of("1700x300:300x210"), "n/48 m/8~" + tile).a_ahead.dim, -1);
}

TEST(FarOperands, AreThoseThatNoCacheHolds) {
  const std::string tile = " | " + kernel("8x48x1_avx512") + " m=m n=n k=k";
  EXPECT_FALSE(kernel_of(nest_of("100x300:300x210"), "m/8~ n/48" + tile).c_far);
  EXPECT_EQ(kernel_of(nest_of("20000x30:30x210"), "m/8~ n/48" + tile).c_far, 1);
  EXPECT_EQ(kernel_of(nest_of("40000x100:100x210"), "m/8~ n/48" + tile).c_far, 1);  // lines in part
  const Nest tall = nest_of("40000x100:100x208");  // past the caches, unless sums come back
  EXPECT_EQ(kernel_of(tall, "m/8~ n/48" + tile).c_far, 2);
  EXPECT_EQ(kernel_of(tall, "k/50 m/8~ n/48" + tile).c_far, 1);
  // Narrow vectors ask for C beyond 24 MB, and write it past the caches for short sums.
  const std::string narrow = " | " + kernel("6x16x1_avx2") + " m=m n=n k=k";
  EXPECT_EQ(kernel_of(nest_of("80000x27:27x48"), "m/6~ n/16" + narrow).c_far, 0);
  EXPECT_EQ(kernel_of(nest_of("80000x27:27x96"), "m/6~ n/16" + narrow).c_far, 2);
  EXPECT_EQ(kernel_of(nest_of("80000x64:64x96"), "m/6~ n/16" + narrow).c_far, 1);
  const auto bf16 = [](const char* columns, const char* nr) {
    const Nest nest = nest_of(fmt::format("--dt=bf16:bf16:bf16 80000x100:100x{}", columns).c_str());
    return kernel_of(nest, fmt::format("m/7~ n/{0} | brgemm_bf16_bf16_f32_{1}x2_avx512bf16 m=m n=n k=k", nr,
                                       std::string(nr) == "64" ? "7x64" : "8x48"))
        .c_far;
  };
  EXPECT_EQ(bf16("192", "64"), 2);
  EXPECT_EQ(bf16("192", "48"), 1);  // one and a half lines
  EXPECT_EQ(bf16("208", "64"), 1);
  const Nest wide = nest_of("50x4000:4000x1000");
  EXPECT_EQ(kernel_of(wide, "pack(B,panel) m/8~ n/48" + tile).b_ahead, 32 * 48 * 4);
  EXPECT_EQ(kernel_of(wide, "m/8~ n/48" + tile).b_ahead, 0);  // a page for every row
  EXPECT_EQ(kernel_of(wide, "n/48 m/8~" + tile).b_ahead, 0);  // asked for visit by visit
}

TEST(Dots, TakeBByColumns) {
  const std::string dots = " | " + kernel("64x8x1_dots_avx512") + " m=m n=n k=k";
  const Nest nest = nest_of("20000x300:300x5");
  const ProgramKernel k = kernel_of(nest, "pack(B,box,+4) m/64~" + dots);
  EXPECT_EQ(k.ldb, 304 * 4);
  EXPECT_EQ(k.a_ahead.dim, -1);
  refused(nest, "m/64~" + dots, "reads B with stride 5 along k");
  refused(nest, "pack(B,panel) m/64~" + dots, "use pack(B,box)");
  EXPECT_EQ(kernel_of(nest_of("--wtag=ba 200x300:300x5"), "m/64~" + dots).ldb, 300 * 4);
}

TEST(Check, RefusesWhatCannotRun) {
  const Nest nest = nest_of("100x300:300x200");
  const std::string tail = " | " + kernel("7x64x1_avx512") + " m=m n=n k=k";
  refused(nest, "n/64" + tail, "tiles of 100 rows");
  refused(nest, "m/6" + tail, "tiles of 200 columns");
  refused(nest, "k/128@2 m/6 n/64" + tail, "would race");
  refused(nest, "m/6 n/64@2" + tail, "parallel loops come first");
  refused(nest, "m/6 n/64 | " + kernel("7x64x1_avx512") + " m=m n=n", "iterations are left");
  refused(nest, "m/6 n/64 k/1 | nonesuch m=m n=n k=k", "no microkernel");
  refused(nest, "m/64 n/6 | " + kernel("7x64x1_avx512") + " m=n n=m k=k", "adjacent");
  refused(nest, "pack(B,panel) n/32 m/6" + tail, "multiples of 64");
  refused(nest, "pack(A,panel) n/64 m/6" + tail, "only B");
  refused(nest, "pack(B,panel) m/6 pack(B,box) n/64" + tail, "packed twice");
}

TEST(Check, PaddedInputIsPackedOrClipped) {
  const Nest nest = nest_of("mb1ic64ih56oc64oh56kh3ph1");
  const auto tile = [](const std::string& roles) {
    return "oh/1 ow/7~ oc/64 | " + kernel("7x64x1_avx512") + " m=ow n=oc k=ic " + roles +
           " pack(B,panel,ahead)";
  };
  // The taps of each row of pixels, innermost in the batch, are left out row by row.
  Result<Schedule> clipped = parse_schedule(tile("batch=kh,kw"), nest);
  ASSERT_TRUE(clipped.ok()) << clipped.error().message;
  EXPECT_TRUE(check(*clipped, nest).ok());
  EXPECT_NEAR(clipped_work(nest, *clipped), (1 - 2.0 / 168) * (1 - 2.0 / 168), 1e-12);
  refused(nest, tile("batch=kw,kh"), "pack(A,box)");
  Result<Schedule> packed = parse_schedule("oh/8 pack(A,box) " + tile("batch=kw,kh"), nest);
  ASSERT_TRUE(packed.ok()) << packed.error().message;
  const Status status = check(*packed, nest);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(Resolve, RowsOfAWindow) {
  const Nest nest = nest_of("mb1ic64ih57iw57oc64oh28ow28kh5kw3sh2sw2ph2pw1dh0dw1");
  Result<Schedule> schedule = parse_schedule(
      "oh/1 ow/7 oc/64 | " + kernel("7x64x1_avx512") + " m=ow n=oc k=ic batch=kh,kw pack(B,panel,ahead)",
      nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  Result<Program> p = resolve(nest, *schedule);
  ASSERT_TRUE(p.ok()) << p.error().message;
  ASSERT_TRUE(p->kernel.row_clip.has_value());
  const ProgramRowClip& rows = *p->kernel.row_clip;
  EXPECT_EQ(rows.dim, nest.dim_index("kw"));
  EXPECT_EQ(rows.step, 2);
  EXPECT_EQ(rows.tap_step, 2);
  EXPECT_EQ(rows.extent, 57);
  EXPECT_EQ(rows.at(7, 1), 7 * 2 + 2 - 1);
  ASSERT_EQ(p->kernel.clips.size(), 1u);
  EXPECT_EQ(p->kernel.clips[0].dim, nest.dim_index("kh"));
}

TEST(Resolve, GemmStrides) {
  const Nest nest = nest_of("100x300:300x200");
  Result<Schedule> schedule = parse_schedule(
      "m/50@2 k/128 pack(B,panel) n/64 m/7~ | " + kernel("7x64x1_avx512") + " m=m n=n k=k", nest);
  ASSERT_TRUE(schedule.ok());
  Result<Program> p = resolve(nest, *schedule);
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(p->kernel.lda, 300 * 4);
  EXPECT_EQ(p->kernel.ldb, 64 * 4);
  EXPECT_EQ(p->kernel.ldc, 200 * 4);
  ASSERT_EQ(p->packs.size(), 1u);
  EXPECT_EQ(p->packs[0].bytes, 4 * 64 * 128 * 4) << "four panels of 64 columns, 128 rows of k";
  EXPECT_EQ(p->packs[0].desc.panel_stride, 64 * 128 * 4);
  // One column inside the pack steps panel_stride / 64; outside it steps one element of B.
  EXPECT_EQ(p->loops[2].stride[1], 128 * 4);
  EXPECT_EQ(p->loops[1].stride[1], 200 * 4);
  EXPECT_EQ(p->loops[3].parent, 0);
  EXPECT_EQ(p->scratch_bytes, p->packs[0].bytes);
  EXPECT_EQ(p->packed_weights_bytes, 0);
  EXPECT_TRUE(has_outer_reduction(*p));
}

TEST(Resolve, HaloPackOfAWindow) {
  const Nest nest = nest_of("mb1ic64ih56oc64oh56kh3ph1");
  Result<Schedule> schedule =
      parse_schedule("oh/8 pack(A,box) oh/1 ow/7~ oc/64 | " + kernel("7x64x1_avx512") +
                         " m=ow n=oc k=ic batch=kh,kw pack(B,panel,ahead)",
                     nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  Result<Program> p = resolve(nest, *schedule);
  ASSERT_TRUE(p.ok()) << p.error().message;
  const ProgramPack* pack = nullptr;
  for (const ProgramPack& candidate : p->packs) {
    if (candidate.operand == Operand::a) pack = &candidate;
  }
  ASSERT_NE(pack, nullptr);
  EXPECT_EQ(pack->bytes, 10 * 58 * 64 * 4) << "8 rows and their halo, 56 columns and theirs";
  EXPECT_EQ(p->kernel.lda, 64 * 4);
  EXPECT_EQ(p->kernel.a_batch_stride.at(0), 58 * 64 * 4);
  EXPECT_EQ(p->kernel.b_batch_stride.at(0), 3 * 64 * 64 * 4);
  EXPECT_EQ(p->packed_weights_bytes, 9 * 64 * 64 * 4);
}

TEST(Depthwise, WindowFromSubscripts) {
  const Nest nest = nest_of("g32mb1ic32ih112oc32oh56kh3sh2ph1");
  const std::optional<Window> window = depthwise_window(nest);
  ASSERT_TRUE(window.has_value());
  EXPECT_EQ(window->w.stride, 2);
  EXPECT_EQ(window->w.pad, 1);
  EXPECT_EQ(window->h.stride, 2);
  EXPECT_EQ(window->w.in_extent, 112);
  EXPECT_EQ(window->w.in_stride, 32 * 4);
  EXPECT_EQ(window->h.in_stride, 112 * 32 * 4);
  EXPECT_LT(window->d.out_dim, 0);
  EXPECT_FALSE(depthwise_window(nest_of("100x300:300x200")).has_value());
  EXPECT_FALSE(depthwise_window(nest_of("g2mb1ic64ih56oc64oh56kh3ph1")).has_value());
}

TEST(ThreadGrid, UsesTheScheduleOrTheBestBalance) {
  const Nest nest = nest_of("96x300:300x256");
  Result<Schedule> schedule =
      parse_schedule("m/32@1 n/64@2 m/7~ | " + kernel("7x64x1_avx512") + " m=m n=n k=k", nest);
  ASSERT_TRUE(schedule.ok());
  Result<Program> p = resolve(nest, *schedule);
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(thread_grid(*p, 1), (std::array<int, 4>{1, 1, 1, 1}));
  EXPECT_EQ(thread_grid(*p, 2), (std::array<int, 4>{1, 2, 1, 1}));
  EXPECT_EQ(thread_grid(*p, 3), (std::array<int, 4>{3, 1, 1, 1}));
  EXPECT_EQ(thread_grid(*p, 12), (std::array<int, 4>{3, 4, 1, 1}));
}

}  // namespace
}  // namespace cortex
