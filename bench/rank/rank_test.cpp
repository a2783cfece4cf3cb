#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bench/rank/judge.h"
#include "bench/rank/page.h"
#include "bench/rank/record.h"

namespace cortex::bench {
namespace {

Variant variant(double ns, double cycles, int place = 0) {
  Variant v;
  v.schedule = "m/6 | k m=m, \"n\"";
  v.place = place;
  v.ns = ns;
  v.samples = 3;
  v.prediction.cycles = cycles;
  v.prediction.seconds = cycles * 1e-9;
  return v;
}

Ranking ranking(std::vector<Variant> variants, int choice) {
  Ranking r;
  r.problem = "8x8:8x8n\"a,b*2\"";
  r.name = "a,b";
  r.isa = "avx2";
  r.threads = 2;
  r.variants = std::move(variants);
  r.choice = choice;
  return r;
}

TEST(Judge, CountsPairsByHand) {
  // Measured order 100 < 200 < 300; predicted 2 < 1 swapped for the first pair, equal for the last.
  const Score s = judge(ranking({variant(100, 50), variant(200, 40), variant(300, 40)}, 1));
  EXPECT_EQ(s.variants, 3);
  EXPECT_DOUBLE_EQ(s.top1_over_best, 0.5);
  EXPECT_DOUBLE_EQ(s.median_over_best, 0.5);
  EXPECT_DOUBLE_EQ(s.worst_over_best, 1.0 / 3);
  EXPECT_DOUBLE_EQ(s.pairwise_accuracy, 0.5 / 3);
  EXPECT_DOUBLE_EQ(s.gap_closed, 0);
  EXPECT_NEAR(s.bias, std::cbrt(0.5 * 0.2 * 40.0 / 300), 1e-12);
}

TEST(Judge, TimesWithinTheTieAreNoPair) {
  const Score s = judge(ranking({variant(100, 2), variant(101, 1), variant(150, 3)}, 0));
  EXPECT_DOUBLE_EQ(s.pairwise_accuracy, 1);
  EXPECT_NEAR(s.pairs_tied, 1.0 / 3, 1e-12);
}

TEST(Judge, BestIsTheFastestFinalistAtItsLastSamples) {
  std::vector<Variant> all = {variant(100, 1, 1), variant(95, 2), variant(110, 3)};
  all[0].finalist = true;  // 95 was a lucky sample: not asked again
  const Score s = judge(ranking(all, 0));
  EXPECT_DOUBLE_EQ(s.top1_over_best, 1);
  EXPECT_EQ(judge(ranking(all, 1)).top1_over_best, 1);  // not above the best
}

TEST(Judge, SearchsOwnVariantsDoNotMoveTheMedian) {
  const Score s = judge(ranking({variant(50, 1, 1), variant(50, 1, 2), variant(100, 1), variant(100, 1)}, 0));
  EXPECT_DOUBLE_EQ(s.median_over_best, 0.5);
  EXPECT_DOUBLE_EQ(s.gap_closed, 1);
}

TEST(Judge, SummaryTakesGeometricMeans) {
  const RankSummary s = summarize(
      {ranking({variant(100, 1), variant(400, 2)}, 0), ranking({variant(100, 1), variant(400, 2)}, 1)});
  EXPECT_EQ(s.problems, 2);
  EXPECT_EQ(s.variants, 4);
  EXPECT_DOUBLE_EQ(s.mean.top1_over_best, 0.5);
  EXPECT_DOUBLE_EQ(s.mean.median_over_best, 0.4);
  EXPECT_NEAR(s.mean.gap_closed, 1 - std::log(0.5) / std::log(0.4), 1e-12);
}

TEST(Record, ReadsBackWhatItWrote) {
  Ranking r = ranking({variant(123.5, 1, 1), variant(95, 2)}, 0);
  r.variants[1].finalist = true;
  Ranking other = r;
  other.threads = 1;
  other.plain = true;
  const std::string text = to_csv({r, other});
  const Result<std::vector<Ranking>> back = parse_rankings(text, "x.csv");
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].problem, r.problem);
  EXPECT_EQ((*back)[0].name, r.name);
  EXPECT_EQ((*back)[0].threads, 2);
  EXPECT_TRUE((*back)[1].plain);
  ASSERT_EQ((*back)[0].variants.size(), 2u);
  EXPECT_EQ((*back)[0].variants[0].schedule, r.variants[0].schedule);
  EXPECT_EQ((*back)[0].variants[0].ns, 123.5);
  EXPECT_EQ((*back)[0].variants[0].place, 1);
  EXPECT_TRUE((*back)[0].variants[1].finalist);
}

TEST(Record, RefusesByFileAndLine) {
  const std::string text = to_csv({ranking({variant(1, 1), variant(2, 2)}, 0)});
  const auto message = [](const std::string& t) {
    const auto back = parse_rankings(t, "x.csv");
    return back.ok() ? std::string() : back.error().message;
  };
  EXPECT_EQ(message("a,b\n").find("x.csv: not what"), 0u);
  EXPECT_EQ(message(text + "1,2\n").find("x.csv:4: "), 0u) << message(text + "1,2\n");
  EXPECT_NE(message(text.substr(0, text.rfind('"'))), "");
  for (const char* ns_and_samples : {"inf,0,3", "nan,0,3", "0,0,3", "-5,0,3", "7,0,-3"})
    EXPECT_EQ(
        message(fmt::format("{}16x16:16x16,,avx2,1,0,1,x,{},0\n", text, ns_and_samples)).find("x.csv:4: "),
        0u)
        << ns_and_samples;
  EXPECT_EQ(message(text + "16x16:16x16,,avx2,1,0,1,x,7,0,3,0\n"), "");
}

TEST(Page, PlotsEveryMeasuredVariant) {
  const Ranking r = ranking({variant(100, 80, 1), variant(150, 200), variant(400, 500)}, 0);
  const std::string svg = scatter_svg(r);
  std::size_t dots = 0;
  for (std::size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1))
    ++dots;
  EXPECT_EQ(dots, 5u);  // three, the fastest and the choice again
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("\"n\""), std::string::npos) << "quotes inside a title must be escaped";
}

}  // namespace
}  // namespace cortex::bench
