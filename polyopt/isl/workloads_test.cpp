// What search() returns for real layers is legal, whatever the ISA and the number of threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "graph/lower/lower.h"
#include "polyopt/isl/legality.h"
#include "polyopt/search/search.h"

namespace cortex {
namespace {

std::vector<std::string> lists() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CORTEX_WORKLOADS)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("conv") || name.starts_with("matmul")) names.push_back(entry.path());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Workloads, SchedulesThatSearchFindsAreLegal) {
  const Machine machines[] = {host_machine(Isa::avx2), host_machine(Isa::avx512)};
  int layer = 0, checked = 0;
  for (const std::string& list : lists()) {
    const auto problems = read_batch(list);
    ASSERT_TRUE(problems) << problems.error().message;
    for (Problem problem : *problems) {
      ++layer;
      problem.epilogue.bias = layer % 2 == 0;
      const auto nest = lower(problem);
      ASSERT_TRUE(nest) << nest.error().message;
      const Nest coalesced = coalesce(*nest);
      const auto checker = LegalityChecker::make(coalesced);
      ASSERT_TRUE(checker) << problem.text << ": " << checker.error().message;
      const auto found = search(coalesced, machines[layer % 2],
                                {.threads = 1 + layer % 3, .keep = 4, .prepacked_b = layer % 4 < 2});
      ASSERT_TRUE(found) << problem.text << ": " << found.error().message;
      for (const Candidate& candidate : found->best) {
        const Status legal = checker->check(candidate.schedule);
        EXPECT_TRUE(legal) << problem.text << ": " << to_string(candidate.schedule, coalesced) << ": "
                           << legal.error().message;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 100);
}

}  // namespace
}  // namespace cortex
