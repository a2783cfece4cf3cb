#include <array>

#include "bench/backends/backend.h"

namespace cortex::bench {

Result<std::unique_ptr<Backend>> make_cortex(Isa isa);
Result<std::unique_ptr<Backend>> make_cortex_dense(Isa isa);
Result<std::unique_ptr<Backend>> make_onednn(Isa isa);
Result<std::unique_ptr<Backend>> make_xsmm(Isa isa);
Result<std::unique_ptr<Backend>> make_xsmm_sparse(Isa isa);
Result<std::unique_ptr<Backend>> make_openblas(Isa isa);
Result<std::unique_ptr<Backend>> make_torch(Isa isa);
Result<std::unique_ptr<Backend>> make_torch_levels(Isa isa);

#if !CORTEX_BENCH_HAS_CORTEX
#define make_cortex nullptr
#define make_cortex_dense nullptr
#endif
#if !CORTEX_BENCH_HAS_ONEDNN
#define make_onednn nullptr
#endif
#if !CORTEX_BENCH_HAS_XSMM
#define make_xsmm nullptr
#define make_xsmm_sparse nullptr
#endif
#if !CORTEX_BENCH_HAS_OPENBLAS
#define make_openblas nullptr
#endif
#if !CORTEX_BENCH_HAS_TORCH
#define make_torch nullptr
#define make_torch_levels nullptr
#endif

std::span<const BackendEntry> backend_entries() {
  constexpr const char* no_torch =
      "install libtorch-dev (Debian's PyTorch for C++), configure again and rebuild";
  constexpr const char* no_xsmm = "install libxsmm-dev and rebuild";
  static const std::array<BackendEntry, 8> entries = {{
      {"cortex", make_cortex, "the runtime was not built", true, true, true},
      {"cortex-dense", make_cortex_dense, "the runtime was not built", false, false, false},
      {"onednn", make_onednn,
       "install libdnnl-dev, or configure with -DDNNL_ROOT=<installation>, and rebuild", true, false, true},
      {"xsmm", make_xsmm, no_xsmm, true, false, false},
      {"xsmm-sparse", make_xsmm_sparse, no_xsmm, false, false, false},
      {"openblas", make_openblas, "install libopenblas-dev and rebuild", true, false, false},
      {"torch", make_torch, no_torch, false, true, false},
      {"torch-levels", make_torch_levels, no_torch, false, true, false},
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
