#include "generators/tool/machines.h"

#include <fmt/format.h>

#include <optional>

#include "polyopt/machine/defaults.h"
#include "support/text_file.h"

namespace cortex {

Result<Isa> target_isa(const std::string& name) {
  if (name != "host") {
    if (const std::optional<Isa> isa = parse_isa(name)) return *isa;
    return invalid_argument(
        fmt::format("--isa {}: unknown instruction set; there are host, {}", name, isa_names()));
  }
  std::string unknown;
  if (const std::optional<Isa> isa = usable_isa(&unknown)) return *isa;
  return invalid_argument(
      fmt::format("CORTEX_MAX_ISA={}: unknown instruction set; there are {}", unknown, isa_names()));
}

Status check_built(const std::vector<Isa>& isas) {
  for (const Isa isa : isas) {
    if (!is_built(isa)) {
      return unsupported(fmt::format("--isa {}: the code would call microkernels that its library lacks: {}",
                                     isa_name(isa), not_built(isa)));
    }
  }
  return {};
}

std::vector<std::string> default_isas() {
  std::vector<std::string> names;
  for (const Isa isa : {Isa::avx512, Isa::avx2}) {
    if (is_built(isa)) names.emplace_back(isa_name(isa));
  }
  return names;
}

Result<std::vector<Machine>> machines(const std::vector<Isa>& isas, const std::string& file) {
  std::vector<Machine> out;
  std::optional<Machine> given;
  if (!file.empty()) {
    const Result<std::string> text = read_text_file(file);
    if (!text) {
      return Error{
          text.error().code,
          fmt::format("--machine {}; `cortex-bench machine --json FILE` writes one", text.error().message)};
    }
    Result<Machine> parsed = parse_machine(*text, file);
    if (!parsed) return parsed.error();
    given = std::move(*parsed);
  }
  for (const Isa isa : isas) {
    out.push_back(given ? at_level(*given, isa) : target_machine(isa));
  }
  return out;
}

}  // namespace cortex
