#include "microkernels/catalogue/catalogue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace cortex {
namespace {

TEST(Catalogue, NamesSayWhatKernelsAre) {
  std::set<std::string_view> names;
  for (const KernelInfo& k : kernel_catalogue()) {
    const char* op = k.op == KernelOp::brgemm ? "brgemm" : "dwconv";
    EXPECT_EQ(k.name, fmt::format("{}_{}_{}_{}_{}x{}x{}{}{}_{}", op, k.a, k.b, k.c, k.mr, k.nr, k.kr,
                                  k.variant.empty() ? "" : "_", k.variant, isa_name(k.isa)));
    EXPECT_TRUE(names.insert(k.name).second) << k.name << " is listed twice";
  }
}

TEST(Catalogue, RowsAreConsistent) {
  for (const KernelInfo& k : kernel_catalogue()) {
    EXPECT_EQ(k.brgemm != nullptr, k.op == KernelOp::brgemm && is_built(k.isa)) << k.name;
    EXPECT_EQ(k.dwconv != nullptr, k.op == KernelOp::dwconv && is_built(k.isa)) << k.name;
    if (k.variant != "dots") {
      EXPECT_EQ(k.nr % k.lanes, 0) << k.name;
    }
    EXPECT_GT(k.mr, 0) << k.name;
    EXPECT_GT(k.call_cycles, 0) << k.name;
    EXPECT_GE(k.tile_cycles, 0) << k.name;
  }
}

TEST(Catalogue, EveryIsaHasBothOps) {
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    for (KernelOp op : {KernelOp::brgemm, KernelOp::dwconv}) {
      bool found = false;
      for (const KernelInfo& k : kernel_catalogue()) found = found || (k.isa == isa && k.op == op);
      EXPECT_TRUE(found) << isa_name(isa);
    }
  }
}

TEST(Catalogue, FindsByWholeNameOnly) {
  for (const KernelInfo& k : kernel_catalogue()) EXPECT_EQ(find_kernel(k.name), &k);
  EXPECT_EQ(find_kernel("brgemm_f32_f32_f32_7x64x1"), nullptr);
  EXPECT_EQ(find_kernel(""), nullptr);
}

TEST(Catalogue, RoutinesAreOfTheBestIsaNotAbove) {
  constexpr Isa avx2 = is_built(Isa::avx2) ? Isa::avx2 : Isa::baseline;
  constexpr Isa avx512 = is_built(Isa::avx512) ? Isa::avx512 : avx2;
  for (const auto& [asked, best] : {std::pair{Isa::baseline, Isa::baseline},
                                    {Isa::avx2, avx2},
                                    {Isa::avx2vnni, avx2},
                                    {Isa::avx512, avx512},
                                    {Isa::avx512vnni, avx512},
                                    {Isa::avx512bf16, avx512}}) {
    EXPECT_EQ(pack_function(asked), best == Isa::avx512 ? CORTEX_WHERE_BUILT(avx512, cortex_pack_avx512)
                                    : best == Isa::avx2 ? CORTEX_WHERE_BUILT(avx2, cortex_pack_avx2)
                                                        : cortex_pack_baseline)
        << isa_name(asked);
    EXPECT_EQ(activate_function(asked), best == Isa::avx512
                                            ? CORTEX_WHERE_BUILT(avx512, cortex_activate_avx512)
                                        : best == Isa::avx2 ? CORTEX_WHERE_BUILT(avx2, cortex_activate_avx2)
                                                            : cortex_activate_baseline)
        << isa_name(asked);
  }
}

}  // namespace
}  // namespace cortex
