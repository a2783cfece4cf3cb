// Plans of bf16 and of 8-bit integers on every instruction set.
#include <gtest/gtest.h>

#include "runtime/testing/narrow_plan.h"

namespace cortex::testing {
namespace {

void check_lines(std::initializer_list<const char*> lines) {
  const EveryIsa all;
  for (const char* line : lines) {
    Narrow narrow(line);
    EXPECT_EQ(all.check(narrow, nullptr), static_cast<int>(all.contexts.size())) << line;
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(NarrowPlans, RandomProblemsOnEveryInstructionSet) { check_narrow(false); }

// Depthwise convolutions: zero points that meet padding, groups of channels that are not whole, windows that
// have kernels of their own and others, three dimensions.
TEST(NarrowPlans, DepthwiseConvolutions) {
  check_lines(
      {"--dt=u8:s8:u8 --attr-oscale=per_oc g32mb1ic32ih20oc32oh20kh3ph1",
       "--dt=u8:s8:u8 --attr-oscale=per_oc --dir=FWD_B --attr-post-ops=relu g96mb2ic96ih15oc96oh8kh3sh2ph1",
       "--dt=u8:s8:s8 --attr-oscale=per_oc --attr-zero-points=src:common:200+dst:common:-3 "
       "g144mb1ic144ih9oc144oh9kh3ph1",
       "--dt=s8:s8:s8 --attr-oscale=per_oc --attr-zero-points=src:common:-9 --attr-post-ops=sum "
       "g70mb1ic70ih9oc70oh9kh5ph2",
       "--dt=s8:s8:u8 --attr-oscale=per_oc g130mb1ic130ih14oc130oh7kh5sh2ph2",
       "--dt=s8:s8:s32 --attr-zero-points=src:common:127 g65mb1ic65ih8oc65oh8kh7ph3",
       "--dt=u8:s8:f32 --attr-oscale=per_oc --attr-zero-points=src:common:3 "
       "g40mb1ic40ih1iw30oc40oh1ow30kh1kw9pw4",
       "--dt=u8:s8:u8 --attr-oscale=per_oc g20mb1ic20ih12oc20oh12kh3ph2dh1",
       "--dt=u8:s8:s32 --attr-zero-points=src:common:5 g9mb1ic9id4ih6iw6oc9od4oh6ow6kd3kh3kw3pd1ph1pw1",
       "--dt=bf16:bf16:bf16 --dir=FWD_B --attr-post-ops=clip:0:6 g144mb1ic144ih14oc144oh14kh3ph1",
       "--dt=bf16:bf16:f32 --attr-post-ops=sum g33mb2ic33ih15oc33oh8kh3sh2ph1",
       "--dt=bf16:bf16:bf16 g24mb1ic24ih9oc24oh9kh5ph2"});
}

// Few channels: rows of the input counted in units where they are whole (odd padding, windows of any width,
// strides, two and three dimensions), filled up a channel at a time where they are not.
TEST(NarrowPlans, FewChannels) {
  check_lines(
      {"--dt=bf16:bf16:bf16 --dir=FWD_B --attr-post-ops=relu mb1ic3ih20iw36oc40oh10ow18kh7kw7sh2sw2ph3pw3",
       "--dt=bf16:bf16:f32 mb2ic3ih17iw34oc20oh9ow17kh3kw3sh2sw2ph1pw1",
       "--dt=bf16:bf16:f32 --attr-post-ops=sum mb1ic3ih20oc17oh10kh2sh2ph0",
       "--dt=bf16:bf16:bf16 mb1ic5ih12oc8oh6kh3sh2ph1", "--dt=bf16:bf16:f32 mb2ic1ih28oc8oh14kh5sh2ph2",
       "--dt=bf16:bf16:bf16 mb1ic3id6ih6iw8oc9od3oh3ow4kd3kh3kw3sd2sh2sw2pd1ph1pw1",
       "--dt=bf16:bf16:bf16 mb1ic3ih1iw64oc9oh1ow32kh1kw4sh1sw2ph0pw1",
       "--dt=bf16:bf16:bf16 mb1ic3ih12oc16oh12kh3ph1", "--dt=bf16:bf16:bf16 mb1ic3ih11oc16oh6kh3sh2ph1",
       "--dt=u8:s8:u8 --attr-oscale=per_oc mb1ic3ih36oc24oh7kh11sh4ph0",
       "--dt=u8:s8:u8 --attr-oscale=per_oc mb1ic3ih36oc24oh9kh11sh4ph4",
       "--dt=u8:s8:f32 mb2ic2ih16oc9oh8kh5sh2ph2",
       "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:7 mb1ic3ih36oc24oh7kh11sh4ph0",
       "--dt=s8:s8:s32 mb1ic3ih36oc24oh9kh11sh4ph4"});
}

}  // namespace
}  // namespace cortex::testing
