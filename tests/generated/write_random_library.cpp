// Writes a kernel library of random problems under random legal schedules:
//   write_random_library FOLDER NAME PARTS SEED COUNT
// The same seed gives the same bytes.
#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "generators/tool/compile.h"
#include "generators/tool/write_files.h"
#include "graph/lower/lower.h"
#include "runtime/testing/random_problem.h"
#include "runtime/testing/random_schedule.h"

namespace {

using namespace cortex;

int fail(const std::string& why) {
  fmt::print(stderr, "write_random_library: {}\n", why);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return fail("FOLDER NAME PARTS SEED COUNT");
  const int count = std::atoi(argv[5]);
  testing::Random random(std::strtoull(argv[4], nullptr, 10));
  Library library;
  library.name = argv[2];
  library.generator = fmt::format("write_random_library, seed {}", argv[4]);
  library.parts = std::atoi(argv[3]);
  std::set<std::string> seen;
  const Isa isas[] = {Isa::avx512, Isa::avx2, Isa::baseline};
  for (int i = 0; static_cast<int>(library.kernels.size()) < count; ++i) {
    if (i > 100 * count) return fail("too few legal schedules found");
    const Problem problem = i % 3 ? testing::random_conv(random) : testing::random_matmul(random);
    Machine machine;
    machine.isa = isas[i % 5 / 2];
    if (!is_built(machine.isa)) machine.isa = Isa::baseline;
    const KernelRequest request{problem, i % 4 != 0, 1 + i % 4};
    const Result<Nest> lowered = lower(problem);
    if (!lowered) return fail(lowered.error().message);
    const Nest nest = coalesce(*lowered);
    const auto schedule = testing::random_schedule(nest, machine.isa, request.prepacked, random);
    if (!schedule) continue;
    Result<LibraryKernel> kernel = compile_scheduled(request, machine, nest, *schedule);
    if (!kernel) return fail(kernel.error().message);
    if (seen.insert(fmt::format("{} {} {}", kernel->key, kernel->isa, kernel->threads)).second) {
      library.kernels.push_back(std::move(*kernel));
    }
  }
  const auto report =
      write_files(argv[1], emit_library(library), [](const auto&, const auto&) { return false; });
  return report ? 0 : fail(report.error().message);
}
