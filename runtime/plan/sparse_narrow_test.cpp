// Plans of bf16 and of 8-bit integers whose weights have zeros, on every instruction set.
#include <gtest/gtest.h>

#include "runtime/testing/narrow_plan.h"

namespace cortex::testing {
namespace {

TEST(SparseNarrowPlans, RandomProblemsOnEveryInstructionSet) { check_narrow(true); }

// Images side by side, blocks of points, strides, edges, long reductions; u8 and s8, zero points.
TEST(SparseNarrowPlans, LargerOnes) {
  const EveryIsa all;
  for (const char* line :
       {"--dt=u8:s8:u8 --attr-oscale=per_oc mb16ic20ih14oc9oh14kh3ph1",
        "--dt=u8:s8:u8 --attr-oscale=per_oc mb32ic17ih14oc11oh7kh3sh2ph1",
        "--dt=u8:s8:s8 --attr-oscale=per_oc --attr-post-ops=sum mb16ic5ih21oc6oh21kh1ph0",
        "--dt=s8:s8:f32 --attr-oscale=per_oc mb16ic9ih28oc10oh28kh3ph1",
        "--dt=s8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:-7+dst:common:9 "
        "mb1ic9ih56oc10oh56kh3ph1",
        "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:200 mb1ic24ih56oc10oh56kh1ph0",
        "--dt=u8:s8:u8 --attr-oscale=per_oc mb1ic9ih56oc10oh28kh1sh2ph0",
        "--dt=u8:s8:s32 mb1ic300ih14oc12oh14kh3ph1",
        "--dt=u8:s8:u8 --attr-oscale=per_oc mb16ic3ih6oc4oh2kh3sh2ph0",
        "--dt=u8:s8:u8 --attr-oscale=per_oc mb16ic4ih7oc5oh7kh3ph1",
        "--dt=u8:s8:s32 50x700:700x33",
        "--dt=u8:s8:u8 --attr-oscale=per_oc mb16ic4ih10oc5oh10kh3ph2dh1",
        "--dt=bf16 mb16ic20ih14oc9oh14kh3ph1",
        "--dt=bf16 --attr-post-ops=sum+relu mb32ic17ih14oc11oh7kh3sh2ph1",
        "--dt=bf16:bf16:f32 --attr-post-ops=sum mb16ic5ih21oc6oh21kh1ph0",
        "--dt=bf16 mb1ic70ih56oc10oh56kh3ph1",
        "--dt=bf16:bf16:f32 mb1ic24ih56oc10oh56kh1ph0",
        "--dt=bf16 mb1ic9ih56oc10oh28kh1sh2ph0",
        "--dt=bf16:bf16:f32 mb1ic300ih14oc12oh14kh3ph1",
        "--dt=bf16 --attr-post-ops=gelu_tanh 50x700:700x33",
        "--dt=bf16 mb16ic3ih6oc4oh2kh3sh2ph0",
        "--dt=bf16 mb16ic4ih10oc5oh10kh3ph2dh1"}) {
    for (const int32_t share : {0, 1, 2, 4}) {
      Narrow narrow(line, share, 25);
      EXPECT_EQ(all.check(narrow, nullptr), static_cast<int>(all.contexts.size())) << line;
      if (HasFailure()) return;
    }
  }
}

// A few rows: lanes are columns. Fours of k and blocks of columns that are cut short.
TEST(SparseNarrowPlans, Bitmaps) {
  const EveryIsa all;
  const Handle<cortex_thread_pool> pool = pool_of(2);
  for (const char* line :
       {"--dt=u8:s8:u8 --attr-oscale=per_oc 1x300:300x200",
        "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:200+dst:common:9 3x70:70x65",
        "--dt=s8:s8:s8 --attr-oscale=per_oc --attr-zero-points=src:common:-7 --attr-post-ops=sum+relu "
        "4x64:64x1",
        "--dt=s8:s8:f32 --attr-oscale=per_oc --bia_dt=f32 7x129:129x130",
        "--dt=u8:s8:s32 --stag=ba 5x33:33x70", "--dt=s8:s8:s32 --stag=ba --wtag=ba 16x41:41x31",
        "--dt=u8:s8:f32 --wtag=ba --attr-post-ops=sum 2x1:1x67", "--dt=bf16 4x129:129x130"}) {
    for (const int percent : {0, 12, 50, 100}) {
      Narrow narrow(line, CORTEX_SPARSE_BITMAP, percent);
      EXPECT_EQ(all.check(narrow, pool.get()), static_cast<int>(all.contexts.size())) << line;
      if (HasFailure()) return;
    }
  }
}

// AVX512_VBMI2 is part of no level: where the CPU has it, levels from avx512vnni on may use it.
TEST(SparseNarrowPlans, BitmapsExpandAsTheLevelMay) {
  __builtin_cpu_init();
  const char* const widest = __builtin_cpu_supports("avx512vbmi2") ? "avx512vbmi2" : "avx2";
  for (const auto& [isa, kernel] : {std::pair{Isa::baseline, "baseline"},
                                    {Isa::avx2, "avx2"},
                                    {Isa::avx2vnni, "avx2vnni"},
                                    {Isa::avx512, "avx2"},
                                    {Isa::avx512vnni, widest},
                                    {Isa::avx512bf16, widest},
                                    {Isa::amx, widest}}) {
    if (!supports(isa)) continue;
    const Handle<cortex_context> context = context_for(isa_name(isa));
    const int8_t weights[64] = {1};
    cortex_plan_options options = cortex_plan_options_init();
    options.sparse_weights = weights;
    options.sparse_share = CORTEX_SPARSE_BITMAP;
    cortex_message message;
    cortex_problem* raw_problem = nullptr;
    ASSERT_EQ(cortex_problem_parse("--dt=u8:s8:s32 1x8:8x8", &raw_problem, &message), CORTEX_OK);
    const Handle<cortex_problem> problem(raw_problem);
    cortex_plan* raw = nullptr;
    ASSERT_EQ(cortex_plan_create(context.get(), raw_problem, &options, &raw, &message), CORTEX_OK)
        << message.text;
    const Handle<cortex_plan> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(raw, &info, nullptr);
    EXPECT_EQ(std::string(info.kernel), std::string("bitmap_u8s8_") + kernel) << isa_name(isa);
  }
}

// Sums of pairs beyond 16 bits.
TEST(SparseNarrowPlans, ExtremesDoNotSaturate) {
  const EveryIsa all;
  for (const char* line : {"--dt=u8:s8:s32 1x514:514x70", "--dt=s8:s8:s32 5x514:514x70",
                           "--dt=u8:s8:f32 --attr-zero-points=src:common:3 4x300:300x16"}) {
    for (const int32_t share : {int32_t{CORTEX_SPARSE_BITMAP}, 1, 4}) {
      for (const int percent : {50, 100}) {
        Narrow narrow(line, share, percent, true);
        EXPECT_EQ(all.check(narrow, nullptr), static_cast<int>(all.contexts.size())) << line;
        if (HasFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace cortex::testing
