#include "polyopt/machine/machine.h"

#include <gtest/gtest.h>

#include <string>

namespace cortex {
namespace {

TEST(Machine, HostIsPlausibleAndStable) {
  const Machine host = host_machine(detected_isa());
  ASSERT_FALSE(host.caches.empty());
  EXPECT_EQ(host.caches[0].name, "L1");
  for (std::size_t i = 0; i < host.caches.size(); ++i) {
    EXPECT_GT(host.caches[i].bytes, i ? host.caches[i - 1].bytes : 4096);
    EXPECT_GT(host.caches[i].read_bytes_per_cycle, 0);
  }
  EXPECT_GE(host.cores, 1);
  EXPECT_GT(host.ghz, 0.1);
  EXPECT_EQ(to_json(host), to_json(host_machine(detected_isa())));
}

TEST(Machine, IsaCapsTheKernels) {
  const Machine m = host_machine(Isa::baseline);
  EXPECT_EQ(m.isa, Isa::baseline);
  EXPECT_EQ(m.vector_lanes, 4);
}

TEST(Machine, JsonRoundTrips) {
  const std::string text = to_json(host_machine(detected_isa()));
  const Result<Machine> back = parse_machine(text, "x.json");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(to_json(*back), text);
}

std::string with(std::string from, std::string to) {
  std::string text = to_json(host_machine(Isa::baseline));
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refusal(const std::string& text, const std::string& part) {
  const Result<Machine> machine = parse_machine(text, "x.json");
  ASSERT_FALSE(machine.ok()) << part;
  EXPECT_EQ(machine.error().message.rfind("x.json: ", 0), 0u) << machine.error().message;
  EXPECT_NE(machine.error().message.find(part), std::string::npos) << machine.error().message;
}

TEST(Machine, RefusesByName) {
  expect_refusal("{", "not valid JSON");
  expect_refusal("[]", "not a JSON object");
  expect_refusal("{}", "\"name\" is missing");
  expect_refusal(with("\"isa\": \"baseline\"", "\"isa\": \"sse9\""), "sse9");
  expect_refusal(with("\"cores\": ", "\"cores\": -"), "\"cores\" is -");
  expect_refusal(with("\"ghz\": ", "\"ghz\": 1e9, \"was\": "), "\"ghz\" is 1000000000.0");
  expect_refusal(with("\"ghz\"", "\"mhz\""), "\"ghz\" is missing");
  expect_refusal(with("\"bytes\": ", "\"bytes\": 0, \"was\": "), "caches[0]: \"bytes\" is 0");
  expect_refusal(with("\"line\": 64", "\"line\": 64.5"), "64.5");
  expect_refusal(with("\"usable_cache\": ", "\"usable_cache\": -"), "costs: \"usable_cache\" is -");
  expect_refusal(with("\"usable_cache\"", "\"usable\""), "costs: \"usable\" is no constant");
  expect_refusal(with("\"bytes\": ", "\"bytes\": 1000000000000, \"was\": "), "not above the 1000000000000");
}

}  // namespace
}  // namespace cortex
