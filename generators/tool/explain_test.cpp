#include "generators/tool/explain.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "generators/tool/explain_sections.h"

namespace cortex {
namespace {

// Reports must not depend on the machine the test runs on.
std::string machine_file() {
  Machine machine = host_machine(Isa::avx512);
  machine.name = "test machine";
  machine.isa = Isa::avx512;
  machine.cores = 4;
  machine.ghz = 2;
  machine.fma_per_cycle = 2;
  machine.vector_lanes = 16;
  machine.caches = {{.name = "L1",
                     .bytes = 32768,
                     .read_bytes_per_cycle = 64,
                     .write_bytes_per_cycle = 32,
                     .latency_cycles = 4},
                    {.name = "L2",
                     .bytes = 1 << 20,
                     .read_bytes_per_cycle = 32,
                     .write_bytes_per_cycle = 16,
                     .latency_cycles = 14}};
  machine.memory_read_bytes_per_cycle = 8;
  machine.memory_write_bytes_per_cycle = 4;
  machine.memory_bytes_per_cycle_all = 16;
  const std::string path = ::testing::TempDir() + "explain_test_machine.json";
  std::ofstream(path) << to_json(machine);
  return path;
}

ExplainOptions options(const std::string& problem, const std::string& schedule = "") {
  return {.problem = problem, .isa = Isa::avx512, .machine_file = machine_file(), .schedule = schedule};
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin:\n" << text;
}

TEST(Explain, ScheduleThatIsGiven) {
  const Result<std::string> text = explain(
      options("--attr-post-ops=relu 100x64:64x96",
              "m/48@2 n/64 k/24 m/6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k pack(B,panel,ahead)"));
  ASSERT_TRUE(text) << text.error().message;
  expect_contains(*text,
                  "  for m < 100, n < 96    (parallel)\n    for k < 64    (reduction)\n      dst[m, n] += "
                  "src[m, k] * wei[k, n]\n");
  expect_contains(*text, "then, once per element of C: C = relu(C)");
  expect_contains(
      *text, "RAW, WAR, WAW on C: S -> S along k: updates of one element, in any order but one at a time");
  expect_contains(*text, "RAW, WAR, WAW on C: S -> E: the epilogue of an element waits for all its updates");
  expect_contains(*text, "RAR on A: the same element is read again at (n+1)");
  expect_contains(*text, "schedule, as given");
  expect_contains(*text,
                  "  as a loop string, a=m b=n c=k\n"
                  "  A{R:2}bca a=48,6~ b=64 c=24 | brgemm_f32_f32_f32_7x64x1_avx512 m=a n=b k=c "
                  "pack(B,panel,ahead)\n");
  expect_contains(
      *text,
      "  for m in 0..100, by 48 or 4: 3 tiles, parallel, 2 threads\n"
      "    for n in 0..96, by 64 or 32: 2 tiles\n"
      "      for k in 0..64, by 24 or 16: 3 tiles\n"
      "        for m in its tile of 48 or 4, by 6 or 4 (balanced): up to 8 tiles\n"
      "          brgemm_f32_f32_f32_7x64x1_avx512\n"
      "            first visit overwrites C, later ones add to it; the last applies the epilogue\n");
  expect_contains(*text, "rows m = m 6 or 4; columns n = n 64 or 32; reduction k = k 24 or 16; batch = 1");
  expect_contains(*text, "legal: every dependence runs forward");
  // The whole nest: 100x64, 64x96 and 100x96 floats.
  expect_contains(*text, "25.0 KiB    24.0 KiB    37.5 KiB    86.5 KiB");
  expect_contains(*text, "I/O lower bound   86.5 KiB");
  // L2 holds the whole nest: every line comes once.
  expect_contains(*text,
                  "  L2       25.0 KiB    24.0 KiB         0 B    37.5 KiB    37.5 KiB             1\n");
  expect_contains(*text, "peak 128.0 GFLOP/s of FMA at 2.00 GHz");
  // From one k tile to the next: two tiles of A (6 x 24), two of B (24 x 64), one of C (6 x 64).
  expect_contains(*text, "RAW C   k/24 (loop 2)         k+1");
  // A is used again by the next n tile, after all of k: 48 x 64 of A, 64 x 64 of B and a tile of the next.
  expect_contains(*text, "RAR A   n/64 (loop 1)         n+1");
  // B by the next m tile inside the call's k tile: two row tiles of A and C, one tile of B.
  expect_contains(*text, fmt::format("RAR B   m/6~ (loop 3)         m+1{:>23}  L1",
                                     explaining::human_bytes(4 * (2 * 6 * 24 + 24 * 64 + 2 * 6 * 64))));
}

TEST(Explain, ConvolutionThatSearchSchedules) {
  const Result<std::string> text = explain(options("mb1ic32ih56oc64oh56kh3ph1n\"layer*3\""));
  ASSERT_TRUE(text) << text.error().message;
  expect_contains(*text, "layer, 3 times");
  expect_contains(*text, "dst[oh, ow, oc] += src[oh+kh-1, ow+kw-1, ic] * wei[kh, kw, ic, oc]");
  expect_contains(*text, "the same element is read again at (oh+1,kh-1), (ow+1,kw-1), (oc+1)");
  expect_contains(*text, "dims joined into");
  expect_contains(*text, "the best of ");
  expect_contains(*text, "bound by arithmetic");
  expect_contains(*text, "% of peak (FMA)");
}

// 32 FMAs, 64 products of vpmaddwd, 128 of vpdpbusd, 1024 of a tile register a cycle, at 2 GHz.
TEST(Explain, PeaksAreThoseOfTheInstructions) {
  const auto of_level = [](Isa isa, const char* problem) {
    ExplainOptions o = options(problem);
    o.isa = isa;
    const Result<std::string> text = explain(o);
    EXPECT_TRUE(text.ok()) << text.error().message;
    return text.ok() ? *text : "";
  };
  const char* const bytes = "--dt=u8:s8:s32 128x256:256x128";
  const std::string widened = of_level(Isa::avx512, bytes);
  expect_contains(widened, "peak 256.0 GFLOP/s of vpmaddwd at");
  const std::string vnni = of_level(Isa::avx512vnni, bytes);
  expect_contains(vnni, "peak 512.0 GFLOP/s of vpdpbusd at");
  expect_contains(vnni, "% of peak (vpdpbusd)");
  const std::string tiles = of_level(Isa::amx, bytes);
  expect_contains(tiles, "peak 4096.0 GFLOP/s of tdpbusd at");
  expect_contains(tiles, "% of peak (tdpbusd)");
  expect_contains(of_level(Isa::amx, "--dt=bf16 128x256:256x128"), "peak 2048.0 GFLOP/s of tdpbf16ps at");
  expect_contains(of_level(Isa::avx512bf16, "--dt=bf16 128x256:256x128"), "peak 256.0 GFLOP/s of vdpbf16ps");
  // No more than there is: 2 * 128 * 256 * 128 operations.
  for (const std::string& text : {widened, vnni, tiles}) {
    const std::size_t end = text.rfind(" % of peak"), begin = text.rfind(' ', end - 1);
    const double percent = std::stod(text.substr(begin, end - begin));
    EXPECT_GT(percent, 1);
    EXPECT_LE(percent, 100);
  }
}

TEST(Explain, LoopStringsAreSchedulesToo) {
  const std::string problem = "100x64:64x96";
  const auto usual = explain(options(
                 problem,
                 "m/48@2 n/64 k/24 m/6~ | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k pack(B,panel,ahead)")),
             letters =
                 explain(options(problem,
                                 "A{R:2}bca a=48,6~ b=64 c=24 | brgemm_f32_f32_f32_7x64x1_avx512 m=a n=b "
                                 "k=c pack(B,panel,ahead)"));
  ASSERT_TRUE(usual && letters);
  EXPECT_EQ(*usual, *letters);
}

TEST(Explain, IsDeterministic) {
  const auto first = explain(options("mb1ic32ih14oc48oh14kh3ph1")),
             second = explain(options("mb1ic32ih14oc48oh14kh3ph1"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST(Explain, RefusalsSayWhy) {
  const auto message = [](const ExplainOptions& o) {
    const Result<std::string> text = explain(o);
    const std::string m = text ? "accepted" : text.error().message;
    EXPECT_EQ(m.find('\n'), std::string::npos) << m;
    return m;
  };
  EXPECT_NE(message(options("mb1ic64ih56oc64oh56kh3ph1zz7")), "accepted");
  EXPECT_EQ(message(options("64x64:64x64", "k/16@2 | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k")),
            "parallel loop k: RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=16] would run at once: make k "
            "sequential or split "
            "the reduction");
  EXPECT_EQ(message(options("64x64:64x64", "C{R:2} c=16 | brgemm_f32_f32_f32_7x64x1_avx512 m=a n=b k=c")),
            "parallel loop k: RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=16] would run at once: make k "
            "sequential or split the reduction");
  expect_contains(message(options("64x64:64x64", "k/16 | brgemm_f32_f32_f32_7x64x1_avx512 n=n k=k")),
                  "is never executed");
  expect_contains(message(options("64x64:64x64", "k/16 m/8 | brgemm_f32_f32_f32_7x64x1_avx512 m=m n=n k=k")),
                  "tiles of 8 rows");
  ExplainOptions unreadable = options("64x64:64x64");
  unreadable.machine_file = "/nowhere/machine.json";
  expect_contains(message(unreadable), "--machine /nowhere/machine.json: no such file");
}

TEST(Explain, Numbers) {
  EXPECT_EQ(explaining::human_bytes(0), "0 B");
  EXPECT_EQ(explaining::human_bytes(1023), "1023 B");
  EXPECT_EQ(explaining::human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(explaining::human_bytes(147456), "144 KiB");
  EXPECT_EQ(explaining::human_count(7), "7");
  EXPECT_EQ(explaining::human_count(1859432448), "1,859,432,448");
}

}  // namespace
}  // namespace cortex
