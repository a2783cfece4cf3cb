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

}  // namespace
}  // namespace cortex::testing
