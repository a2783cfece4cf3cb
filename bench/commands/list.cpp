#include <fmt/format.h>

#include "bench/backends/backend.h"
#include "bench/commands/commands.h"
#include "bench/run/workloads.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/cpu.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

void list_workloads() {
  const std::string folder = workloads_folder();
  say("problem lists ({}), for --batch:\n", folder.empty() ? "none installed" : folder);
  for (const Workload& w : shipped_workloads()) {
    say("  {:<32} {:>3} problems  {}{}\n", w.name, w.problems, w.comment,
        w.runnable ? "" : " (not for this version)");
  }
}

void list_backends() {
  say("backends, for --backend:\n");
  for (const BackendEntry& entry : backend_entries()) {
    say("  {:<12} {}\n", entry.name,
        entry.make ? "built in" : fmt::format("not in this build: {}", entry.missing));
  }
}

void list_isas() {
  std::string bad_value;
  const Isa usable = usable_isa(&bad_value).value_or(detected_isa());
  say("instruction sets, for --isa ({}):\n", cpu_brand());
  for (int i = 0; i < isa_count; ++i) {
    const Isa isa = static_cast<Isa>(i);
    say("  {:<11} {}\n", isa_name(isa),
        !is_built(isa)  ? "not in this build (CMake: CORTEX_ISAS)"
        : !cpu_has(isa) ? "not on this machine"
        : isa <= usable ? "yes"
                        : "capped by CORTEX_MAX_ISA");
  }
}

void list_microkernels() {
  say("microkernels:\n");
  for (const KernelInfo& k : kernel_catalogue()) {
    if (is_built(k.isa)) say("  {:<40} tile {}x{}x{}\n", k.name, k.mr, k.nr, k.kr);
  }
}

}  // namespace

void add_list(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("list", "shipped problem lists, backends, instruction sets, microkernels");
  command->callback([&session] {
    list_workloads();
    list_backends();
    list_isas();
    list_microkernels();
    session.exit_code = exit_ok;
  });
}

}  // namespace cortex::bench
