// `cortex-gen compress` as people run it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
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

// w[order] of NumPy: along rows, or along input channels.
std::vector<float> picked(const FilterMatrix& w, const std::vector<float>& rows,
                          const std::vector<float>& channels) {
  std::vector<float> values;
  for (int64_t r = 0; r < w.rows; ++r)
    for (int64_t c = 0; c < w.columns; ++c)
      values.push_back(w.at(static_cast<int64_t>(rows[r]),
                            c - c % w.channels + static_cast<int64_t>(channels[c % w.channels])));
  return values;
}

TEST_F(Compress, OrdersOutputChannelsAndWhoReadsThem) {
  write("net.txt",
        "mb1ic16ih8oc32oh8kh3ph1n\"a\"\nmb1ic32ih8oc24oh8kh1ph0n\"b:1\"\nmb1ic16ih8oc24oh8kh1ph0n\"c\"\n"
        "mb1ic24ih8oc16oh8kh3ph1n\"d\"\n");
  ASSERT_EQ(gen("--batch net.txt --out dense"), 0) << err;
  const std::string formats = "--weights nm2of8x4,bs4x1,nm2of8 --sparsity 0.75 ";
  ASSERT_EQ(gen("--batch net.txt --follows b:1:a --follows d:b:1 --follows d:c " + formats + "--out w"), 0)
      << err;
  EXPECT_NE(out.find("unordered"), std::string::npos) << out;
  const Json layers = Json::parse(read(folder_ / "w/compress.json"))["layers"];
  ASSERT_EQ(layers.size(), 12u);
  std::map<std::string, double> kept, unordered;
  for (const Json& l : layers) {
    kept[l["format"]] += l["kept_magnitude"].get<double>();
    unordered[l["format"]] += l["kept_magnitude_unordered"].get<double>();
    const bool matters = l["format"] != "nm2of8";
    EXPECT_EQ(l.contains("order"), matters && l["layer"] != "d") << l;  // d's output is the network's
    EXPECT_EQ(l.contains("input_order"), matters && (l["layer"] == "b:1" || l["layer"] == "d")) << l;
    if (l["layer"] == "d" && l["format"] != "nm2of8") {
      EXPECT_EQ(l["input_order"], fmt::format("b_1.{}.order.npy", l["format"].get<std::string>()));
    }
  }
  EXPECT_GT(kept["nm2of8x4"], unordered["nm2of8x4"]);
  EXPECT_GT(kept["bs4x1"], unordered["bs4x1"]);
  EXPECT_EQ(kept["nm2of8"], unordered["nm2of8"]);
  // Every weight that is left is the one of the dense layer at the ordered place.
  const auto order = [&](const std::string& layer) {
    const std::string bytes = read(folder_ / ("w/" + layer + ".nm2of8x4.order.npy"));  // <i4, after 128 bytes
    EXPECT_NE(bytes.find("'<i4'"), std::string::npos);
    std::vector<int32_t> places((bytes.size() - 128) / sizeof(int32_t));
    std::memcpy(places.data(), bytes.data() + 128, bytes.size() - 128);
    return std::vector<float>(places.begin(), places.end());
  };
  const auto all = [](int n) {
    std::vector<float> v;
    for (int i = 0; i < n; ++i) v.push_back(static_cast<float>(i));
    return v;
  };
  EXPECT_EQ(order("b_1"), order("c"));
  EXPECT_NE(order("a"), all(32));
  const struct {
    const char* name;
    std::vector<float> rows, channels;
  } expected[] = {{"a", order("a"), all(16)},
                  {"b_1", order("c"), order("a")},
                  {"c", order("c"), all(16)},
                  {"d", all(16), order("c")}};
  for (const auto& e : expected) {
    const std::vector<float> dense =
        picked(weights(fmt::format("dense/{}.dense.npy", e.name)), e.rows, e.channels);
    const FilterMatrix pruned = weights(fmt::format("w/{}.nm2of8x4.npy", e.name));
    EXPECT_TRUE(found(pruned, "nm2of8x4")) << e.name;
    for (std::size_t i = 0; i < dense.size(); ++i) {
      if (pruned.values[i] == 0) continue;
      ASSERT_EQ(pruned.values[i], dense[i]) << e.name << " " << i;
    }
  }
  // The same through --chain, where layers follow one another.
  write("chain.txt", "mb1ic16ih8oc32oh8kh3ph1n\"a\"\nmb1ic32ih8oc24oh8kh1ph0n\"b\"\n8x24:24x10n\"c\"\n");
  ASSERT_EQ(gen("--batch chain.txt --weights nm2of8x4 --chain --out v"), 0) << err;
  EXPECT_TRUE(fs::exists(folder_ / "v/b.nm2of8x4.order.npy"));
  EXPECT_FALSE(fs::exists(folder_ / "v/c.nm2of8x4.order.npy"));
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

TEST_F(Compress, NeverWritesOverItsWeights) {
  write("one.txt", "8x16:16x24n\"a\"\n");
  ASSERT_EQ(gen("--batch one.txt --weights dense,nm2of4 --out same"), 0) << err;
  const std::string before = read(folder_ / "same/a.nm2of4.npy");
  EXPECT_EQ(gen("same/a.dense.npy same/a.nm2of4.npy --weights nm1of4 --out same"), 0) << err;
  write("a.npy", before);
  ASSERT_EQ(gen("a.npy --weights nm1of4 --out ."), 0) << err;
  const std::string made = read(folder_ / "a.nm1of4.npy");
  EXPECT_EQ(gen("a.npy a.nm1of4.npy --weights nm1of4 --out ."), 2);
  EXPECT_NE(err.find("would be written over the weights it was made of"), std::string::npos) << err;
  EXPECT_EQ(read(folder_ / "a.nm1of4.npy"), made);
}

TEST_F(Compress, RefusesWithOneLine) {
  write("bad.npy", "PK");
  write("clash.txt", "8x64:64x24n\"a/b\"\n8x64:64x24n\"a_b\"\n");
  write("net.txt", "8x16:16x24n\"a\"\n8x24:24x24n\"b\"\n8x7:7x8n\"c\"\n");
  write("one.txt", "8x16:16x24n\"a\"\n");
  write("groups.txt", "g2mb1ic32ih14oc32oh14kh3ph1n\"a\"\nmb1ic32ih14oc64oh14kh1ph0n\"b\"\n");
  write("odd.txt", "8x8:8x8n\"a\"\n8x8:8x8n\"b:c\"\n8x8:8x8n\"a:b\"\n8x8:8x8n\"c\"\n");
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
           {"--batch net.txt --chain", "no format of --weights"},
           {"--batch net.txt --chain --weights nm2of4x2 --detect", "drop --detect"},
           {"--batch net.txt --chain --weights nm2of4x2 --times t.json --budget 0.5", "drop --detect"},
           {"--batch net.txt --follows b:a --weights bs4x1", "needs --sparsity"},
           {"--batch net.txt --chain --weights nm2of4x2", "layer c has 7 input channels, but layer b"},
           {"--batch groups.txt --chain --weights nm2of4x2", "layer a has 2 groups"},
           {"--batch net.txt --follows b --weights nm2of4x2", "--follows \"b\": expected READER:PRODUCER"},
           {"--batch net.txt --follows b:x --weights nm2of4x2",
            "--follows \"b:x\": expected READER:PRODUCER"},
           {"--batch net.txt --follows b:b --weights nm2of4x2", "layer b reads itself"},
           {"--batch net.txt --follows b:a --follows b:a --weights nm2of4x2", "said twice"},
           {"--batch list.txt --follows b:a --weights nm2of4x2", "layer a stands for 2 layers (*2)"},
           {"--batch one.txt --chain --weights nm2of4x2", "one layer has no other"},
           {"--batch odd.txt --follows a:b:c --weights nm2of4x2", "may be read in 2 ways"},
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
