#include "generators/tool/machines.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace cortex {

Result<std::vector<Machine>> machines(const std::vector<Isa>& isas, const std::string& file) {
  std::vector<Machine> out;
  std::string text;
  if (!file.empty()) {
    std::ifstream in(file, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (!in) {
      return io_error(
          fmt::format("--machine {}: cannot read it; `cortex-bench machine --json FILE` writes one", file));
    }
  }
  for (const Isa isa : isas) {
    Machine machine = host_machine(isa);
    if (!text.empty()) {
      Result<Machine> given = parse_machine(text, file);
      if (!given) return given.error();
      // The same caches and clock, for each ISA that is asked for.
      const int lanes = machine.vector_lanes;
      machine = *given;
      if (machine.isa != isa) machine.vector_lanes = lanes;
      machine.isa = isa;
    }
    out.push_back(std::move(machine));
  }
  return out;
}

}  // namespace cortex
