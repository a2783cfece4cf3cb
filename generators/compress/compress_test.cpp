// `cortex-gen compress` as people run it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "graph/compress/detect.h"
#include "graph/compress/npy.h"

namespace cortex {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Compress : public ::testing::Test {
 protected:
  Compress() {
    char name[] = "/tmp/cortex_compress_XXXXXX";
    folder_ = mkdtemp(name);
    write("list.txt", "mb1ic16ih8oc32oh8kh3ph1n\"a*2\"\n8x64:64x24n\"b\"\n");
  }
  ~Compress() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  // Exit code; what it printed is in out and err.
  int gen(const std::string& arguments) {
    const int status = std::system(fmt::format("cd {0} && '{1}' compress {2} >{0}/.out 2>{0}/.err </dev/null",
                                               folder_.string(), CORTEX_GEN, arguments)
                                       .c_str());
    out = read(folder_ / ".out");
    err = read(folder_ / ".err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  FilterMatrix weights(const std::string& name) const {
    const Result<NpyArray> array = parse_npy(read(folder_ / name), name);
    EXPECT_TRUE(array.ok()) << name;
    return *filters_of(*array, name);
  }
  bool found(const FilterMatrix& w, const std::string& format) const {
    for (const Finding& f : detect_formats(w)) {
      if (to_string(f.format) == format) return true;
    }
    return false;
  }

  fs::path folder_;
  std::string out, err;
};

TEST_F(Compress, WritesPrunedWeightsThatItRecognises) {
  ASSERT_EQ(gen("--batch list.txt --weights nm2of4x2,cc4 --sparsity 0.75 --quantize minmax --out w"), 0)
      << err;
  EXPECT_TRUE(found(weights("w/a.nm2of4x2.npy"), "nm2of4x2"));
  EXPECT_EQ(weights("w/b.nm2of4x2.npy").rows, 24);
  EXPECT_TRUE(fs::exists(folder_ / "w/b.cc4.s8.npy"));
  const Json report = Json::parse(read(folder_ / "w/compress.json"));
  ASSERT_EQ(report["layers"].size(), 4u);
  EXPECT_EQ(report["layers"][0]["multiplications"], 0.5);
  EXPECT_EQ(report["layers"][0]["scales"].size(), 32u);
  EXPECT_GT(report["layers"][0]["kept_magnitude"].get<double>(), 0.6);
  EXPECT_FALSE(report["layers"][1]["groups"].empty());
  ASSERT_EQ(gen("--detect w/a.nm2of4x2.npy"), 0) << err;
  EXPECT_NE(out.find("nm2of4x2"), std::string::npos) << out;
}

TEST_F(Compress, SaysWhichKernelIsFastest) {
  ASSERT_EQ(gen("--batch list.txt --weights nm1of8x4,dense --out w"), 0) << err;
  const std::string problem = "--problem mb1ic16ih8oc32oh8kh3ph1";
  ASSERT_EQ(gen("--detect w/a.nm1of8x4.npy " + problem), 0) << err;
  EXPECT_NE(out.find("fastest: lists that"), std::string::npos) << out;
  ASSERT_EQ(gen("--detect w/a.dense.npy " + problem), 0) << err;
  EXPECT_NE(out.find("fastest: dense"), std::string::npos) << out;
  ASSERT_EQ(gen("--detect w/a.nm1of8x4.npy --problem '--dt=bf16 mb1ic16ih8oc32oh8kh3ph1'"), 0) << err;
  EXPECT_NE(out.find("sparse_bf16_4x"), std::string::npos) << out;
  ASSERT_EQ(gen("--detect w/a.nm1of8x4.npy --problem '--dt=u8:s8:u8 mb1ic16ih8oc32oh8kh3ph1'"), 0) << err;
  EXPECT_NE(out.find("sparse_u8s8_4x"), std::string::npos) << out;
  EXPECT_EQ(gen("--detect w/a.dense.npy --problem 8x8:8x8"), 2);
  EXPECT_NE(err.find("[32, 16, 3, 3], but the weights of --problem 8x8:8x8 have [8, 8]"), std::string::npos)
      << err;
}

TEST_F(Compress, PlansWithinTheBudget) {
  Json results = Json::array();
  for (const char* layer : {"a", "b"}) {
    for (const auto& [format, ns] : {std::pair{"dense", 1000.0}, {"nm2of4", 600.0}, {"nm1of4", 300.0}})
      results.push_back({{"name", layer},
                         {"problem", ""},
                         {"backend", "cortex"},
                         {"threads", 1},
                         {"weights", format},
                         {"time_ns", {{"median", ns}}}});
  }
  // Dense weights in the place of nm1of4 ones: no time of that format.
  results.push_back({{"name", "a"},
                     {"problem", ""},
                     {"backend", "cortex-dense"},
                     {"threads", 1},
                     {"weights", "nm1of4"},
                     {"time_ns", {{"median", 1.5e3}}}});
  results.push_back(results.back());
  results.back()["time_ns"]["median"] = 1100.0;
  results.back()["weights"] = "nm2of4";
  write("times.json", Json{{"results", results}}.dump());
  const std::string formats = "--batch list.txt --weights nm2of4,nm1of4 --times times.json --budget ";
  ASSERT_EQ(gen(formats + "0.5"), 0) << err;  // a counts twice: 3000 ns dense
  const auto at = out.find("predicted total ");
  ASSERT_NE(at, std::string::npos) << out;
  const double total = std::stod(out.substr(at + 16));
  EXPECT_LE(total, 0.0015);
  EXPECT_GE(total, 0.0012);
  ASSERT_EQ(gen(formats + "1"), 0) << err;
  EXPECT_NE(out.find("kept |w| 1.0000"), std::string::npos) << out;
  EXPECT_EQ(gen(formats + "0.2"), 2);
  EXPECT_NE(err.find("cannot be kept"), std::string::npos) << err;
  EXPECT_EQ(gen(formats + "0.5 --threads 2"), 2);
  EXPECT_NE(err.find("no result of cortex with 2 threads"), std::string::npos) << err;
}

TEST_F(Compress, RefusesWithOneLine) {
  write("bad.npy", "PK");
  write("clash.txt", "8x64:64x24n\"a/b\"\n8x64:64x24n\"a_b\"\n");
  write("odd.npy", std::string("\x93NUMPY\x01\x00\x43\x00", 10) +
                       "{'descr': 'x\n\x1b[31m', 'fortran_order': False, 'shape': (2, 2), }        ");
  write("zero.json", R"({"results":[{"name":"a","backend":"cortex","threads":1,"weights":"dense",
                         "time_ns":{"median":0}}]})");
  for (const auto& [arguments, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "no weights given"},
           {"none.npy", "none.npy"},
           {"bad.npy", "bad.npy: not a NumPy array"},
           {"--batch list.txt --weights nm9of4", "weight format 'nm9of4'"},
           {"--batch list.txt --weights bs4x1", "needs --sparsity"},
           {"--batch list.txt --sparsity 1", "--sparsity 1"},
           {"--batch list.txt --seed -1", "--seed: '-1' must not be negative"},
           {"--batch list.txt --weights cc2,dense,cc2", "cc2 is named twice"},
           {"--batch list.txt --detect --out w", "--detect"},
           {"--batch list.txt --budget 0.5 --times zero.json", "zero.json: a time of 0 ns"},
           {"--batch clash.txt --out w", "a_b"},
           {"odd.npy", "its elements are"},
           {"\"$(printf 'new\\nline.npy')\"", "not plain UTF-8 text"},
           {"\"$(printf 'not\\377utf8.npy')\"", "not plain UTF-8 text"},
           {"--batch list.txt --sparsity nan", "--sparsity nan"},
           {"--batch list.txt --gamma -1", "--gamma -1"},
           {"--batch list.txt --grouping best", "--grouping best"},
           {"--batch list.txt --quantize most", "--quantize: 'most'"},
           {"--batch list.txt --budget 0.5", "--budget and --times go together"},
           {"--batch list.txt --budget 0.5 --times list.txt", "list.txt: not a result file"},
           {"--batch list.txt --budget 0.5 --times /", "--times: /: is a directory"},
           {"--batch list.txt --seed 99999999999999999999", "--seed: '99999999999999999999' is too large"},
           {"--batch list.txt --threads 1.5", "--threads: '1.5' is not a whole number"},
           {"--batch list.txt --batch list.txt", "two layers are called a"},
           {"--batch list.txt --out /dev/null/x", "output folder /dev/null"},
       }) {
    EXPECT_EQ(gen(arguments), 2) << arguments;
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
    EXPECT_NE(err.find(words), std::string::npos) << arguments << ": " << err;
    if (arguments.find("--times") != std::string::npos) {
      EXPECT_EQ(out, "") << "refused after the work";
    }
  }
}

}  // namespace
}  // namespace cortex
