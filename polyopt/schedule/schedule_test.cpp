#include "polyopt/schedule/schedule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "polyopt/schedule/loop_string.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"
#include "polyopt/schedule/testing.h"

namespace cortex {
namespace {

using testing::kernel;
using testing::kernel_of;
using testing::nest_of;

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
