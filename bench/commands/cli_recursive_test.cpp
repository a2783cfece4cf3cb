// The run command over trees, DAGs and sequences.
#include "bench/commands/cli_testing.h"

namespace cortex::bench {
namespace {

TEST_F(Cli, RecursiveProblemsRunOverTreesAndShapes) {
  write("trees.txt", "((3 17) (5 9))\n(1 2)\n7\n");
  write("wrong.txt", "((3 17) (5 9))\n(1 2\n");
  const Outcome wrong = bench("run treelstm h8 mb2 --trees " + file("wrong.txt"));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.text.find(file("wrong.txt") + ":2:1: this '(' is never closed"), std::string::npos)
      << wrong.text;
  const Outcome o =
      bench(fmt::format("run treelstm h8 mb2 'treefc h8 mb3 perfect2 n\"fc*2\"' --trees {} --batches 2 "
                        "--verify --repeats 2 --json {}",
                        file("trees.txt"), file("r.json")));
  if (o.code == 2 && o.text.find("no backend could run") != std::string::npos) GTEST_SKIP() << o.text;
  ASSERT_EQ(o.code, 0) << o.text;
  const Json j = read("r.json");
  for (const Json& r : j.at("results")) {
    EXPECT_EQ(r.at("op"), "recursive");
    EXPECT_EQ(r.at("status"), "ok");
    EXPECT_GT(r.at("flop_bound_ns").get<double>(), 0);
    EXPECT_GT(r.at("over_bound").get<double>(), 0);
    if (r.at("name") == "fc") {
      EXPECT_EQ(r.at("flops"), 2.0 * 3 * 3 * 2 * 64);
    }
  }
}

TEST_F(Cli, OneLargeTreeRunsOrIsRefusedAtOnce) {
  std::string tree(299999, '(');
  tree += "1";
  for (int i = 0; i < 299999; ++i) tree += fmt::format(" {})", i % 1000);
  write("large.txt", tree + "\n");
  const std::string options = fmt::format(" --trees {} --backend cortex --repeats 1 ", file("large.txt"));
  const Outcome refused = bench("run mvrnn h1024 mb1" + options);
  EXPECT_EQ(refused.code, 2) << refused.text;
  EXPECT_NE(refused.text.find("the states of 599999 nodes take about 2519 GB, this machine has"),
            std::string::npos)
      << refused.text;
  const Outcome o = bench("run treernn h8 mb1" + options + "--json " + file("r.json"));
  ASSERT_EQ(o.code, 0) << o.text;
  EXPECT_EQ(read("r.json").at("results").at(0).at("flops"), 2.0 * 299999 * 64);
}

TEST_F(Cli, RecurrentLayersRun) {
  const Outcome o = bench("run 'LSTM t3mb2sic8n\"small\"' --verify --repeats 2 --json " + file("r.json"));
  if (o.code == 2 && o.text.find("no backend could run") != std::string::npos) GTEST_SKIP() << o.text;
  ASSERT_EQ(o.code, 0) << o.text;
  const Json j = read("r.json");
  EXPECT_EQ(j.at("results")[0].at("name"), "small");
  EXPECT_EQ(j.at("results")[0].at("flops"), 2.0 * 2 * 4 * 64 * (3 + 2));
}

}  // namespace
}  // namespace cortex::bench
