#include "polyopt/machine/machine.h"

#include <gtest/gtest.h>

#include "polyopt/machine/defaults.h"

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

// Kernels are generated for CPUs other than the one that builds them.
TEST(Machine, TargetsNeedNotRunHere) {
  for (const Isa isa :
       {Isa::baseline, Isa::avx2, Isa::avx2vnni, Isa::avx512, Isa::avx512vnni, Isa::avx512bf16, Isa::amx}) {
    const Machine m = target_machine(isa);
    EXPECT_EQ(m.isa, isa);
    EXPECT_EQ(m.vector_lanes, isa >= Isa::avx512 ? 16 : isa >= Isa::avx2 ? 8 : 4);
    EXPECT_EQ(m.caches.size(), host_machine(isa).caches.size());
  }
}

Machine with_defaults(const CpuFamily& cpu, int cores, int64_t l3, Isa isa = Isa::avx512) {
  Machine machine;
  machine.isa = isa;
  machine.cores = cores;
  for (const int64_t bytes : {int64_t{48} << 10, int64_t{2} << 20, l3}) {
    machine.caches.emplace_back();
    machine.caches.back().bytes = bytes;
  }
  apply_defaults(machine, cpu);
  return machine;
}

constexpr CpuFamily zen5 = {.amd = true, .intel_server = false, .family = 0x1a, .model = 2};
constexpr CpuFamily granite_rapids = {.amd = false, .intel_server = true, .family = 6, .model = 173};
constexpr CpuFamily other = {.amd = false, .intel_server = false, .family = 7, .model = 1};

std::string costs_of(const Machine& machine) {
  const std::string text = to_json(machine);
  return text.substr(text.find("\"costs\""));
}

TEST(Machine, DefaultsAreOfTheFamily) {
  const Machine amd = with_defaults(zen5, 2, 32 << 20), intel = with_defaults(granite_rapids, 2, 32 << 20);
  EXPECT_EQ(amd.caches[1].read_bytes_per_cycle, 60);
  EXPECT_EQ(amd.caches[2].latency_cycles, 50);
  EXPECT_EQ(amd.memory_latency_cycles, 400);
  // A mesh instead of a ring of eight: a last cache several times slower.
  EXPECT_LT(intel.caches[2].read_bytes_per_cycle, amd.caches[2].read_bytes_per_cycle / 3);
  EXPECT_GT(intel.caches[2].latency_cycles, amd.caches[2].latency_cycles * 3);
  EXPECT_LT(intel.caches[1].write_bytes_per_cycle, intel.caches[1].read_bytes_per_cycle / 2);
  for (const Machine& machine : {amd, intel, with_defaults(other, 2, 32 << 20)}) {
    EXPECT_GT(machine.caches[1].read_bytes_per_cycle, machine.caches[2].read_bytes_per_cycle);
    EXPECT_GT(machine.caches[2].read_bytes_per_cycle, machine.memory_read_bytes_per_cycle);
    EXPECT_LT(machine.caches[1].latency_cycles, machine.caches[2].latency_cycles);
    EXPECT_LT(machine.caches[2].latency_cycles, machine.memory_latency_cycles);
  }
}

TEST(Machine, CostsFittedOnOneFamilyStayThere) {
  Machine machine;
  const std::string fitted_on_zen5 = costs_of(machine);
  EXPECT_EQ(costs_of(with_defaults(zen5, 8, 32 << 20)), fitted_on_zen5);
  EXPECT_EQ(costs_of(with_defaults(other, 8, 32 << 20)), fitted_on_zen5);
  EXPECT_NE(costs_of(with_defaults(granite_rapids, 8, 32 << 20)), fitted_on_zen5);
}

