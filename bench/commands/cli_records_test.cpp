// Commands that write or read records of measurements: compare, machine, rank, wisdom, ablate, detect, fuzz.
#include "bench/commands/cli_testing.h"
#include "polyopt/machine/machine.h"
#include "support/cpu.h"

namespace cortex::bench {
namespace {

std::string results(double factor, double spread, const char* more = nullptr) {
  Json samples = Json::array();
  for (int i = 0; i < 20; ++i) samples.push_back(1000 * factor * (1 + spread * (i * 7 % 20 - 10) / 10.0));
  Json row = {{"problem", "16x16:16x16"},
              {"name", "x"},
              {"count", 1},
              {"op", "matmul"},
              {"dt", "f32"},
              {"weights", "dense"},
              {"backend", "cortex"},
              {"version", "1"},
              {"isa", "avx2"},
              {"threads", 1},
              {"time_ns", {{"median", 1000 * factor}, {"min", 900 * factor}, {"samples", samples}}},
              {"create_ns", 1},
              {"pack_ns", 1},
              {"gflops", 1},
              {"percent_of_peak", 1},
              {"error_ratio", 0.1}};
  Json rows = Json::array({row});
  if (more) {  // the same in another type, slower
    row["dt"] = more;
    row["time_ns"]["median"] = 3000 * factor;
    for (Json& s : row["time_ns"]["samples"]) s = 3 * s.get<double>();
    rows.push_back(row);
  }
  return Json{{"context", Json::object()}, {"results", rows}, {"summary", Json::array()}}.dump();
}

TEST_F(Cli, CompareExitCodes) {
  write("a.json", results(1, 0.02));
  write("same.json", results(1.001, 0.02));
  write("slower.json", results(1.2, 0.02));
  write("noisy.json", results(1.03, 0.5));
  write("other.json", R"({"context": {}, "results": [], "summary": []})");
  write("broken.json", "{");
  const auto compare = [&](const char* b, const char* more = "") {
    return bench(fmt::format("compare {} {} {}", file("a.json"), file(b), more)).code;
  };
  EXPECT_EQ(compare("same.json"), 0);
  EXPECT_EQ(compare("slower.json"), 1);
  EXPECT_EQ(compare("slower.json", "--threshold 0.3"), 0);
  EXPECT_EQ(compare("noisy.json"), 0);
  write("types.json", results(1, 0.02, "bf16"));  // rows of a type are compared with that type's alone
  const Outcome types = bench(fmt::format("compare {0} {0}", file("types.json")));
  EXPECT_EQ(types.code, 0) << types.text;
  EXPECT_NE(types.text.find("2 results"), std::string::npos) << types.text;
  EXPECT_NE(types.text.find("geomean speedup 1.000"), std::string::npos) << types.text;
  EXPECT_EQ(compare("other.json"), 2);
  const Outcome none = bench(fmt::format("compare {0} {0} --backend onednn", file("a.json")));
  EXPECT_NE(none.text.find("no result of backend onednn in common"), std::string::npos) << none.text;
  EXPECT_EQ(compare("broken.json"), 2);
  EXPECT_EQ(bench(fmt::format("compare {} {}", file("slower.json"), file("a.json"))).code,
            0);  // faster is fine
}

TEST_F(Cli, MachineFileReadsBack) {
  const Outcome o = bench("machine --seconds 0.5 --json " + file("m.json"));
  ASSERT_EQ(o.code, 0) << o.text;
  std::ifstream in(file("m.json"));
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const Result<Machine> machine = parse_machine(text, "m.json");
  ASSERT_TRUE(machine.ok()) << machine.error().message;
  EXPECT_GT(machine->peak_gflops(1), 0.5);
  const Outcome roofline =
      bench("roofline 64x64:64x64 --machine " + file("m.json") + " --json " + file("roof.json"));
  ASSERT_EQ(roofline.code, 0) << roofline.text;
  const Json j = read("roof.json");
  EXPECT_EQ(j.at("results")[0].at("flops"), 2.0 * 64 * 64 * 64);
  EXPECT_EQ(j.at("results")[0].at("compulsory_bytes"), 4.0 * 3 * 64 * 64);
  EXPECT_EQ(j.at("results")[0].at("peak_gflops"), machine->peak_gflops(1));
}

// Of the same instruction in both commands, whatever this CPU has.
TEST_F(Cli, RooflinesAndRunsHaveTheSamePeaks) {
  for (const auto& [dt, bytes] :
       {std::pair{"f32", 3 * 4 * 4096.0}, {"bf16", 3 * 2 * 4096.0}, {"u8:s8:s32", 6 * 4096.0}}) {
    const std::string problem = fmt::format("'--dt={} 64x64:64x64'", dt);
    const Outcome roofline = bench(fmt::format("roofline {} --json {}", problem, file("roof.json")));
    ASSERT_EQ(roofline.code, 0) << roofline.text;
    const Outcome run =
        bench(fmt::format("run {} --backend cortex --repeats 2 --json {}", problem, file("run.json")));
    ASSERT_EQ(run.code, 0) << run.text;
    const Json line = read("roof.json").at("results")[0], row = read("run.json").at("results")[0];
    EXPECT_EQ(line.at("isa"), row.at("isa"));
    EXPECT_EQ(line.at("peak_of"), row.at("peak_of"));
    EXPECT_EQ(line.at("compulsory_bytes"), bytes) << dt;
    if (supports(Isa::avx512vnni) && !supports(Isa::amx) && dt[0] == 'u') {
      EXPECT_EQ(line.at("peak_of"), "vpdpbusd");
    }
  }
}

TEST_F(Cli, RankJudgesRecordsAndReplays) {
  const Outcome o = bench(fmt::format(
      "rank 'mb1ic16ih12oc64oh12kh3ph1n\"conv\"' '70x40:40x96n\"gemm\"' --threads 1,2 --variants 40 "
      "--seconds 0.2 --json {} --csv {} --html {}",
      file("rank.json"), file("rank.csv"), file("rank.html")));
  ASSERT_EQ(o.code, 0) << o.text;
  const Json j = read("rank.json");
  ASSERT_EQ(j.at("results").size(), 4u);
  for (const char* key : {"problems", "variants", "top1_over_best", "median_over_best", "worst_over_best",
                          "pairwise_accuracy", "gap_closed", "plan_ms_max", "variants_per_second"}) {
    EXPECT_TRUE(j.at("summary").contains(key)) << key;
  }
  EXPECT_EQ(j.at("summary").at("problems"), 4);
  EXPECT_GT(j.at("summary").at("top1_over_best").get<double>(), 0);
  EXPECT_LE(j.at("summary").at("top1_over_best").get<double>(), 1);
  EXPECT_GT(j.at("summary").at("variants").get<int>(), 80);
  EXPECT_TRUE(std::filesystem::exists(file("rank.html")));
  // A replay measures nothing: twice the same.
  const std::string replay = "rank --replay " + file("rank.csv") + " --json ";
  ASSERT_EQ(bench(replay + file("1.json")).code, 0);
  ASSERT_EQ(bench(replay + file("2.json")).code, 0);
  EXPECT_EQ(read("1.json").at("summary").at("pairwise_accuracy"),
            read("2.json").at("summary").at("pairwise_accuracy"));
  EXPECT_EQ(read("1.json").at("summary").at("variants"), j.at("summary").at("variants"));
}

TEST_F(Cli, ReplaysNameTheFileOfWhatTheyRefuse) {
  const std::string header =
      "problem,name,isa,threads,plain,place,schedule,ns,spread,samples,finalist,chosen,predicted_ns\n";
  const auto refused = [&](const std::string& lines, const std::string& words) {
    write("x.csv", header + lines);
    const Outcome o = bench("rank --replay " + file("x.csv"));
    EXPECT_EQ(o.code, 2) << o.text;
    EXPECT_NE(o.text.find(file("x.csv") + words), std::string::npos) << o.text;
    EXPECT_EQ(std::count(o.text.begin(), o.text.end(), '\n'), 1) << o.text;
  };
  refused("", ": it holds no variant");
  refused("8x8:8x8,,avx2,1,0,0,m/8,1\n", ":2: not a line of cortex-bench rank --csv");
  refused("8x8:8x8,,avx2,1,0,0,m/q,1,0,1,0,0,1\n", ": problem '8x8:8x8': schedule, column 1");
  refused("8x8:8,,avx2,1,0,0,m/8,1,0,1,0,0,1\n", ": problem '8x8:8': matmul");
}

TEST_F(Cli, MeasuredSchedulesGoThroughWisdom) {
  const std::string run =
      "run 70x40:40x96 --backend cortex --verify --repeats 2 --tune-seconds 0.1 --wisdom " + file("w.json") +
      " --json " + file("r.json");
  ASSERT_EQ(bench(run + " --mode measure").code, 0);
  ASSERT_TRUE(std::filesystem::exists(file("w.json")));
  const Json wisdom = read("w.json");
  ASSERT_EQ(wisdom.at("entries").size(), 1u);
  const std::string best = wisdom.at("entries").begin().value().at("schedule");
  const Outcome estimate = bench(run + " --mode estimate");
  ASSERT_EQ(estimate.code, 0) << estimate.text;
  EXPECT_EQ(read("r.json").at("results")[0].at("schedule"), best);
  ASSERT_EQ(bench(run + " --mode exhaustive").code, 0);
  EXPECT_GT(read("w.json").at("entries").begin().value().at("variants").get<int>(), 16);
  write("w.json", "{");
  const Outcome damaged = bench(run);
  EXPECT_EQ(damaged.code, 2);
  EXPECT_NE(damaged.text.find("damaged"), std::string::npos) << damaged.text;
}

TEST_F(Cli, ListNamesEverything) {
  const Outcome o = bench("list");
  EXPECT_EQ(o.code, 0);
  for (const char* word : {"conv_resnet50_mb1", "matmul_dl", "onednn", "avx512", "brgemm_f32_f32_f32_"}) {
    EXPECT_NE(o.text.find(word), std::string::npos) << word;
  }
}

TEST_F(Cli, AblationOfEveryTransformation) {
  const Outcome o = bench("ablate treelstm h8 mb2 tree9 seqgru h8 mb2 seq4 --min-time 0.001 --verify");
  EXPECT_EQ(o.code, 0) << o.text;
  for (const char* part : {"leaf-tables", "dynamic-batching", "treelstm h8 mb2 tree9", "geometric mean"}) {
    EXPECT_NE(o.text.find(part), std::string::npos) << o.text;
  }
  const Outcome bad = bench("ablate treelstm h8 mb2");
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.text.find("--trees"), std::string::npos) << bad.text;
}

// Every kernel that the type and the operator have, and a choice among them.
TEST_F(Cli, DetectMeasuresEveryKernel) {
  const Outcome o = bench(
      "detect mb1ic8ih6oc8oh6kh3ph1 2x16:16x8 --dt f32,u8s8 --weights nm2of4x2,unstructured --sparsity 0.5 "
      "--min-time 0.0005 --verify --json " +
      file("detect.json"));
  ASSERT_EQ(o.code, 0) << o.text;
  EXPECT_NE(o.text.find("fastest over chosen: geomean"), std::string::npos) << o.text;
  const Json results = read("detect.json").at("results");
  ASSERT_EQ(results.size(), 8U);
  for (const auto& r : results) {
    const bool matmul = r.at("problem").get<std::string>().find(':') != std::string::npos;
    const bool f32 = r.at("dt") == "f32";
    EXPECT_EQ(r.at("kernels").size(), 4U + f32 + matmul) << r;
    EXPECT_GT(r.at("best_over_chosen").get<double>(), 0) << r;
    EXPECT_LE(r.at("best_over_chosen").get<double>(), 1) << r;
  }
}

TEST_F(Cli, FuzzFindsNothingAndReplays) {
  const Outcome o = bench("fuzz --count 150 --seed 11");
  EXPECT_EQ(o.code, 0) << o.text;
  EXPECT_NE(o.text.find("150 runs (150 problems, 1 instruction sets): 0 failures"), std::string::npos)
      << o.text;
  // The same cases whatever the number of processes.
  const std::string ratio = o.text.substr(o.text.find("largest error ratio"), 27);
  EXPECT_NE(bench("fuzz --count 150 --seed 11 --processes 1").text.find(ratio), std::string::npos) << ratio;
  const Outcome narrow = bench("fuzz --count 100 --seed 5 --dt bf16,bf16f32,u8s8,s8s8,u8s8s32,s8s8f32");
  EXPECT_EQ(narrow.code, 0) << narrow.text;
  EXPECT_NE(narrow.text.find("100 runs (100 problems, 1 instruction sets): 0 failures"), std::string::npos)
      << narrow.text;
  EXPECT_EQ(bench("fuzz --dt u8f32").code, 2);
}

// As Ctrl-C does: every process of the tool is told.
TEST_F(Cli, AnInterruptedSearchKeepsTheBestSoFar) {
  const Outcome o = bench(
      "run 700x700:700x700 300x300:300x300 --backend cortex --mode exhaustive --tune-seconds 300 "
      "--repeats 2 --min-time 0.01 --wisdom " +
          file("w.json") + " --json " + file("r.json"),
      "timeout --preserve-status -s INT -k 60 3");
  EXPECT_EQ(o.code, 1) << o.text;
  EXPECT_NE(o.text.find("interrupted: 1 of 2 measurements done"), std::string::npos) << o.text;
  const Json results = read("r.json").at("results");
  ASSERT_EQ(results.size(), 1u);
  const Json wisdom = read("w.json");  // whole, with what was found
  ASSERT_EQ(wisdom.at("entries").size(), 1u) << wisdom.dump();
  const Outcome again = bench("run 700x700:700x700 --backend cortex --repeats 2 --wisdom " + file("w.json") +
                              " --json " + file("r.json"));
  ASSERT_EQ(again.code, 0) << again.text;
  EXPECT_EQ(read("r.json").at("results")[0].at("schedule"), results[0].at("schedule"));
  // A search that was not finished is no answer to who asks for one.
  EXPECT_TRUE(wisdom.at("entries").begin().value().value("unfinished", false)) << wisdom.dump();
  const Outcome searched =
      bench("run 700x700:700x700 --backend cortex --repeats 2 --mode measure --tune-seconds 0.5 --wisdom " +
            file("w.json"));
  ASSERT_EQ(searched.code, 0) << searched.text;
  const Json after = read("w.json");
  EXPECT_FALSE(after.at("entries").begin().value().value("unfinished", true)) << after.dump();
}

TEST_F(Cli, WhatIsReadIsNotWritten) {
  const std::string list = "16x16:16x16\n", models = "treelstm h4 mb1\n", trees = "((0 1) (2 3))\n";
  const auto refused = [&](const std::string& command, const std::string& text, const char* input,
                           const char* output) {
    write("f", text);
    const Outcome o = bench(fmt::format("{} {} {} {} {}", command, input, file("f"), output, file("f")));
    EXPECT_EQ(o.code, 2) << o.text;
    EXPECT_NE(
        o.text.find(fmt::format("{}: {} is the file of {} too: name another", output, file("f"), input)),
        std::string::npos)
        << command << o.text;
    std::ifstream in(file("f"));
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>(in), {}}), text) << command;
  };
  for (const char* output : {"--json", "--csv", "--html"}) {
    refused("run --backend cortex --repeats 1", list, "--batch", output);
    refused("rank --variants 5 --seconds 0.1", list, "--batch", output);
  }
  refused("run 'treelstm h4 mb1 trees' --backend cortex --repeats 1", trees, "--trees", "--json");
  refused("detect --weights nm2of4", list, "--batch", "--json");
  refused("ablate", models, "--batch", "--json");
  refused("ablate 'treelstm h4 mb1 trees'", trees, "--trees", "--json");
  refused("roofline", list, "--batch", "--json");
  refused("rank", "problem\n", "--replay", "--csv");
  refused("rank 8x8:8x8", "{}\n", "--machine", "--json");
}

