// cortex-gen as people run it: outputs, exit codes, one clear line per refusal, nothing left behind.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "support/cpu.h"

namespace cortex {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Finished {
  int code;
  std::string out, err;
};

class Cli : public ::testing::Test {
 protected:
  Cli() {
    char name[] = "/tmp/cortex_cli_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Cli() override { fs::remove_all(folder_); }

  Finished gen(const std::string& arguments) const {
    const int status = std::system(fmt::format("cd {0} && '{1}' {2} >{0}/.out 2>{0}/.err </dev/null",
                                               folder_.string(), CORTEX_GEN, arguments)
                                       .c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder_ / ".out"), read(folder_ / ".err")};
  }

  // Exit code 2, one line that holds every word, and no file written.
  void refuses(const std::string& arguments, const std::vector<std::string>& words) const {
    const std::vector<std::string> before = files();
    const Finished run = gen(arguments);
    EXPECT_EQ(run.code, 2) << arguments;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_TRUE(run.err.starts_with("cortex-gen: ")) << run.err;
    EXPECT_EQ(run.out, "") << arguments;
    for (const std::string& word : words)
      EXPECT_NE(run.err.find(word), std::string::npos) << word << " in: " << run.err;
    EXPECT_EQ(files(), before) << arguments;
  }

  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = fs::relative(entry.path(), folder_).string();
      if (name != ".out" && name != ".err") all.push_back(name);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

constexpr const char* small = "mb1ic16ih8oc16oh8kh3ph1";
constexpr const char* two_isas = !is_built(Isa::avx512) ? "avx2,baseline"
                                 : is_built(Isa::avx2)  ? "avx512,avx2"
                                                        : "avx512,baseline";
constexpr bool has_two_isas = is_built(Isa::avx512) || is_built(Isa::avx2);

TEST_F(Cli, GeneratesALibrary) {
  if (!has_two_isas) GTEST_SKIP() << "only the baseline was built";
  write("list.txt",
        fmt::format("# two, one of them twice\n{0}n\"first\"\n{0}n\"again\"\nmb1ic8ih4oc8oh4kh1\n", small));
  const Finished run = gen(
      fmt::format("generate --batch list.txt --isa {} --threads 1,2 --out new/out --name my_lib", two_isas));
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 1) << run.out;
  EXPECT_NE(run.out.find("8 kernels"), std::string::npos) << run.out;
  const std::vector<std::string> expected = {"list.txt",
                                             "new",
                                             "new/out",
                                             "new/out/my_lib.cpp",
                                             "new/out/my_lib.h",
                                             "new/out/my_lib.json",
                                             "new/out/my_lib_part0.cpp"};
  EXPECT_EQ(files(), expected);
  const auto manifest = nlohmann::json::parse(read(folder_ / "new/out/my_lib.json"));
  EXPECT_EQ(manifest["kernels"].size(), 8u);
  EXPECT_EQ(manifest["kernels"][0]["name"], "first");
}

TEST_F(Cli, SameInputSameBytesAndTimeStamps) {
  if (!has_two_isas) GTEST_SKIP() << "only the baseline was built";
  const std::string how =
      fmt::format("generate {} 30x40:40x50 --plain --isa {} --threads 1,3 --parts 3", small, two_isas);
  ASSERT_EQ(gen(how + " --out a --jobs 1").code, 0);
  ASSERT_EQ(gen(how + " --out b --jobs 4").code, 0);
  for (const char* file : {"kernels.h", "kernels.cpp", "kernels_part0.cpp", "kernels_part1.cpp",
                           "kernels_part2.cpp", "kernels.json"}) {
    EXPECT_EQ(read(folder_ / "a" / file), read(folder_ / "b" / file)) << file;
  }
  const fs::file_time_type before = fs::last_write_time(folder_ / "a/kernels.cpp");
  usleep(20000);
  ASSERT_EQ(gen(how + " --out a").code, 0);
  EXPECT_EQ(fs::last_write_time(folder_ / "a/kernels.cpp"), before);
  EXPECT_NE(read(folder_ / "a/kernels.cpp").find("|plain"), std::string::npos);
}

TEST_F(Cli, RemovesPartsOfEarlierRunsOnly) {
  ASSERT_EQ(gen(fmt::format("generate {} --isa host --out o --name lib --parts 4", small)).code, 0);
  write("o/lib_part9.cpp", "// mine\n");
  ASSERT_EQ(gen(fmt::format("generate {} --isa host --out o --name lib --parts 2", small)).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "o/lib_part2.cpp"));
  EXPECT_FALSE(fs::exists(folder_ / "o/lib_part3.cpp"));
  EXPECT_TRUE(fs::exists(folder_ / "o/lib_part9.cpp"));
}

