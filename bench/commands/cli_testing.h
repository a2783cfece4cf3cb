// The tool as its users meet it: run, its exit code, its words, its files.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace cortex::bench {

using Json = nlohmann::json;

struct Outcome {
  int code = -1;
  std::string text;  // of both streams
};

inline Outcome bench(const std::string& arguments, const std::string& environment = "") {
  const std::string command = fmt::format("{} '{}' {} 2>&1", environment, CORTEX_BENCH_TOOL, arguments);
  Outcome o;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> chunk;
  for (std::size_t n; (n = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) o.text.append(chunk.data(), n);
  const int status = pclose(pipe);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return o;
}

// Piped into a reader that leaves after one line; the code is the tool's, as a shell shows it.
inline Outcome bench_for_one_line(const std::string& arguments, const std::string& code_file) {
  Outcome o;
  const std::string command =
      fmt::format("{{ '{}' {} 2>&1; echo $? >'{}'; }} | head -n 1", CORTEX_BENCH_TOOL, arguments, code_file);
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> chunk;
  for (std::size_t n; (n = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) o.text.append(chunk.data(), n);
  pclose(pipe);
  std::ifstream(code_file) >> o.code;
  return o;
}

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / fmt::format("cortex_bench_cli_{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  Json read(const std::string& name) const {
    std::ifstream in(file(name));
    return Json::parse(in);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  std::filesystem::path folder_;
};

}  // namespace cortex::bench
