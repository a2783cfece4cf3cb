#include "bench/backends/cortex_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <filesystem>

#if CORTEX_BENCH_HAS_KERNELS
extern "C" const cortex_kernel_library* cortex_bench_kernels(void);
#endif

#if CORTEX_BENCH_HAS_CELLS
extern "C" const cortex_cell_library* cortex_bench_cells(void);
extern "C" const cortex_cell_library* cortex_bench_layer_cells(void);
#endif

namespace cortex::bench {

std::vector<const cortex_kernel_library*> built_in_libraries() {
#if CORTEX_BENCH_HAS_KERNELS
  return {cortex_bench_kernels()};
#else
  return {};
#endif
}

std::vector<const cortex_cell_library*> built_in_cells() {
#if CORTEX_BENCH_HAS_CELLS
  return {cortex_bench_cells(), cortex_bench_layer_cells()};
#else
  return {};
#endif
}

namespace {

// NULL when there is no such symbol, or it is data: calling that would crash.
void* find_function(void* handle, const std::string& name) {
  void* const symbol = dlsym(handle, name.c_str());
  Dl_info info;
  ElfW(Sym)* entry = nullptr;
  if (!symbol || !dladdr1(symbol, &info, reinterpret_cast<void**>(&entry), RTLD_DL_SYMENT)) return nullptr;
  return !entry || ELF64_ST_TYPE(entry->st_info) == STT_FUNC ? symbol : nullptr;
}

}  // namespace

Result<const cortex_kernel_library*> load_library(const std::string& file_and_name) {
  std::string file = file_and_name, name;
  const std::size_t colon = file.rfind(':');
  if (colon != std::string::npos && file.find('/', colon) == std::string::npos) {
    name = file.substr(colon + 1);
    file.resize(colon);
  }
  if (name.empty()) {
    name = std::filesystem::path(file).filename().string();
    name = name.substr(0, name.find(".so"));
    if (name.rfind("lib", 0) == 0) name = name.substr(3);
  }
  if (file.find('/') == std::string::npos) file = "./" + file;  // a file, not a library of the system
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return io_error(fmt::format("--library: cannot load {}: {}", file, dlerror()));
  using Function = const cortex_kernel_library* (*)();
  const auto function = reinterpret_cast<Function>(find_function(handle, name));
  if (!function) {
    return invalid_argument(
        fmt::format("--library: {} has no function {}; name the one its generator was given as FILE.so:NAME",
                    file, name));
  }
  return function();
}

}  // namespace cortex::bench
