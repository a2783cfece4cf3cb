// Weights with zeros, as users of the tool meet them.
#include <set>

#include "bench/commands/cli_testing.h"

namespace cortex::bench {
namespace {

class CliSparse : public Cli {};

TEST_F(CliSparse, LibxsmmMultipliesSparseWeightsOf1x1WindowsAndMatmuls) {
  const std::string problems =
      "12x100:100x37 3x4x9x20:1x1x20x24 '--attr-post-ops=relu mb2ic33ih9oc70oh9kh1' "
      "--problem '--stag=ba 33x65:65x31' --problem '--wtag=ba --bia_dt=f32 --attr-post-ops=sum+relu "
      "9x20:20x24'";
  const struct {
    const char *format, *threads;
    std::size_t results;
  } cases[] = {{"unstructured --sparsity 0.75", "1,2", 10},
               {"unstructured --sparsity 0.98", "1", 5},
               {"nm1of4x2", "1", 5},
               {"cc4 --sparsity 0.75", "1", 5}};
  for (const auto& c : cases) {
    for (const char* isa : {"avx2", "avx512"}) {
      const Outcome o = bench(
          fmt::format("run --isa {} --backend xsmm-sparse --verify --threads {} --repeats 2 --weights {} "
                      "--json {} {}",
                      isa, c.threads, c.format, file("r.json"), problems));
      if (o.text.find("this build has no xsmm-sparse") != std::string::npos) GTEST_SKIP() << o.text;
      if (o.text.find("this machine runs up to") != std::string::npos ||
          o.text.find("not built into") != std::string::npos)
        continue;
      ASSERT_EQ(o.code, 0) << isa << " " << c.format << ": " << o.text;
      const Json j = read("r.json");
      ASSERT_EQ(j.at("results").size(), c.results) << o.text;
      for (const Json& r : j.at("results")) EXPECT_EQ(r.at("status"), "ok") << r.dump();
      EXPECT_EQ(o.text.find("not run:"), std::string::npos) << o.text;
    }
  }
}

// Never a number for what it does not multiply, or multiplies in full.
TEST_F(CliSparse, LibxsmmSaysWhatItHasNoSparseKernelFor) {
  const struct {
    const char *arguments, *reason;
  } cases[] = {
      {"--weights nm2of4 mb1ic8ih7oc8oh7kh3ph1", "1x1 windows alone"},
      {"--weights nm2of4 mb1ic8ih7oc8oh4kh1sh2ph0", "windows 1 apart"},
      {"--weights nm2of4 mb1ic8ih2oc8oh2kh1sh2ph1", "windows 1 apart"},
      {"--weights nm2of4 --isa baseline 8x8:8x8", "needs AVX2"},
      {"--weights nm2of4 --dt bf16 8x8:8x8", "in f32 alone"},
      {"--weights nm2of4 '--attr-post-ops=tanh 8x8:8x8'", "no such epilogue"},
      {"8x8:8x8", "no weight is zero"},
      {"2x8x8:2x8x8", "not one per batch"},
      {"g2mb1ic8ih7oc8oh7kh1ph0", "no groups"},
  };
  for (const auto& c : cases) {
    const Outcome o = bench(fmt::format("run --backend xsmm-sparse,cortex --repeats 1 {}", c.arguments));
    if (o.text.find("this build has no xsmm-sparse") != std::string::npos) GTEST_SKIP() << o.text;
    EXPECT_EQ(o.code, 0) << c.arguments << ": " << o.text;
    EXPECT_NE(o.text.find("not run: xsmm-sparse"), std::string::npos) << c.arguments << ": " << o.text;
    EXPECT_NE(o.text.find(c.reason), std::string::npos) << c.arguments << ": " << o.text;
  }
}

// Which kernel is fastest is the CPU's to say; that one of the six was measured and runs is not.
TEST_F(CliSparse, MeasureModeRunsTheFastestKernel) {
  const Outcome o =
      bench(fmt::format("run --mode measure --tune-seconds 0.1 --weights nm1of8,unstructured --sparsity 0.5 "
                        "--backend cortex --verify "
                        "--threads 1,2 --repeats 2 --json {} 1x64:64x512 mb1ic16ih9oc24oh9kh3ph1",
                        file("r.json")));
  ASSERT_EQ(o.code, 0) << o.text;
  const Json results = read("r.json").at("results");
  ASSERT_EQ(results.size(), 8u) << o.text;
  const Outcome all = bench(fmt::format(
      "detect --min-time 0.001 --weights nm1of8,unstructured --sparsity 0.5 --json {} 1x64:64x512 "
      "mb1ic16ih9oc24oh9kh3ph1",
      file("d.json")));
  ASSERT_EQ(all.code, 0) << all.text;
  std::set<std::string> plans;
  const Json kernels = read("d.json").at("results");
  for (const Json& r : kernels)
    for (const Json& k : r.at("kernels")) plans.insert(k.at("plan"));
  for (const Json& r : results) {
    EXPECT_EQ(r.at("status"), "ok") << r.dump();
    if (r.at("threads") != 1) continue;
    EXPECT_TRUE(plans.count(r.at("schedule"))) << r.dump();
  }
}

TEST_F(CliSparse, FuzzFindsNothingInWeightsWithZeros) {
  const Outcome o = bench("fuzz --count 120 --seed 3 --weights any --dt f32,bf16,bf16f32,u8s8,s8s8f32");
  EXPECT_EQ(o.code, 0) << o.text;
  EXPECT_NE(o.text.find("120 runs (120 problems, 1 instruction sets): 0 failures"), std::string::npos)
      << o.text;
  EXPECT_NE(o.text.find(" zeros="), std::string::npos) << o.text;
  const Outcome again = bench("fuzz --count 120 --seed 3 --weights any --dt f32,bf16,bf16f32,u8s8,s8s8f32");
  EXPECT_EQ(again.text, o.text) << "not the same cases";
  const Outcome one = bench("fuzz --count 20 --weights nm1of4x2,dense");
  EXPECT_EQ(one.code, 0) << one.text;
  const Outcome bad = bench("fuzz --weights nm5of4");
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.text.find("--weights: any, or a format: weight format 'nm5of4'"), std::string::npos)
      << bad.text;
}

}  // namespace
}  // namespace cortex::bench
