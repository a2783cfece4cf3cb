#include <array>

#include "bench/backends/backend.h"

namespace cortex::bench {

Result<std::unique_ptr<Backend>> make_cortex(Isa isa);
Result<std::unique_ptr<Backend>> make_onednn(Isa isa);
Result<std::unique_ptr<Backend>> make_xsmm(Isa isa);
Result<std::unique_ptr<Backend>> make_openblas(Isa isa);

#if !CORTEX_BENCH_HAS_CORTEX
#define make_cortex nullptr
#endif
#if !CORTEX_BENCH_HAS_ONEDNN
#define make_onednn nullptr
#endif
#if !CORTEX_BENCH_HAS_XSMM
#define make_xsmm nullptr
#endif
#if !CORTEX_BENCH_HAS_OPENBLAS
#define make_openblas nullptr
#endif

std::span<const BackendEntry> backend_entries() {
  static const std::array<BackendEntry, 4> entries = {{
      {"cortex", make_cortex, "the runtime was not built"},
      {"onednn", make_onednn,
       "install libdnnl-dev, or configure with -DDNNL_ROOT=<installation>, and rebuild"},
      {"xsmm", make_xsmm, "install libxsmm-dev and rebuild"},
      {"openblas", make_openblas, "install libopenblas-dev and rebuild"},
  }};
  return entries;
}

const BackendEntry* find_backend(std::string_view name) {
  for (const BackendEntry& entry : backend_entries()) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

const char* kernel_choice_name(KernelChoice choice) {
  switch (choice) {
    case KernelChoice::automatic:
      return "auto";
    case KernelChoice::generated:
      return "generated";
    case KernelChoice::interpreted:
      return "interpreted";
  }
  return "?";
}

}  // namespace cortex::bench
