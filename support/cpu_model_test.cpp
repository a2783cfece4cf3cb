#include "support/cpu_model.h"

#include <gtest/gtest.h>

namespace cortex {
namespace {

TEST(CpuModel, OnlyMeasuredModelsAreSaidToFollowWideRows) {
  EXPECT_TRUE(follows_wide_rows({true, 0x19, true}));    // Zen 4
  EXPECT_FALSE(follows_wide_rows({true, 0x19, false}));  // Zen 3: not measured
  EXPECT_FALSE(follows_wide_rows({true, 0x1a, true}));   // Zen 5: asking ahead pays
  EXPECT_FALSE(follows_wide_rows({false, 0x19, true}));
  EXPECT_FALSE(follows_wide_rows({false, 6, true}));
}

TEST(CpuModel, OnlyMeasuredModelsAreSaidToFollowRowsOfAPage) {
  EXPECT_TRUE(follows_rows_of_page({true, 0x19, true}));   // Zen 4
  EXPECT_FALSE(follows_rows_of_page({true, 0x1a, true}));  // Zen 5: loses a third
  EXPECT_FALSE(follows_rows_of_page({false, 6, true}));
}

TEST(CpuModel, IsWhatTheCompilerDetects) {
  __builtin_cpu_init();
  const CpuModel model = cpu_model();
  EXPECT_EQ(model.amd, __builtin_cpu_is("amd") != 0);
  if (__builtin_cpu_is("amdfam17h")) {
    EXPECT_EQ(model.family, 0x17);
  }
  if (__builtin_cpu_is("amdfam19h")) {
    EXPECT_EQ(model.family, 0x19);
  }
  if (__builtin_cpu_supports("avx512f")) {
    EXPECT_TRUE(model.avx512);
  }
  EXPECT_EQ(follows_wide_rows(), follows_wide_rows(model));
  EXPECT_EQ(follows_rows_of_page(), follows_rows_of_page(model));
}

TEST(CpuModel, TestsMayAssumeAnother) {
  for (const CpuModel& assumed : {CpuModel{true, 0x19, true}, CpuModel{true, 0x1a, true}, cpu_model()}) {
    assume_cpu_model(assumed);
    EXPECT_EQ(follows_wide_rows(), follows_wide_rows(assumed));
    EXPECT_EQ(follows_rows_of_page(), follows_rows_of_page(assumed));
  }
}

}  // namespace
}  // namespace cortex