// As `kill -INT` does: the process that was started alone.
constexpr char one_process[] = "timeout --foreground --preserve-status -s INT -k 60 3";

TEST_F(Cli, AnInterruptIsPassedOnToTheWorker) {
  if (!supports(Isa::avx2)) GTEST_SKIP() << "two instruction sets are asked for";
  const std::string run = "run 700x700:700x700 --backend cortex --isa avx2,baseline --json " +
                          file("r.json") + " --wisdom " + file("w.json");
  const Outcome o = bench(run + " --repeats 2 --mode exhaustive --tune-seconds 300", one_process);
  EXPECT_EQ(o.code, 1) << o.text;
  EXPECT_NE(o.text.find("interrupted: 1 of 2 measurements done; the search then under way"),
            std::string::npos)
      << o.text;
  EXPECT_EQ(read("r.json").at("results").size(), 1u);
  const Outcome sampling = bench(run + " --min-time 5", one_process);
  EXPECT_EQ(sampling.code, 1) << sampling.text;
  EXPECT_NE(sampling.text.find("interrupted: 1 of 2 measurements done"), std::string::npos) << sampling.text;
  EXPECT_EQ(sampling.text.find("search"), std::string::npos) << sampling.text;
}

TEST_F(Cli, AnInterruptedFuzzSaysWhatWasRun) {
  for (const char* how : {one_process, "timeout --preserve-status -s INT -k 60 3"}) {
    const Outcome o = bench("fuzz --count 100000000 --processes 2", how);
    EXPECT_EQ(o.code, 1) << o.text;
    const std::size_t at = o.text.find("interrupted: ");
    ASSERT_NE(at, std::string::npos) << o.text;
    EXPECT_GT(std::stoll(o.text.substr(at + 13)), 0) << o.text;
    EXPECT_NE(o.text.find(" of 100000000 runs done"), std::string::npos) << o.text;
    EXPECT_NE(o.text.find("1 instruction sets): 0 failures"), std::string::npos) << o.text;
  }
}

