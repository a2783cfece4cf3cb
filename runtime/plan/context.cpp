#include "runtime/plan/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/text_file.h"

namespace cortex {
namespace {

Result<Isa> choose_isa(const std::optional<std::string>& max_isa) {
  if (max_isa) {
    const std::optional<Isa> cap = parse_isa(*max_isa);
    if (cap) return capped_isa(*cap);
    return invalid_argument(fmt::format("max_isa \"{}\" is unknown: one of {}", *max_isa, isa_names()));
  }
  std::string bad;
  if (const std::optional<Isa> isa = usable_isa(&bad)) return *isa;
  return invalid_argument(
      fmt::format("environment variable CORTEX_MAX_ISA=\"{}\" is unknown: one of {}", bad, isa_names()));
}

}  // namespace

Result<Context> make_context(const std::optional<std::string>& max_isa,
                             const std::optional<std::string>& machine_path) {
  const Result<Isa> isa = choose_isa(max_isa);
  if (!isa) return isa.error();
  Context context;
  context.isa = *isa;
  if (!machine_path) {
    context.machine = host_machine(*isa);
    return context;
  }
  const Result<std::string> text = read_text_file(*machine_path);
  if (!text) {
    return Error{text.error().code, fmt::format("machine description {}", text.error().message)};
  }
  Result<Machine> machine = parse_machine(*text, *machine_path);
  if (!machine) return machine.error();
  context.machine = std::move(machine).value();
  // Scheduling for a wider machine than this one would choose kernels that cannot run here.
  context.isa = capped_isa(std::min(context.isa, context.machine.isa));
  context.machine.isa = context.isa;
  return context;
}

}  // namespace cortex