TEST_F(Cli, ListsOutputs) {
  const Finished run = gen("generate --list-outputs --parts 2 --out o --name lib");
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "o/lib.h\no/lib.cpp\no/lib_part0.cpp\no/lib_part1.cpp\no/lib.json\n");
}

TEST_F(Cli, VersionHelpSchedule) {
  EXPECT_EQ(gen("--version").code, 0);
  EXPECT_NE(gen("--version").out.find("cortex-gen "), std::string::npos);
  EXPECT_EQ(gen("--help").code, 0);
  const Finished run = gen(fmt::format("schedule {} --isa avx2 --keep 2 --code", small));
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("cortex_brgemm_"), std::string::npos);
}

// As in a list, options may stand before a problem; and a problem may follow any option.
TEST_F(Cli, ProblemsMayBeginWithOptionsAndFollowThem) {
  const char* const relu = "'--bia_dt=f32 --attr-post-ops=relu 16x24:24x32'";
  for (const char* command : {"explain", "schedule"}) {
    const Finished run = gen(fmt::format("{} --isa avx2 {}", command, relu));
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_NE(run.out.find("relu"), std::string::npos) << run.out;
  }
  write("list.txt", "8x8:8x8\n");
  const Finished run =
      gen(fmt::format("generate --batch list.txt 9x9:9x9 --isa host {} --threads 1 {} --out o", relu, small));
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("4 problems"), std::string::npos) << run.out;
  refuses("explain '--dir=BWD_D 8x8:8x8'", {"--dir=BWD_D", "backward"});
}

TEST_F(Cli, HostMeansWhatMaxIsaLeaves) {
  ASSERT_EQ(setenv("CORTEX_MAX_ISA", "baseline", 1), 0);
  EXPECT_NE(gen("schedule 8x8:8x8 --isa host").out.find("8x8:8x8  baseline"), std::string::npos);
  EXPECT_NE(gen("explain 8x8:8x8").out.find("baseline"), std::string::npos);
  EXPECT_EQ(gen("schedule 8x8:8x8 --isa avx2").code, 0) << "a target need not run here";
  ASSERT_EQ(setenv("CORTEX_MAX_ISA", "quick", 1), 0);
  refuses("schedule 8x8:8x8 --isa host", {"CORTEX_MAX_ISA=quick"});
  refuses("explain 8x8:8x8", {"CORTEX_MAX_ISA=quick"});
  unsetenv("CORTEX_MAX_ISA");
}

TEST_F(Cli, CodeForAnIsaThatWasNotBuiltIsRefused) {
  for (int i = 0; i < isa_count; ++i) {
    const Isa isa = static_cast<Isa>(i);
    const std::string name = isa_name(isa);
    const std::string missing = "-DCORTEX_ISAS=" + name;
    if (is_built(isa)) {
      EXPECT_EQ(gen("generate 8x8:8x8 --out o --isa " + name).code, 0) << name;
    } else {
      refuses("generate 8x8:8x8 --out o --isa " + name, {"--isa " + name, missing});
      refuses("recursive --model treernn --hidden 8 --out o --isa " + name, {"--isa " + name, missing});
    }
    EXPECT_EQ(gen("schedule 8x8:8x8 --isa " + name).code, 0) << "predictions are for any machine";
  }
}

TEST_F(Cli, KernelsOfF32AreMadeOncePerWidth) {
  if (!is_built(Isa::avx2vnni) || !is_built(Isa::avx512bf16))
    GTEST_SKIP() << "not built: avx2vnni or avx512bf16";
  const Finished o =
      gen("generate 8x8:8x8 '--dt=u8:s8:s32 8x8:8x8' --isa avx2vnni,avx512vnni,avx512bf16 --out o --name k");
  EXPECT_NE(o.out.find("k: 5 kernels (2 problems"), std::string::npos) << o.out << o.err;
}

TEST_F(Cli, KernelsOfTileRegistersTakeBandsAndEndTheirSeries) {
  if (!is_built(Isa::amx)) GTEST_SKIP() << "not built: amx";
  const Finished o = gen(
      "generate '--dt=u8:s8:u8 mb1ic256ih14oc256oh14kh3ph1' '--dt=bf16:bf16:bf16 mb1ic512ih7oc512oh7kh3ph1' "
      "--isa amx --out o --name k");
  EXPECT_EQ(o.code, 0) << o.err;
  const std::string code = read(folder_ / "o/k_part0.cpp");
  for (const char* text : {"args.bands = ", "args.a_band = ", "args.tiles = &tiles;",
                           "cortex_tiles_release_amx(&tiles);", "x4_amx(", "x2_amx("}) {
    EXPECT_NE(code.find(text), std::string::npos) << text << "\n" << code;
  }
}

