#include "polyopt/model/peak.h"

#include <gtest/gtest.h>

#include "graph/lower/lower.h"
#include "polyopt/model/facts.h"
#include "polyopt/model/predict.h"

namespace cortex {
namespace {

// 3 GHz, two FMAs a cycle.
Machine machine_of(Isa isa, double dots = 0) {
  Machine m;
  m.isa = isa;
  m.cores = 2;
  m.ghz = 3;
  m.fma_per_cycle = 2;
  m.bf16_dots_per_cycle = dots;
  m.vector_lanes = isa >= Isa::avx512 ? 16 : isa >= Isa::avx2 ? 8 : 4;
  m.memory_read_bytes_per_cycle = m.memory_bytes_per_cycle_all = 1000;
  return m;
}

struct Case {
  Isa isa;
  double dots;
  DataType a;
  const char* instruction;
  double multiply_adds;
};

TEST(Peak, IsThatOfTheInstructionsOfTheLevel) {
  using enum DataType;
  const Case cases[] = {
      {Isa::baseline, 0, f32, "mulps and addps", 8},
      {Isa::avx2, 0, f32, "FMA", 16},
      {Isa::avx512, 0, f32, "FMA", 32},
      {Isa::amx, 0.5, f32, "FMA", 32},
      // Widened: bf16 to f32, bytes to 16 bits, two to a lane.
      {Isa::baseline, 0, u8x4, "mulps and addps", 8},
      {Isa::avx2, 0, u8x4, "vpmaddwd", 32},
      {Isa::avx512, 0, u8x4, "vpmaddwd", 64},
      {Isa::avx512, 0, s8, "vpmaddwd", 64},
      {Isa::avx512vnni, 0, bf16x2, "FMA", 32},
      // Two and four elements a lane.
      {Isa::avx2vnni, 0, u8x4, "vpdpbusd", 64},
      {Isa::avx512vnni, 0, u8x4, "vpdpbusd", 128},
      {Isa::avx512bf16, 2, bf16x2, "vdpbf16ps", 64},
      {Isa::avx512bf16, 0.5, bf16x2, "FMA", 32},  // pairs are slower than what they stand for
      // Tiles.
      {Isa::amx, 0.5, bf16x2, "tdpbf16ps", 512},
      {Isa::amx, 0.5, u8x4, "tdpbusd", 1024},
      // Depthwise windows: no tiles, bf16 is widened.
      {Isa::amx, 0.5, bf16, "FMA", 32},
      {Isa::avx512bf16, 2, bf16, "FMA", 32},
      {Isa::amx, 0.5, s8, "vpdpbusd", 128},
  };
  for (const Case& c : cases) {
    const Peak peak = peak_of(machine_of(c.isa, c.dots), c.a);
    EXPECT_STREQ(peak.instruction, c.instruction) << isa_name(c.isa) << " " << dtype_name(c.a);
    EXPECT_EQ(peak.multiply_adds_per_cycle, c.multiply_adds) << isa_name(c.isa) << " " << dtype_name(c.a);
    EXPECT_EQ(peak.tiles, c.multiply_adds >= 512);
  }
  const Machine m = machine_of(Isa::avx512);
  EXPECT_EQ(peak_of(m, f32).gflops(m, 2), m.peak_gflops(2));
}

// The same multiply-adds take a fraction of the time; memory is fast enough here.
TEST(Peak, RooflinesStandOnIt) {
  const auto seconds = [](const char* text, const Machine& machine) {
    const Result<Problem> problem = parse_problem(text);
    EXPECT_TRUE(problem.ok());
    Prediction prediction;
    add_bounds(prediction, *gather_facts(coalesce(*lower(*problem))), machine, 1);
    return prediction.roofline_seconds;
  };
  const double f32 = seconds("512x512:512x512", machine_of(Isa::amx, 0.5));
  EXPECT_DOUBLE_EQ(f32, 512.0 * 512 * 512 / 32 / 3e9);
  EXPECT_DOUBLE_EQ(seconds("--dt=u8:s8:s32 512x512:512x512", machine_of(Isa::amx, 0.5)), f32 / 32);
  EXPECT_DOUBLE_EQ(seconds("--dt=bf16 512x512:512x512", machine_of(Isa::amx, 0.5)), f32 / 16);
  EXPECT_DOUBLE_EQ(seconds("--dt=bf16 512x512:512x512", machine_of(Isa::avx512bf16, 2)), f32 / 2);
  EXPECT_DOUBLE_EQ(seconds("--dt=u8:s8:s32 512x512:512x512", machine_of(Isa::avx512)), f32 / 2);
  EXPECT_DOUBLE_EQ(seconds("--dt=u8:s8:s32 512x512:512x512", machine_of(Isa::avx2)), f32);
}

}  // namespace
}  // namespace cortex
