// Random bytes and mutated lines: the readers answer, they do not crash, hang or accept what the later
// phases cannot take.
#include <gtest/gtest.h>

#include <random>

#include "graph/lower/lower.h"

namespace cortex {
namespace {

const char* const seeds[] = {
    "g2mb3_ic4id9ih10iw11_oc6od5oh4ow3_kd2kh3kw4_sd2sh3sw4_pd1ph2pw3_dd0dh1dw2_n\"all*3\"",
    "mb1ic64ih56oc64oh56kh3ph1n\"resnet50_02*3\"",
    "--dir=FWD_B --attr-post-ops=sum:0.5+relu:0.1 --dt=bf16:bf16:f32 ic3ih224oc64oh112kh7sh2ph3",
    "2x1x128x64:1x5x64x32:2x5x128x32n\"bmm\"",
    "--stag=ba --wtag=ab --bia_dt=f32 --bia_mask=2 128x768:768x3072",
    "LSTM l1t30mb10sic256slc256dhc256dic256n\"lstm\"",
    "treelstm h256 mb10",
    "--reset --mb=4 --conv ic3iw9oc3kw3 # comment",
};
const char* const pieces[] = {
    "ic",         "mb", "x", ":", "_",  "n\"", "\"", "*",  "--", "=",  "0",    "9223372036854775807",
    "2147483647", "-1", ",", "+", "\t", "\r",  "#",  "kh", "ow", "sd", "\xff", "e9",
    "nan"};

std::string mutated(std::mt19937& rng) {
  std::string text = seeds[rng() % std::size(seeds)];
  for (auto edits = rng() % 6; edits > 0; --edits) {
    const size_t at = rng() % (text.size() + 1);
    switch (rng() % 5) {
      case 0:
        text.insert(at, pieces[rng() % std::size(pieces)]);
        break;
      case 1:
        text.erase(at, rng() % 4);
        break;
      case 2:
        text.insert(at, 1, static_cast<char>(rng() % 256));
        break;
      case 3:
        text.insert(at, text.substr(rng() % (text.size() + 1), rng() % 12));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>('0' + rng() % 10);
        break;
    }
  }
  return text;
}

// What is accepted must hold for everything downstream.
void check(const Problem& problem, const std::string& text) {
  SCOPED_TRACE(::testing::PrintToString(text));
  ASSERT_TRUE(validate(problem).ok());
  ASSERT_GE(multiply_adds(problem), 0);
  const auto again = parse_problem(to_string(problem));
  ASSERT_TRUE(again.ok()) << to_string(problem) << ": " << again.error().message;
  ASSERT_EQ(problem_key(*again), problem_key(problem));
  ASSERT_TRUE(again->op == problem.op) << to_string(problem);
  const auto nest = lower(problem);
  ASSERT_TRUE(nest.ok()) << nest.error().message;
  const Status merged = verify(coalesce(*nest));
  ASSERT_TRUE(merged.ok()) << merged.error().message;
}

TEST(ProblemFuzz, MutatedLines) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 rng(seed);
  int accepted = 0;
  for (int i = 0; i < 30000 && !HasFatalFailure(); ++i) {
    const std::string text = mutated(rng);
    const auto problem = parse_problem(text);
    if (!problem.ok()) {
      ASSERT_FALSE(problem.error().message.empty());
      ASSERT_EQ(problem.error().message.find('\n'), std::string::npos);
      continue;
    }
    ++accepted;
    check(*problem, text);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(ProblemFuzz, RandomBytes) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 rng(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto size = rng() % 60; size > 0; --size) text += static_cast<char>(rng() % 256);
    const auto list = parse_batch(text, "bytes");
    if (list.ok()) {
      for (const Problem& problem : *list) check(problem, text);
    } else {
      ASSERT_FALSE(list.error().message.empty());
    }
  }
}

TEST(NestFuzz, MutatedText) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 rng(seed);
  const std::string original = to_string(*lower(*parse_problem(seeds[2])));
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = original;
    for (auto edits = rng() % 3; edits > 0; --edits) {
      const size_t at = rng() % text.size();
      switch (rng() % 4) {
        case 0:
          text[at] = static_cast<char>('0' + rng() % 10);
          break;
        case 1:
          text.erase(at, rng() % 3);
          break;
        case 2:
          text.insert(at, std::to_string(rng() * uint64_t{rng()}));
          break;
        case 3:
          text[at] = static_cast<char>(rng() % 256);
          break;
      }
    }
    const auto nest = parse_nest(text);
    if (!nest.ok()) continue;
    ++accepted;
    ASSERT_TRUE(verify(*nest).ok());
    const Status merged = verify(coalesce(*nest));
    ASSERT_TRUE(merged.ok()) << merged.error().message << "\n" << text;
    ASSERT_EQ(to_string(*parse_nest(to_string(*nest))), to_string(*nest));
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace cortex
