#include "support/cpu.h"

#include <gtest/gtest.h>

namespace cortex {
namespace {

constexpr IsaSet set_of(std::initializer_list<Isa> isas) {
  IsaSet set = 0;
  for (const Isa isa : isas) set |= isa_bit(isa);
  return set;
}
constexpr IsaSet all = (1u << isa_count) - 1;
constexpr IsaSet zen4 = all & ~set_of({Isa::avx2vnni, Isa::amx});

TEST(Cpu, TheHighestIsaIsOneThatTheCpuHasAndThatWasBuilt) {
  EXPECT_EQ(highest_isa(Isa::amx, zen4, all), Isa::avx512bf16);
  EXPECT_EQ(highest_isa(Isa::avx512, zen4, all), Isa::avx512);
  EXPECT_EQ(highest_isa(Isa::avx2vnni, zen4, all), Isa::avx2) << "the cap is a level the CPU lacks";
  EXPECT_EQ(highest_isa(Isa::amx, zen4, set_of({Isa::baseline, Isa::avx2})), Isa::avx2);
  EXPECT_EQ(highest_isa(Isa::avx512, zen4, set_of({Isa::baseline, Isa::avx2})), Isa::avx2);
  EXPECT_EQ(highest_isa(Isa::avx2, zen4, set_of({Isa::baseline, Isa::avx512})), Isa::baseline);
  EXPECT_EQ(highest_isa(Isa::amx, set_of({Isa::baseline, Isa::avx2}), set_of({Isa::baseline, Isa::avx512})),
            Isa::baseline);
  EXPECT_EQ(highest_isa(Isa::amx, all, set_of({Isa::baseline})), Isa::baseline);
  EXPECT_EQ(highest_isa(Isa::baseline, 0, 0), Isa::baseline);
}

TEST(Cpu, WhatIsUsedWasBuilt) {
  EXPECT_TRUE(is_built(Isa::baseline));
  EXPECT_TRUE(supports(detected_isa()));
  for (int i = 0; i < isa_count; ++i) {
    const Isa isa = static_cast<Isa>(i);
    EXPECT_EQ(supports(isa), is_built(isa) && cpu_has(isa)) << isa_name(isa);
    EXPECT_TRUE(supports(capped_isa(isa))) << isa_name(isa);
    EXPECT_LE(capped_isa(isa), isa);
    EXPECT_LE(capped_isa(isa), detected_isa());
    if (supports(isa)) {
      EXPECT_EQ(capped_isa(isa), isa);
    }
    // What a level adds to, it comes with.
    if (is_built(isa)) {
      EXPECT_TRUE(is_built(f32_isa(isa))) << isa_name(isa);
    }
  }
}

TEST(Cpu, LevelsRunBuiltCodeUpToThem) {
  for (int i = 0; i < isa_count; ++i) {
    const Isa level = static_cast<Isa>(i);
    EXPECT_TRUE(runs(level, level));
    EXPECT_TRUE(runs(level, Isa::baseline));
    for (int j = 0; j < isa_count; ++j) {
      const Isa code = static_cast<Isa>(j);
      if (j > i) {
        EXPECT_FALSE(runs(level, code)) << isa_name(level) << ", " << isa_name(code);
      }
      if (is_built(level) && runs(level, code)) {
        EXPECT_TRUE(is_built(code)) << isa_name(level) << ", " << isa_name(code);
      }
    }
  }
  EXPECT_FALSE(runs(Isa::avx512, Isa::avx2vnni));
  EXPECT_TRUE(runs(Isa::amx, f32_isa(Isa::amx)));
}

TEST(Cpu, MessagesSayHowToBuildAnIsa) {
  const std::string text = not_built(Isa::avx512bf16);
  EXPECT_NE(text.find("avx512bf16 was not built"), std::string::npos) << text;
  EXPECT_NE(text.find("-DCORTEX_ISAS=avx512bf16"), std::string::npos) << text;
}

}  // namespace
}  // namespace cortex