TEST_F(Cli, RefusesProblems) {
  refuses("generate mb1ic16zz8 --out o", {"mb1ic16zz8"});
  refuses("generate mb1ic16ih8oc16oh30kh3ph1 --out o", {"oh30"});
  refuses("generate mb1ic1000000000000ih1000000000oc1000000000000oh1000000000kh1 --out o",
          {"mb1ic1000000000000"});
  refuses("generate 3x4:5x6 --out o", {"3x4:5x6"});
  refuses("generate '8x8:8x8n\"\xff\"' --out o", {"UTF-8"});
  refuses("generate --batch /dev/zero --out o", {"/dev/zero"});
  refuses("generate --out o", {"--batch"});
  write("list.txt", fmt::format("{}\nbroken line\n", small));
  refuses("generate --batch list.txt --out o", {"list.txt:2"});
  write("empty.txt", "# nothing\n\n");
  refuses("generate --batch empty.txt --out o", {"empty.txt", "no problem"});
  refuses("generate --batch missing.txt --out o", {"missing.txt"});
}

TEST_F(Cli, RefusesOptions) {
  refuses(fmt::format("generate {} --isa sse9 --out o", small), {"sse9", "avx512", "host"});
  refuses(fmt::format("generate {} --threads 0 --out o", small), {"--threads 0"});
  refuses(fmt::format("generate {} --threads many --out o", small), {"many"});
  refuses(fmt::format("generate --isa , {} --out o", small), {"--isa: ',' has an empty entry"});
  refuses(fmt::format("generate {} --threads 1,,2 --out o", small), {"'1,,2' has an empty entry"});
  refuses(fmt::format("explain {} --schedule ''", small), {"--schedule: is empty: give a schedule"});
  refuses(fmt::format("explain --schedule= {}", small), {"--schedule: is empty: give a schedule"});
  for (const char* option : {"--machine", "--wisdom", "--ranker", "--out", "--batch", "--name", "--op"})
    refuses(fmt::format("generate {} {}=", small, option),
            {option, "is empty: give a value, or leave the option out"});
  refuses(fmt::format("explain {} --machine ''", small), {"--machine: is empty"});
  refuses("compress --batch l.txt --times= --budget 0.5", {"--times: is empty"});
  refuses("compress --batch l.txt --out=", {"--out: is empty"});
  refuses("recursive --model treelstm --out=", {"--out: is empty"});
  refuses(fmt::format("generate {} --plain=", small), {"--plain: takes no value: leave out the '='"});
  refuses(fmt::format("generate {} ''", small), {"problem: is empty"});
  refuses(fmt::format("generate {} --op pool --out o", small), {"pool", "conv", "matmul"});
  refuses(fmt::format("generate {} --name 3lib --out o", small), {"3lib"});
  refuses(fmt::format("generate {} --name 'a b' --out o", small), {"a b"});
  for (const char* word : {"class", "restrict", "co_await", "main"})
    refuses(fmt::format("generate {} --name {} --out o", small, word), {word, "choose another"});
  for (const char* keep : {"0", "-3", "1000000000"})
    refuses(fmt::format("schedule {} --keep {}", small, keep), {"--keep", keep, "expected 1 to 10000"});
  refuses(fmt::format("schedule {} --keep 2x", small), {"--keep: '2x' is not a whole number"});
  refuses(fmt::format("explain {} --threads 1.5", small), {"--threads: '1.5' is not a whole number"});
  refuses("recursive --model treelstm --hidden 99999999999999999999",
          {"--hidden: '99999999999999999999' is too large"});
  refuses(fmt::format("generate {} --parts -1 --out o", small), {"--parts -1"});
  refuses(fmt::format("generate {} --jobs -1 --out o", small), {"--jobs -1"});
  refuses(fmt::format("generate {} --machine nowhere.json --out o", small), {"nowhere.json"});
  write("bad.json", "{\"name\": 3}");
  refuses(fmt::format("generate {} --machine bad.json --out o", small), {"bad.json", "name"});
  write("cut.json", "{\"name\": \"x\", \"isa\": ");
  write("nothing.json", "");
  for (const char* command : {"generate", "schedule", "explain"}) {
    refuses(fmt::format("{} {} --machine cut.json", command, small), {"cut.json", "JSON"});
    refuses(fmt::format("{} {} --machine nothing.json", command, small), {"nothing.json", "JSON"});
    refuses(fmt::format("{} {} --machine .", command, small), {"--machine .", "directory"});
  }
  refuses(fmt::format("generate {} --ranker .", small), {"--ranker: .: is a directory"});
  refuses("explain", {"one problem"});
  refuses("schedule", {"no problem"});
  refuses(fmt::format("generate {} --nonsense --out o", small), {"--nonsense"});
  refuses("destroy", {"destroy"});
  refuses("", {"subcommand"});
}

