// The run command, and what every command refuses: exit codes, messages, files.
#include "bench/commands/cli_testing.h"
#include "support/cpu.h"

namespace cortex::bench {
namespace {

TEST_F(Cli, AnIsaThatWasNotBuiltIsRefused) {
  for (int i = 0; i < isa_count; ++i) {
    const Isa isa = static_cast<Isa>(i);
    const Outcome o = bench(fmt::format("run 8x8:8x8 --backend cortex --repeats 1 --isa {}", isa_name(isa)));
    if (supports(isa)) {
      EXPECT_EQ(o.code, 0) << o.text;
      continue;
    }
    EXPECT_EQ(o.code, 2) << o.text;
    EXPECT_NE(o.text.find(is_built(isa) ? "this machine runs up to" : "-DCORTEX_ISAS="), std::string::npos)
        << o.text;
  }
  if (is_built(Isa::avx512)) return;
  const Outcome o = bench(
      "run 64x64:64x64 --backend cortex --schedule 'm/14 n/64 | brgemm_f32_f32_f32_14x32x1_avx512 m=m n=n "
      "k=k'");
  EXPECT_EQ(o.code, 2) << o.text;
  EXPECT_NE(o.text.find("avx512 was not built"), std::string::npos) << o.text;
}

TEST_F(Cli, BadInputIsOneLineAndExitCodeTwo) {
  const std::pair<const char*, const char*> cases[] = {
      {"run", "no problem given"},
      {"run foo", "foo"},
      {"run mb1ic64ih56oc64oh99kh3ph1", "oh"},
      {"run 64x64:32x64", "32"},
      {"run 99999999999x64:64x64", "99999999999"},
      {"run 64x64:64x64 --isa avx1024", "'avx1024' is not one of"},
      {"run 64x64:64x64 --backend tensorflow", "'tensorflow' is not one of"},
      {"run treelstm h256 mb10", "name their file with --trees"},
      {"run treelstm h256 mb10 --trees /nonexistent/trees.txt", "--trees: /nonexistent/trees.txt"},
      {"run treelstm h0 perfect3", "0 is not between 1 and"},
      {"run --op recursive lstm h4", "a problem begins with its model"},
      {"run --op rnn LSTM t5", "sic is missing"},
      {"run LSTM sic4 --batches -1", "--batches"},
      {"roofline treelstm h4 mb1", "treelstm"},
      {"run 64x64:64x64 --op lstm", "'lstm' is not one of conv, matmul, rnn, recursive"},
      {"run 64x64:64x64 --dt f7", "'f7' is not a data type"},
      {"run 64x64:64x64 --dt u8bf16", "--dt u8bf16: types u8:bf16:u8 are not supported"},
      {"run 'LSTM t3mb2sic8' --dt bf16", "--dt bf16: 'LSTM t3mb2sic8' runs in f32 alone"},
      {"run 64x64:64x64 --weights nm5of4", "nm5of4"},
      {"run 64x64:64x64 --cold mild", "'mild' is not one of"},
      {"run 64x64:64x64 --kernel fast", "'fast' is not one of"},
      {"run 64x64:64x64 --threads 0", "0 is not between"},
      {"run 64x64:64x64 --threads one", "--threads"},
      {"run 64x64:64x64 --json /nonexistent/x.json", "/nonexistent/x.json"},
      {"run 64x64:64x64 --html /", "cannot write /"},
      {"run 64x64:64x64 --min-time 0", "--min-time"},
      {"run 64x64:64x64 --mode guess", "'guess' is not one of"},
      {"run 64x64:64x64 --mode measure --wisdom /nonexistent/w.json", "/nonexistent/w.json"},
      {"run 64x64:64x64 32x32:32x32 --schedule 'a | kernel'",
       "--schedule: it is for one problem, here are 2"},
      {"run 64x64:64x64 --schedule ''", "--schedule: is empty: give a schedule"},
      {"run 64x64:64x64 --schedule=", "--schedule: is empty: give a schedule"},
      {"run --schedule= 64x64:64x64", "--schedule: is empty: give a schedule"},
      {"run 64x64:64x64 --dt ,", "--dt: ',' has an empty entry"},
      {"run 64x64:64x64 --json=", "--json: is empty: give a value, or leave the option out"},
      {"run 64x64:64x64 --json ''", "--json: is empty"},
      {"run --json= 64x64:64x64", "--json: is empty"},
      {"run 64x64:64x64 --csv=", "--csv: is empty"},
      {"run 64x64:64x64 --html ' '", "--html: is empty"},
      {"run 64x64:64x64 --wisdom=", "--wisdom: is empty"},
      {"run 64x64:64x64 --ranker=", "--ranker: is empty"},
      {"run 64x64:64x64 --batch=", "--batch: is empty"},
      {"run LSTM --trees=", "--trees: is empty"},
      {"run 64x64:64x64 --op=", "--op: is empty"},
      {"run 64x64:64x64 --min-time=", "--min-time: is empty"},
      {"run 64x64:64x64 ''", "problem: is empty: give a value, or leave it out"},
      {"run 64x64:64x64 --verify=", "--verify: takes no value: leave out the '='"},
      {"run --plain= 64x64:64x64", "--plain: takes no value"},
      {"rank 64x64:64x64 --machine=", "--machine: is empty"},
      {"rank --replay= --fit x", "--replay: is empty"},
      {"roofline 64x64:64x64 --machine ''", "--machine: is empty"},
      {"machine --json=", "--json: is empty"},
      {"ablate treelstm h8 mb2 tree9 --json=", "--json: is empty"},
      {"detect mb1ic8ih4oc8oh4kh1", "--weights: name formats of zeros"},
      {"detect mb1ic8ih4oc8oh4kh1 --weights bs4x1", "--weights bs4x1: say how many weights are zero"},
      {"detect mb1ic8ih4oc8oh4kh1 --weights nm2of4 --threads 0", "--threads: 0 is not between 1 and 64"},
      {"detect treelstm h8 mb2 tree9 --weights nm2of4", "detect takes conv and matmul"},
      {"detect mb1ic8ih4oc8oh4kh1 --weights nm2of4 --op foo", "--op: 'foo' is not one of conv, matmul"},
      {"detect mb1ic2000000000ih1iw1oc1oh1ow1kh1kw1 --weights nm2of4",
       "GB for every kernel, this machine has"},
      {"detect g2mb1ic8ih4oc8oh4kh1 --weights nm2of4", "--weights: "},
      {"compare '' b.json", "before: is empty"},
      {"run --dt , 64x64:64x64", "--dt: ',' has an empty entry"},
      {"run --dt= 64x64:64x64", "--dt: '' has an empty entry"},
      {"run --weights , 64x64:64x64", "--weights: ',' has an empty entry"},
      {"run 64x64:64x64 --threads 1,,2", "--threads: '1,,2' has an empty entry"},
      {"run 64x64:64x64 --threads 1,two", "--threads"},
      {"fuzz --dt bf16,", "--dt: 'bf16,' has an empty entry"},
      {"run 64x64:64x64 --schedule 'az | kernel'", "no dim has the letter \"z\""},
      {"run 64x64:64x64 --schedule 'Cab a=4 b=8 c=16 | brgemm_f32_f32_f32_4x8x1_baseline m=a n=b k=c'",
       "parallel loop k: RAW on dst: S[m=0,n=0,k=0] -> S[m=0,n=0,k=16] would race"},
      {"run 64x64:64x64 --seed 99999999999999999999", "--seed: '99999999999999999999' is too large"},
      {"run 64x64:64x64 --seed ' -1'", "--seed: ' -1' is not a whole number"},
      {"run 64x64:64x64 --repeats 3x", "--repeats: '3x' is not a whole number"},
      {"run 64x64:64x64 --threads 1,99999999999999999999", "--threads: '99999999999999999999' is too large"},
      {"fuzz --count 99999999999999999999", "--count: '99999999999999999999' is too large"},
      {"run 64x64:64x64 --seed -1", "'-1' must not be negative"},
      {"run 64x64:64x64 --ranker no_such_file", "no_such_file"},
      {"run 64x64:64x64 --ranker r --mode measure", "--ranker: it is for --mode estimate"},
      {"rank 64x64:64x64 --learn r.json", "--learn: needs --replay"},
      {"fuzz --seed -1", "'-1' must not be negative"},
      {"fuzz --max-failures -1", "--max-failures: -1 is negative"},
      {"fuzz --processes -5", "--processes: -5 is not 1 to 256"},
      {"fuzz --count 9223372036854775807 --first 1", "go beyond"},
      {"run 16x16:16x16 --weights nm2of4 --plain", "--plain: weights with zeros"},
      {"run 16x16:16x16 --weights nm2of4 --kernel generated",
       "no kernels are generated for weights with zeros"},
      {"run 16x16:16x16 --weights nm2of4 --mode measure --wisdom w.json",
       "have no schedules to give, keep or rank"},
      {"run 64x64:64x64 --min-time inf", "--min-time"},
      {"run 64x64:64x64 --min-time nan", "--min-time"},
      {"run 64x64:64x64 --time-limit inf", "--time-limit"},
      {"run '64x64:64x64n\"\xff\"'", "UTF-8"},
      {"run '--dir=BWD_D 64x64:64x64'", "backward"},
      {"run --batch /dev/zero", "/dev/zero"},
      {"run --batch /", "/: is a directory"},
      {"run 64x64:64x64 --backend cortex --library /nonexistent/x.so", "/nonexistent/x.so"},
      {"run 64x64:64x64 --backend cortex --library /etc/passwd", "/etc/passwd"},
      {"run 64x64:64x64 --backend cortex --library libc.so.6:environ", "libc.so.6"},
      {"run 64x64:64x64 --backend cortex --library ''", "--library"},
      {"run --batch /nonexistent/list.txt", "/nonexistent/list.txt"},
      {"run --frob", "--frob"},
      {"compare /nonexistent/a.json /nonexistent/b.json", "/nonexistent/a.json"},
      {"roofline 64x64:64x64 --machine /nonexistent/m.json", "/nonexistent/m.json"},
      {"machine --isa avx1024", "avx1024"},
      {"rank", "no problem given"},
      {"rank 64x64:64x64 --variants 0", "--variants"},
      {"rank 64x64:64x64 --threads 0", "0 is not between"},
      {"rank 64x64:64x64 --cold mild", "'mild' is not one of"},
      {"run 8x8:8x8 --trees sentences-binary", "--trees: no problem here is a recursive model"},
      {"run treelstm h4 mb1 --trees /", "--trees: /: is a directory"},
      {"run treelstm h4 mb1 --trees /dev/null", "--trees: /dev/null: no tree"},
      {"run 8x8:8x8 --json /tmp/./x --csv /tmp/x", "--csv: /tmp/x is the file of --json too: name another"},
      {"run 8x8:8x8 --mode measure --wisdom /tmp/x --json /tmp/x",
       "--json: /tmp/x is the file of --wisdom too"},
      {"run 8x8:8x8 --json x_of_both --csv \"$PWD/x_of_both\"", "is the file of --json too: name another"},
      {"run 8x8:8x8 --wisdom /tmp/none --json /tmp/none", "--json: /tmp/none is the file of --wisdom too"},
      {"rank 8x8:8x8 --html /tmp/x --json /tmp/x", "--html: /tmp/x is the file of --json too"},
      {"rank 8x8:8x8 --machine /", "--machine: /: is a directory"},
      {"roofline 8x8:8x8 --machine /", "--machine: /: is a directory"},
      {"roofline 8x8:8x8 --machine /dev/null", "`cortex-bench machine --json FILE` writes one"},
      {"rank --replay /", "--replay: /: is a directory"},
      {"run 8x8:8x8 --ranker /", "--ranker: /: is a directory"},
      {"ablate treelstm h4 mb1 --trees /dev/null", "--trees: /dev/null: no tree"},
      {"rank 8x8:8x8 --fix barrier", "--fix: it is for --fit"},
      {"rank 8x8:8x8 --hold-out 3", "--hold-out: needs --replay"},
      {"rank 8x8:8x8 --replay x.csv", "--replay: it scores what its CSV holds"},
      {"rank 8x8:8x8 --seconds inf", "--seconds"},
      {"compare a b --threshold inf", "--threshold"},
      {"rank --replay /nonexistent/x.csv", "/nonexistent/x.csv"},
      {"frobnicate", "subcommand"},
      {"", "subcommand"},
  };
  for (const auto& [arguments, words] : cases) {
    const Outcome o = bench(arguments);
    EXPECT_EQ(o.code, 2) << arguments << "\n" << o.text;
    EXPECT_NE(o.text.find(words), std::string::npos) << arguments << "\n" << o.text;
    EXPECT_EQ(std::count(o.text.begin(), o.text.end(), '\n'), 1) << arguments << "\n" << o.text;
  }
}

TEST_F(Cli, BatchErrorsNameFileAndLine) {
  write("list.txt", "# fine\n16x16:16x16\nnonsense\n");
  const Outcome o = bench("run --batch " + file("list.txt"));
  EXPECT_EQ(o.code, 2);
  EXPECT_NE(o.text.find(file("list.txt") + ":3: "), std::string::npos) << o.text;
}

// What does not reach the disk must not pass for a success.
TEST_F(Cli, FullDisksAreReported) {
  const auto run = [&](const std::string& arguments, const char* out) {
    const int status = std::system(
        fmt::format("'{}' {} >{} 2>'{}'", CORTEX_BENCH_TOOL, arguments, out, file("err")).c_str());
    std::ifstream in(file("err"));
    return Outcome{WEXITSTATUS(status), {std::istreambuf_iterator<char>(in), {}}};
  };
  const std::string quick = "run 8x8:8x8 --backend cortex --repeats 1 --quiet";
  for (const char* option : {"--json", "--csv", "--html"}) {
    const Outcome o = run(fmt::format("{} {} /dev/full", quick, option), "/dev/null");
    EXPECT_EQ(o.code, 2) << option;
    EXPECT_NE(o.text.find("cannot write /dev/full"), std::string::npos) << o.text;
  }
  for (const std::string& arguments : {std::string("list"), quick + " --verify", std::string("--help")}) {
    const Outcome o = run(arguments, "/dev/full");
    EXPECT_NE(o.code, 0) << arguments;
    EXPECT_NE(o.text.find("No space left"), std::string::npos) << arguments << ": " << o.text;
  }
}

TEST_F(Cli, FileNamesNeedNotBeUtf8) {
  const Outcome o = bench(fmt::format("run 8x8:8x8 --backend cortex --repeats 1 --json '{}' --html '{}'",
                                      file("a b\xff.json"), file("\xff.html")));
  EXPECT_EQ(o.code, 0) << o.text;
  EXPECT_EQ(read("a b\xff.json").at("results").size(), 1u);
}

// A worker that dies in somebody else's code takes nothing along, and what it did is named.
TEST_F(Cli, LibrariesOfAnotherKindAreRefused) {
  write("wrong.c",
        "int number = 3; void crash(void) { __builtin_trap(); }\n"
        "const void* nothing(void) { return 0; }\n"
        "const void* rubbish(void) { static long x[16] = {77}; return x; }\n");
  const std::string so = file("libwrong.so");
  ASSERT_EQ(std::system(fmt::format("cc -shared -fPIC -o '{}' '{}'", so, file("wrong.c")).c_str()), 0);
  const auto run = [&](const char* name) {
    return bench(fmt::format("run 8x8:8x8 --backend cortex --repeats 1 --library '{}{}'", so, name));
  };
  const std::tuple<const char*, int, const char*> cases[] = {
      {"", 2, "no function wrong"},       {":number", 2, "no function number"}, {":nothing", 2, "NULL"},
      {":rubbish", 2, "made for ABI 77"}, {":crash", 1, "while loading"},
  };
  for (const auto& [name, code, words] : cases) {
    const Outcome o = run(name);
    EXPECT_EQ(o.code, code) << name << o.text;
    EXPECT_NE(o.text.find(words), std::string::npos) << o.text;
    EXPECT_EQ(std::count(o.text.begin(), o.text.end(), '\n'), 1) << o.text;
  }
}

TEST_F(Cli, MalformedEnvironmentIsRefused) {
  const Outcome o = bench("run 16x16:16x16", "CORTEX_MAX_ISA=quick");
  EXPECT_EQ(o.code, 2);
  EXPECT_NE(o.text.find("CORTEX_MAX_ISA: 'quick'"), std::string::npos) << o.text;
}

TEST_F(Cli, QuickRunWritesThePromisedJson) {
  const Outcome o =
      bench(fmt::format("run '16x24:24x20n\"small*3\"' 'mb1ic8ih6oc16oh6kh3ph1n\"layer\"' --threads 1,2 "
                        "--verify --repeats 3 --json {} "
                        "--csv {} --html {}",
                        file("r.json"), file("r.csv"), file("r.html")));
  ASSERT_EQ(o.code, 0) << o.text;
  EXPECT_EQ(o.text.find('\r'), std::string::npos) << "a progress bar in a pipe";
  const Json j = read("r.json");
  for (const char* key : {"cpu", "cores", "caches", "compiler", "flags", "date", "git", "libraries", "seed",
                          "peak_gflops_per_core", "load_average", "measured"}) {
    EXPECT_TRUE(j.at("context").contains(key)) << key;
  }
  ASSERT_FALSE(j.at("results").empty());
  bool cortex = false;
  for (const Json& r : j.at("results")) {
    for (const char* key :
         {"problem", "name", "count", "op", "dt", "weights", "backend", "version", "isa", "threads",
          "time_ns", "create_ns", "pack_ns", "gflops", "percent_of_peak", "error_ratio"}) {
      EXPECT_TRUE(r.contains(key)) << key;
    }
    EXPECT_EQ(r.at("time_ns").at("samples").size(), 3u);
    EXPECT_GT(r.at("time_ns").at("median").get<double>(), 0);
    EXPECT_LE(r.at("time_ns").at("min").get<double>(), r.at("time_ns").at("median").get<double>());
    EXPECT_LE(r.at("error_ratio").get<double>(), 1);
    EXPECT_EQ(r.at("status"), "ok");
    if (r.at("name") == "small") {
      EXPECT_EQ(r.at("count"), 3);
      EXPECT_EQ(r.at("problem"), "16x24:24x20n\"small*3\"");
    }
    cortex = cortex || r.at("backend") == "cortex";
  }
  EXPECT_TRUE(cortex);
  for (const Json& s : j.at("summary")) {
    for (const char* key : {"pair", "threads", "geomean_speedup", "wins", "losses", "worst", "worst_name"}) {
      EXPECT_TRUE(s.contains(key)) << key;
    }
    EXPECT_EQ(s.at("wins").get<int>() + s.at("losses").get<int>(), 2);
  }
  // The last lines are the summary, one a pair and thread count.
  const std::size_t last_line = o.text.rfind('\n', o.text.size() - 2) + 1;
  if (!j.at("summary").empty()) {
    EXPECT_EQ(o.text.compare(last_line, 7, "cortex/"), 0) << o.text.substr(last_line);
  }
  EXPECT_TRUE(std::filesystem::exists(file("r.csv")));
  EXPECT_TRUE(std::filesystem::exists(file("r.html")));
}

TEST_F(Cli, GeneratedWithoutAKernelIsReportedNotDropped) {
  const Outcome o = bench(
      "run 13x17:17x19 --backend cortex --kernel generated,interpreted --repeats 2 --json " + file("r.json"));
  ASSERT_EQ(o.code, 0) << o.text;
  const Json j = read("r.json");
  ASSERT_EQ(j.at("results").size(), 1u);
  EXPECT_EQ(j.at("results")[0].at("backend"), "cortex-interpreted");
  ASSERT_EQ(j.at("unsupported").size(), 1u);
  EXPECT_EQ(j.at("unsupported")[0].at("backend"), "cortex-generated");
}

TEST_F(Cli, ProblemsMayFollowAnyOptionAndBeginWithOptions) {
  write("list.txt", "8x8:8x8\n");
  write("list2.txt", "9x9:9x9\n10x9:9x9\n");
  const Outcome o =
      bench(fmt::format("run --batch {} --batch {} --threads 1 11x8:8x8 --isa baseline "
                        "'--attr-post-ops=relu 12x8:8x8' --backend cortex --repeats 1 --json {} 13x8:8x8",
                        file("list.txt"), file("list2.txt"), file("r.json")));
  ASSERT_EQ(o.code, 0) << o.text;
  EXPECT_EQ(read("r.json").at("results").size(), 6u);
}

TEST_F(Cli, SchedulesAreGivenAsTextOrAsLoopStrings) {
  const char* texts[] = {"m/15 n/8 m/4 | brgemm_f32_f32_f32_4x8x1_baseline m=m n=n k=k",
                         "aba a=15,4 b=8 | brgemm_f32_f32_f32_4x8x1_baseline m=a n=b k=c"};
  for (const char* text : texts) {
    const Outcome o =
        bench(fmt::format("run 33x65:65x31 --backend cortex --verify --repeats 2 --schedule '{}' --json {}",
                          text, file("r.json")));
    ASSERT_EQ(o.code, 0) << o.text;
    EXPECT_EQ(read("r.json").at("results").at(0).at("schedule"), texts[0]);
  }
}

// 600,000 nodes: a hundred copies would run for minutes.
TEST_F(Cli, IntegerResultsMayBeRounded) {
  for (const char* post_ops : {"sum:0.5", "sum:-3+relu", "tanh"}) {
    const Outcome o = bench(fmt::format(
        "run '--dt=u8:s8:s32 --bia_dt=f32 --attr-post-ops={} 13x37:37x41' --verify --repeats 2", post_ops));
    EXPECT_EQ(o.code, 0) << o.text;
  }
}

// What a line leaves to --dt is checked with those types.
TEST_F(Cli, ZeroPointsAndScalesOfLinesAreOfTheTypesGiven) {
  const std::string line = "'--attr-zero-points=src:common:7+dst:common:3 33x65:65x31'";
  write("list.txt", "--attr-zero-points=src:common:7\nmb1ic8ih6oc16oh6kh3ph1\n--reset\n16x24:24x20\n");
  for (const char* dt : {"u8s8", "s8s8", "u8s8,s8s8"}) {
    for (const std::string& problem : {line, "--batch " + file("list.txt")}) {
      const Outcome o = bench(fmt::format("run {} --dt {} --backend cortex --verify --repeats 2 --json {}",
                                          problem, dt, file("r.json")));
      ASSERT_EQ(o.code, 0) << o.text;
      for (const Json& r : read("r.json").at("results")) EXPECT_NE(r.at("dt"), "f32");
    }
  }
  const Outcome f32 = bench(fmt::format("run {} --dt u8s8,f32", line));
  EXPECT_EQ(f32.code, 2);
  EXPECT_NE(f32.text.find("zero point 7 of src: it is f32"), std::string::npos) << f32.text;
  const Outcome stated =
      bench("run '--dt=bf16 16x16:16x16' --dt u8s8 --backend cortex --repeats 2 --json " + file("r.json"));
  ASSERT_EQ(stated.code, 0) << stated.text;
  EXPECT_EQ(read("r.json").at("results")[0].at("dt"), "bf16");
}

TEST_F(Cli, ColdAndPlainRun) {
  for (const char* arguments : {"--cold weights", "--cold all", "--plain", "--plain --cold all"}) {
    const Outcome o =
        bench(fmt::format("run 33x65:65x31 mb1ic8ih6oc16oh6kh3ph1 --verify --repeats 2 {}", arguments));
    EXPECT_EQ(o.code, 0) << arguments << "\n" << o.text;
  }
}

}  // namespace
}  // namespace cortex::bench