// As Ctrl-C, but nobody is left to be told.
TEST_F(Cli, AReaderThatLeavesEndsTheRunOrderly) {
  const std::string code = file("code");
  const Outcome run = bench_for_one_line(
      "run 70x40:40x96 16x16:16x16 17x17:17x17 18x18:18x18 --backend cortex --mode measure --tune-seconds "
      "0.3 "
      "--min-time 0.3 --json " +
          file("r.json") + " --wisdom " + file("w.json"),
      code);
  EXPECT_EQ(run.code, 141) << run.text;
  EXPECT_NE(run.text.find("GFLOP/s peak a core"), std::string::npos) << run.text;
  const std::size_t done = read("r.json").at("results").size();
  EXPECT_GE(done, 1u);
  EXPECT_LT(done, 4u);
  EXPECT_EQ(read("w.json").at("entries").size(), done);

  const Outcome rank = bench_for_one_line(
      "rank 30x30:30x30 31x31:31x31 32x32:32x32 --variants 10 --seconds 0.3 --json " + file("rank.json"),
      code);
  EXPECT_EQ(rank.code, 141) << rank.text;
  const std::size_t ranked = read("rank.json").at("results").size();
  EXPECT_GE(ranked, 1u);
  EXPECT_LT(ranked, 3u);

  for (const std::string& arguments :
       {std::string("list"), "machine --seconds 0.5 --json " + file("m.json"), std::string("fuzz --count 20"),
        std::string("roofline 8x8:8x8 9x9:9x9"), std::string("--help"),
        "ablate treelstm h8 mb2 tree9 seqgru h8 mb2 seq4 seqlstm h8 mb2 seq4 --min-time 0.2 --json " +
            file("a.json")}) {
    const Outcome o = bench_for_one_line(arguments, code);
    EXPECT_TRUE(o.code == 141 || o.code == 0) << arguments << ": " << o.code;  // 0: head read it all
    EXPECT_EQ(o.text.find("cortex-bench: "), std::string::npos) << o.text;
  }
  EXPECT_FALSE(read("m.json").empty());
  EXPECT_LT(read("a.json").at("results").size(), 3u);
}