TEST_F(Cli, RefusesOutputFolders) {
  write("file", "in the way");
  refuses(fmt::format("generate {} --isa host --out file", small), {"file", "--out"});
  refuses(fmt::format("generate {} --isa host --out file/sub", small), {"file", "--out"});
  refuses(fmt::format("generate {} --isa host --out /proc/cortex/sub", small), {"/proc/cortex", "--out"});
  fs::create_directory(folder_ / "o");
  fs::create_directory(folder_ / "o/kernels.json");  // the last file written
  refuses(fmt::format("generate {} --isa host --out o", small), {"kernels.json"});
}

TEST_F(Cli, FullDisksAreReported) {
  for (const char* arguments :
       {"schedule 8x8:8x8", "explain 8x8:8x8", "generate --list-outputs --parts 1", "--help"}) {
    const std::string err = (folder_ / "full.err").string();
    const int status =
        std::system(fmt::format("'{}' {} >/dev/full 2>{}", CORTEX_GEN, arguments, err).c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2) << arguments;
    EXPECT_NE(read(err).find("cannot write"), std::string::npos) << arguments << ": " << read(err);
  }
}

// A reader that leaves is no reason to leave files out, nor one to say anything.
TEST_F(Cli, AReaderThatLeavesEndsNothingHalfway) {
  write("list.txt", "64x64:64x64n\"a\"\n");
  for (const char* arguments : {"explain 8x8:8x8", "schedule 8x8:8x8", "generate 8x8:8x8 --isa host --out o",
                                "compress --batch list.txt --weights nm2of4 --out w", "--help", "destroy"}) {
    const int status =
        std::system(fmt::format("cd '{0}' && {{ sleep 0.1; '{1}' {2} 2>.err; echo $? >.code; }} | true",
                                folder_.string(), CORTEX_GEN, arguments)
                        .c_str());
    EXPECT_EQ(status, 0) << arguments;
    const bool refused = std::string(arguments) == "destroy";
    EXPECT_EQ(read(folder_ / ".code"), refused ? "2\n" : "141\n") << arguments;
    EXPECT_EQ(read(folder_ / ".err").empty(), !refused) << read(folder_ / ".err");
  }
  EXPECT_TRUE(fs::exists(folder_ / "o/kernels.json"));
  EXPECT_TRUE(fs::exists(folder_ / "w/compress.json"));
  const int status =
      std::system(fmt::format("cd '{}' && {{ sleep 0.1; '{}' destroy 2>&1; echo $? >.code; }} | true",
                              folder_.string(), CORTEX_GEN)
                      .c_str());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read(folder_ / ".code"), "2\n");
}

TEST_F(Cli, RefusesReadOnlyOutputFolders) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  fs::create_directory(folder_ / "locked");
  chmod((folder_ / "locked").c_str(), 0500);
  refuses(fmt::format("generate {} --isa host --out locked", small), {"locked", "--out"});
  chmod((folder_ / "locked").c_str(), 0700);
}

}  // namespace
TEST_F(Cli, SizesOfCellsAreAtLeastOne) {
  refuses("recursive --model treelstm --hidden 0 --out o", {"--hidden 0", "1 or more"});
  refuses("recursive --model treelstm --hidden 64,-2 --out o", {"--hidden -2", "1 or more"});
  refuses("recursive --model treelstm --input -1 --out o", {"--input -1", "1 or more"});
  refuses("recursive --model treelstm-nary --max-children -7 --out o", {"--max-children -7", "1 or more"});
  refuses("recursive --model treelstm-nary --max-children 0 --out o", {"--max-children 0", "1 or more"});
  write("deep.cxr", "model m\nsize h = 4\nstate h[h]\nnode\n  h = fill(fill(1)[h])[h]\noutput h\n");
  refuses("recursive deep.cxr --out o", {"deep.cxr: ", "line 5", "fill(NUMBER)[size]"});
}

// Constants are folded before they are written: 0 / 0 is a number of the cell.
TEST_F(Cli, CellsMayHaveNumbersThatAreNone) {
  if (!is_built(Isa::avx2)) GTEST_SKIP() << "cells are generated for it";
  write("m.cxr",
        "model m\nsize h = 4\nsize v = 2\ntable X[v][h]\nstate h[h]\nnode\n"
        "  h = sum(child.h) + X[word] * exp(1000) + 0 / 0\noutput h\n");
  const Finished run = gen("recursive m.cxr --isa avx2 --out o");
  EXPECT_EQ(run.code, 0) << run.err;
  const std::string code = read(folder_ / "o" / "cells_avx2.cpp");
  EXPECT_NE(code.find("__builtin_nanf(\"\")"), std::string::npos) << code;
  EXPECT_NE(code.find("__builtin_inff()"), std::string::npos) << code;
  EXPECT_EQ(code.find("(nanf"), std::string::npos) << code;
  EXPECT_EQ(code.find("-nanf"), std::string::npos) << code;
}

}  // namespace cortex