TEST(Machine, Bf16DotsLeftOutAreThoseOfTheLevel) {
  const auto dots = [](Isa isa, const char* given = "") {
    Machine machine = with_defaults(zen5, 2, 32 << 20, isa);
    machine.ghz = 3;
    std::string text = to_json(machine);
    const std::size_t at = text.find("\"bf16_dots_per_cycle\""), end = text.find(',', at) + 1;
    text.replace(at, end - at, given);
    const Result<Machine> back = parse_machine(text, "x.json");
    EXPECT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->fma_per_cycle, 2);
    return back->bf16_dots_per_cycle;
  };
  EXPECT_EQ(dots(Isa::avx512vnni), 0);
  EXPECT_EQ(dots(Isa::avx512bf16), 2);
  EXPECT_EQ(dots(Isa::amx), 0.5);
  EXPECT_EQ(dots(Isa::amx, "\"bf16_dots_per_cycle\": 1,"), 1);
}

TEST(Machine, AnotherLevelOfAMachine) {
  Machine given = with_defaults(granite_rapids, 2, 32 << 20, Isa::amx);
  EXPECT_EQ(given.bf16_dots_per_cycle, 0.5);
  EXPECT_EQ(at_level(given, Isa::avx512bf16).bf16_dots_per_cycle, 0.5);  // the same unit
  const Machine avx2 = at_level(given, Isa::avx2);
  EXPECT_EQ(avx2.bf16_dots_per_cycle, 0);
  EXPECT_EQ(avx2.vector_lanes, 8);
  EXPECT_EQ(avx2.caches[1].bytes, given.caches[1].bytes);
  EXPECT_EQ(at_level(avx2, Isa::amx).bf16_dots_per_cycle, 0.5);
  EXPECT_EQ(at_level(avx2, Isa::avx512bf16).bf16_dots_per_cycle, 2);
  EXPECT_EQ(at_level(avx2, Isa::avx512).vector_lanes, 16);
  EXPECT_EQ(avx2.fma_per_cycle, 2);
  // Two halves of a vector are two vectors of half the lanes.
  const Machine zen4 = at_level(with_defaults({.amd = true, .family = 0x19}, 2, 32 << 20), Isa::avx2);
  EXPECT_EQ(zen4.fma_per_cycle, 2);
  EXPECT_EQ(zen4.loads_per_cycle, 2);
  EXPECT_EQ(at_level(zen4, Isa::baseline).fma_per_cycle, 1);
}

TEST(Machine, Zen3AndZen4HaveCostsOfTheirOwn) {
  const CpuFamily zen3 = {.amd = true, .family = 0x19, .avx512 = false},
                  zen4 = {.amd = true, .family = 0x19, .avx512 = true};
  EXPECT_LT(with_defaults(zen3, 2, 32 << 20).costs.few_sums, Costs{}.few_sums);
  EXPECT_GT(with_defaults(zen3, 2, 32 << 20).costs.tap_run, Costs{}.tap_run);
  EXPECT_EQ(with_defaults(zen3, 2, 32 << 20).costs.load_overlap, Costs{}.load_overlap);
  EXPECT_LT(with_defaults(zen4, 2, 32 << 20).costs.call_setup, Costs{}.call_setup);
  EXPECT_LT(with_defaults(zen4, 2, 32 << 20).costs.load_overlap, Costs{}.load_overlap);
}

TEST(Machine, VirtualMachinesHaveTheirShareOfTheLastCache) {
  const int64_t of_host = int64_t{480} << 20;
  EXPECT_EQ(with_defaults(granite_rapids, 2, of_host).caches[2].bytes, 32 << 20);
  EXPECT_EQ(with_defaults(granite_rapids, 1, of_host).caches[2].bytes, 16 << 20);
  EXPECT_EQ(with_defaults(granite_rapids, 120, of_host).caches[2].bytes, of_host);  // the host itself
  EXPECT_EQ(with_defaults(granite_rapids, 2, 30 << 20).caches[2].bytes, 30 << 20);
  EXPECT_EQ(with_defaults(zen5, 2, of_host).caches[2].bytes, of_host);
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
