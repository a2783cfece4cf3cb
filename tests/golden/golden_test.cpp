// Emitted code against the files in this folder. See README.md for how to renew them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "generators/ast/build.h"
#include "generators/tool/compile.h"
#include "graph/lower/lower.h"

namespace cortex {
namespace {

struct Golden {
  const char *name, *problem, *schedule;
  Isa isa = Isa::avx512;
  int threads = 1;
  bool prepacked = true;
};

// Schedules are given, not searched: these files change with the emitter, not with the cost model.
const Golden goldens[] = {
    {"gemm", "--bia_dt=f32 --attr-post-ops=relu 100x256:256x192",
     "m/48 n/64 k/128 m/6 | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k pack(B,panel,ahead)"},
    {"conv_3x3", "mb2ic64ih56oc100oh56kh3ph1",
     "n/1@2 oh/8@1 oc/64 oh/1 ow/6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=ow n=oc k=ic batch=kh,kw "
     "pack(B,panel,ahead)",
     Isa::avx512, 2},
    {"conv_7x7_first", "mb1ic3ih224oc64oh112kh7sh2ph3",
     "oh/19@1 pack(A,box) oc/24 oh/1 ow/4 | brgemm_f32_f32_f32_4x24x1_avx2 m=ow n=oc k=kw_ic batch=kh "
     "pack(B,panel,ahead)",
     Isa::avx2},
    {"conv_grouped", "--attr-post-ops=sum+relu g4mb1ic64ih14oc128oh14kh3ph1dh1",
     "g/1@1 pack(A,box) oh/1 ow/6~ oc/32 | brgemm_f32_f32_f32_14x32x1_avx512 m=ow n=oc k=ic batch=kh,kw "
     "pack(B,panel,ahead)"},
    {"conv_depthwise", "--attr-post-ops=clip:0:6 g96mb1ic96ih112oc96oh56kh3sh2ph1",
     "oh/6@1 c/64 | dwconv_f32_f32_f32_21x16x1_avx512 m=ow n=c rows=oh batch=kh,kw"},
    {"matmul_plain", "64x300:300x500",
     "n/128@1 k/100~ pack(B,panel) m/12~ m/6 n/64 | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k",
     Isa::avx512, 2, false},
    {"matmul_split", "--bia_dt=f32 --attr-post-ops=sum+relu 40x5000:5000x96",
     "k/2512+@2 k/512 n/64 m/7~ | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k pack(B,panel,ahead)",
     Isa::avx512, 2},
    {"matmul_bf16", "--dt=bf16 --bia_dt=f32 --attr-post-ops=relu 100x300:300x96",
     "n/64@2 m/7~ | brgemm_bf16_bf16_f32_7x64x2_avx512bf16 m=m n=n k=k pack(B,panel,ahead)", Isa::avx512bf16,
     2},
    {"conv_u8s8",
     "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=dst:common:3 mb1ic32ih14oc64oh14kh3ph1",
     "oh/7@1 pack(A,box) oh/1 ow/4 oc/16 | brgemm_u8_s8_s32_4x16x4_avx2 m=ow n=oc k=kw_ic batch=kh "
     "pack(B,panel,ahead)",
     Isa::avx2},
    {"conv_depthwise_u8s8",
     "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:3 g96mb1ic96ih28oc96oh28kh3ph1",
     "oh/7@1 | dwconv_u8_s8_s32_24x64x1_avx512vnni m=ow n=c rows=oh batch=kh,kw", Isa::avx512vnni},
    {"matmul_u8s8_tiles", "--dt=u8:s8:s32 100x300:300x96",
     "n/32@1 m/32 | brgemm_u8_s8_s32_32x32x4_amx m=m n=n k=k pack(B,panel,ahead)", Isa::amx},
};

std::string emit(const Golden& golden) {
  const Result<Problem> problem = parse_problem(golden.problem);
  if (!problem) return problem.error().message;
  const Result<Nest> lowered = lower(*problem);
  if (!lowered) return lowered.error().message;
  const Nest nest = coalesce(*lowered);
  const Result<Schedule> schedule = parse_schedule(golden.schedule, nest);
  if (!schedule) return schedule.error().message + "\n" + to_string(nest);
  Machine machine;
  machine.isa = golden.isa;
  Result<LibraryKernel> kernel =
      compile_scheduled({*problem, golden.prepacked, golden.threads}, machine, nest, *schedule);
  if (!kernel) return kernel.error().message + "\n" + to_string(nest);
  Library library;
  library.name = golden.name;
  library.generator = "cortex-gen";  // no version: a release is no reason to renew these files
  library.kernels.push_back(std::move(*kernel));
  return emit_library(library)[2].text;
}

class GoldenTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, EmitsTheSameBytes) {
  const Golden& golden = GetParam();
  const std::string path = fmt::format("{}/{}.cpp", CORTEX_GOLDEN_FOLDER, golden.name);
  const std::string text = emit(golden);
  ASSERT_NE(text.find("cortex_kernel_call"), std::string::npos) << text;
  EXPECT_EQ(emit(golden), text) << "not deterministic";
  if (std::getenv("CORTEX_UPDATE_GOLDEN")) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string kept((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, kept) << "renew with CORTEX_UPDATE_GOLDEN=1 if the change is intended";
}

INSTANTIATE_TEST_SUITE_P(Emitted, GoldenTest, ::testing::ValuesIn(goldens),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace cortex
