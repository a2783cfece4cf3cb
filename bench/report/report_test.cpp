#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "bench/report/csv.h"
#include "bench/report/file.h"
#include "bench/report/html.h"
#include "bench/report/summary.h"
#include "bench/report/table.h"
#include "support/text_file.h"

namespace cortex::bench {
namespace {

Row row(const std::string& name, const std::string& backend, double ns, int threads = 1,
        const std::string& status = "ok") {
  Row r;
  r.problem = name + "-problem";
  r.name = name;
  r.backend = backend;
  r.threads = threads;
  r.isa = "avx512";
  r.median_ns = r.min_ns = ns;
  r.samples_ns = {ns};
  r.gflops = 1000 / ns;
  r.percent_of_peak = 100 / ns;
  r.status = status;
  return r;
}

const PairSummary* find(const std::vector<PairSummary>& all, const std::string& pair, int threads = 1) {
  for (const PairSummary& s : all) {
    if (s.pair == pair && s.threads == threads) return &s;
  }
  return nullptr;
}

TEST(Summary, GeomeanWinsLossesWorst) {
  const auto all =
      summarize({row("a", "cortex", 1), row("a", "onednn", 2), row("b", "cortex", 4), row("b", "onednn", 2)});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pair, "cortex/onednn");
  EXPECT_NEAR(all[0].geomean_speedup, 1.0, 1e-12);
  EXPECT_EQ(all[0].wins, 1);
  EXPECT_EQ(all[0].losses, 1);
  EXPECT_NEAR(all[0].worst, 0.5, 1e-12);
  EXPECT_EQ(all[0].worst_name, "b");
  EXPECT_NEAR(all[0].percent_of_peak, 50, 1e-9);  // geometric mean of 100 and 25
}

TEST(Summary, EveryTypeByItself) {
  std::vector<Row> rows = {row("a", "cortex", 1), row("a", "onednn", 2), row("a", "cortex", 1),
                           row("a", "onednn", 4)};
  rows[2].dt = rows[3].dt = "bf16";
  const auto all = summarize(rows);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].dt, "f32");
  EXPECT_NEAR(all[0].geomean_speedup, 2.0, 1e-12);
  EXPECT_EQ(all[1].dt, "bf16");
  EXPECT_NEAR(all[1].geomean_speedup, 4.0, 1e-12);
  EXPECT_NE(to_line(all[1], false).find("cortex/onednn bf16 threads 1"), std::string::npos);
}

TEST(Summary, BestOfPeersPerProblem) {
  const auto all = summarize({row("a", "cortex", 1), row("a", "onednn", 2), row("a", "xsmm", 4),
                              row("b", "cortex", 1), row("b", "onednn", 8), row("b", "xsmm", 2)});
  ASSERT_NE(find(all, "cortex/best"), nullptr);
  EXPECT_NEAR(find(all, "cortex/best")->geomean_speedup, 2.0, 1e-12);
  EXPECT_NEAR(find(all, "cortex/onednn")->geomean_speedup, 4.0, 1e-12);
}

TEST(Summary, WrongAndMissingResultsDoNotEnter) {
  const auto all = summarize({row("a", "cortex", 1), row("a", "onednn", 3), row("b", "cortex", 1, 1, "wrong"),
                              row("b", "onednn", 100), row("c", "cortex", 1)});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].problems, 1);
  EXPECT_NEAR(all[0].geomean_speedup, 3, 1e-12);
}

TEST(Summary, ThreadCountsApartAndKernelsCompared) {
  const auto all = summarize({row("a", "cortex-generated", 2, 1), row("a", "cortex-interpreted", 3, 1),
                              row("a", "cortex-generated", 1, 2), row("a", "cortex-interpreted", 4, 2)});
  ASSERT_NE(find(all, "cortex-generated/cortex-interpreted", 1), nullptr);
  EXPECT_NEAR(find(all, "cortex-generated/cortex-interpreted", 1)->geomean_speedup, 1.5, 1e-12);
  EXPECT_NEAR(find(all, "cortex-generated/cortex-interpreted", 2)->geomean_speedup, 4, 1e-12);
}

TEST(Row, JsonThereAndBack) {
  Row r = row("a", "onednn", 12.5, 2);
  r.error_ratio = 0.25;
  r.schedule = "n/1 | kernel";
  const Row back = row_from_json(to_json(r));
  EXPECT_EQ(to_json(back), to_json(r));
  r.error_ratio = -1;
  EXPECT_TRUE(to_json(r)["error_ratio"].is_null());
  EXPECT_LT(row_from_json(to_json(r)).error_ratio, 0);
}

TEST(Csv, QuotesWhatNeedsIt) {
  Row r = row("a", "onednn", 1);
  r.problem = "64x64:64x64n\"a,b\"";
  EXPECT_NE(to_csv({r}).find("\"64x64:64x64n\"\"a,b\"\"\""), std::string::npos);
}

TEST(Html, EscapesText) {
  Row r = row("<b>", "onednn", 1);
  const std::string page = to_html({{"cpu", "x"}}, {r}, summarize({r}), {});
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;"), std::string::npos);
}

TEST(Table, ShowsWrongAndRefused) {
  const Table table({"cortex", "onednn"});
  const std::string text = table.lines({row("a", "cortex", 1000, 1, "wrong")});
  EXPECT_NE(text.find("WRONG: cortex"), std::string::npos);
  const Refusal refusal{"a-problem", "a", "onednn", "avx512", 1, "because"};
  EXPECT_EQ(refusal_lines({refusal}), "not run: onednn on a: because\n");
  EXPECT_EQ(refusal_lines({refusal, refusal}), "not run: onednn on a and 1 more: because\n");
}

TEST(File, AppearsWholeAndLeavesNothingBehind) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / fmt::format("bench{}", getpid());
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "out.json").string();
  EXPECT_TRUE(check_writable(path, "--json").ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  ASSERT_TRUE(write_file_atomically(path, "one").ok());
  ASSERT_TRUE(write_file_atomically(path, "two").ok());
  EXPECT_EQ(*read_text_file(path), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  const Status missing = check_writable((folder / "no" / "out.json").string(), "--json");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("--json: cannot write"), std::string::npos);
  EXPECT_FALSE(check_writable(folder.string(), "--json").ok());
  EXPECT_FALSE(read_text_file((folder / "absent").string()).ok());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace cortex::bench
