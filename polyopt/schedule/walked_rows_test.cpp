// Which loops over the rows of tiles kernels walk themselves.
#include <gtest/gtest.h>

#include "polyopt/schedule/testing.h"

namespace cortex {
namespace {

using testing::kernel;
using testing::kernel_of;
using testing::nest_of;

const std::string avx2 = " | " + kernel("4x24x1_avx2");

TEST(WalkedRows, AreThoseOfTheInnermostLoop) {
  const Nest nest = nest_of("100x300:300x240");
  const std::string tile = avx2 + " m=m n=n k=k pack(B,panel,ahead)";
  EXPECT_EQ(kernel_of(nest, "n/24 m/4~" + tile).tile_rows, 4);
  EXPECT_EQ(kernel_of(nest, "n/24 m/3" + tile).tile_rows, 3);
  EXPECT_EQ(kernel_of(nest, "m/32 n/24 m/4~" + tile).tile_rows, 4);
  EXPECT_EQ(kernel_of(nest, "n/24@1 m/4~@1" + tile).tile_rows, 4);
  EXPECT_EQ(kernel_of(nest, "m/4~ n/24" + tile).tile_rows, 0);
  // One tile is a call as it is.
  EXPECT_EQ(kernel_of(nest_of("4x300:300x240"), "n/24 m/4~" + tile).tile_rows, 0);
  // Sums that go on, too.
  EXPECT_EQ(kernel_of(nest, "k/150 n/24 m/4~" + tile).tile_rows, 4);
}

TEST(WalkedRows, AreOneThreads) {
  const std::string tile = avx2 + " m=m n=n k=k pack(B,panel,ahead)";
  const Nest nest = nest_of("100x300:300x24");
  EXPECT_EQ(kernel_of(nest, "m/4~@1" + tile).tile_rows, 4);
  EXPECT_EQ(kernel_of(nest, "m/4~@2" + tile).tile_rows, 0);
}

TEST(WalkedRows, HaveNothingElseToDo) {
  const std::string tile = avx2 + " m=m n=n k=k pack(B,panel,ahead)";
  const auto rows = [&](const char* attributes) {
    return kernel_of(nest_of((std::string(attributes) + " 100x300:300x240").c_str()), "n/24 m/4~" + tile)
        .tile_rows;
  };
  EXPECT_EQ(rows("--bia_dt=f32"), 4);
  EXPECT_EQ(rows("--bia_dt=f32 --attr-post-ops=relu"), 4);
  EXPECT_EQ(rows("--attr-post-ops=relu:0.1"), 0);
  EXPECT_EQ(rows("--attr-post-ops=tanh"), 0);
  EXPECT_EQ(rows("--attr-post-ops=sum"), 0);
  // A copy of A for every tile.
  EXPECT_EQ(kernel_of(nest_of("100x300:300x240"), "n/24 m/4~ pack(A,box)" + tile).tile_rows, 0);
  // A beyond what prefetchers follow is asked for, tile by tile.
  const ProgramKernel large = kernel_of(nest_of("3136x256:256x48"), "n/24 m/4~" + tile);
  EXPECT_EQ(large.tile_rows, 4);
  EXPECT_EQ(large.a_ahead.stride, 256 * 4);
  // 40 MB of C, which calls ask for where they do not write it past the caches.
  EXPECT_EQ(kernel_of(nest_of("43690x32:32x240"), "n/24 m/4~" + tile).tile_rows, 0);
  EXPECT_EQ(kernel_of(nest_of("43690x32:32x240"),
                      "n/16 m/6~ | " + kernel("6x16x1_avx2") + " m=m n=n k=k pack(B,panel,ahead)")
                .tile_rows,
            6);
}

TEST(WalkedRows, MayBeOfWindows) {
  const Nest window = nest_of("mb1ic512ih7oc512oh7kh3ph1");
  EXPECT_EQ(kernel_of(window, "oc/24 oh/1 ow/4~" + avx2 + " m=ow n=oc k=ic batch=kh,kw pack(B,panel,ahead)")
                .tile_rows,
            4);
  // Calls of one output leave out taps of their own.
  const Nest line = nest_of("mb1ic64ih1iw20oc48oh1ow20kh1kw3pw1");
  const std::string of_line = avx2 + " m=ow n=oc k=ic batch=kw pack(B,panel,ahead)";
  EXPECT_EQ(kernel_of(line, "oc/24 ow/4" + of_line).tile_rows, 4);
  EXPECT_EQ(kernel_of(line, "oc/24 ow/1" + of_line).tile_rows, 0);
}

TEST(WalkedRows, AreOfKernelsThatDoItFaster) {
  const Nest nest = nest_of("100x300:300x240");
  EXPECT_EQ(kernel_of(nest, "n/48 m/8~ | " + kernel("8x48x1_avx512") + " m=m n=n k=k pack(B,panel,ahead)")
                .tile_rows,
            0);
  EXPECT_EQ(kernel_of(nest, "n/8 m/4~ | " + kernel("4x8x1_baseline") + " m=m n=n k=k pack(B,panel,ahead)")
                .tile_rows,
            0);
}

}  // namespace
}  // namespace cortex
