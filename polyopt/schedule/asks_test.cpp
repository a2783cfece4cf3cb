// What kernels ask for before it is due (ProgramPrefetch, ProgramAhead, c_far).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "polyopt/schedule/program.h"
#include "polyopt/schedule/schedule.h"
#include "polyopt/schedule/testing.h"

namespace cortex {
namespace {

using testing::kernel;
using testing::kernel_of;
using testing::nest_of;

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

TEST(Prefetch, LeavesSmallPanelsOfNarrowVectorsToPrefetchers) {
  const std::string narrow = " | " + kernel("4x24x1_avx2") + " m=m n=n k=k";
  const Nest small = nest_of("100x1024:1024x768"), large = nest_of("100x1024:1024x769");  // 3 MB, more
  EXPECT_EQ(prefetch_of(small, "n/24 m/4~" + narrow + " pack(B,panel,ahead)").rows_per_unit, 0);
  EXPECT_EQ(prefetch_of(large, "n/24 m/4~" + narrow + " pack(B,panel,ahead)").rows_per_unit, 11);
  EXPECT_EQ(prefetch_of(small, "n/24 m/4~" + narrow).rows_per_unit, 11);  // rows far apart
  EXPECT_EQ(prefetch_of(small, "n/48 m/8~ | " + kernel("8x48x1_avx512") + " m=m n=n k=k pack(B,panel,ahead)")
                .rows_per_unit,
            11);
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
  // Narrow vectors ask for C beyond 24 MB; for short sums they write it past the caches, from 12 MB on.
  const std::string narrow = " | " + kernel("6x16x1_avx2") + " m=m n=n k=k";
  EXPECT_EQ(kernel_of(nest_of("60000x27:27x48"), "m/6~ n/16" + narrow).c_far, 0);
  EXPECT_EQ(kernel_of(nest_of("80000x27:27x48"), "m/6~ n/16" + narrow).c_far, 2);
  EXPECT_EQ(kernel_of(nest_of("80000x64:64x48"), "m/6~ n/16" + narrow).c_far, 0);
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

}  // namespace
}  // namespace cortex