// Where both streams are closed from the start there is nobody to complain to.
TEST_F(Cli, NobodyListensAtAll) {
  for (const char* arguments :
       {"run 8x8:8x8 --backend cortex --repeats 1", "run 8x8", "list", "frobnicate", "fuzz --count 5"}) {
    const int status = std::system(fmt::format("{{ sleep 0.2; '{}' {} 2>&1; echo $? >'{}'; }} | true",
                                               CORTEX_BENCH_TOOL, arguments, file("code"))
                                       .c_str());
    EXPECT_EQ(status, 0);
    int code = -1;
    std::ifstream(file("code")) >> code;
    EXPECT_TRUE(code == 141 || code == 2) << arguments << ": " << code;
  }
}

TEST_F(Cli, AnInterruptedDetectKeepsWhatIsDone) {
  const Outcome o = bench(
      "detect 16x64:64x64 32x64:64x64 48x64:64x64 64x64:64x64 80x64:64x64 --weights nm2of4x2 "
      "--min-time 5 --json " +
          file("d.json"),
      one_process);
  EXPECT_EQ(o.code, 1) << o.text;
  const std::size_t at = o.text.find("interrupted: "), done = read("d.json").at("results").size();
  ASSERT_NE(at, std::string::npos) << o.text;
  EXPECT_EQ(o.text.substr(at, o.text.find('\n', at) - at),
            fmt::format("interrupted: {} of 5 measured", done));
  EXPECT_GE(done, 1u);
  EXPECT_LT(done, 5u);
  EXPECT_NE(o.text.find("fastest over chosen: geomean"), std::string::npos) << o.text;
}

TEST_F(Cli, AnInterruptedRankSaysHowFarItCame) {
  const Outcome o = bench("rank 700x700:700x700 300x300:300x300 --seconds 300", one_process);
  EXPECT_EQ(o.code, 1) << o.text;
  EXPECT_NE(o.text.find("interrupted: 0 of 2 ranked"), std::string::npos) << o.text;
}

}  // namespace
}  // namespace cortex::bench
