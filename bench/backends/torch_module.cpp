// The torch backends live in a module of their own, loaded when asked for: libtorch brings a hundred
// libraries, which a run without it must not load.
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "bench/backends/backend.h"

namespace cortex::bench {
namespace {

// Beside the executable in a build, under ../lib/cortex of an installation.
std::string module_path() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const char* file = "libcortex_bench_torch.so";
  const std::filesystem::path installed = self.parent_path().parent_path() / CORTEX_BENCH_MODULES / file;
  return std::filesystem::exists(installed, error) ? installed : self.parent_path() / file;
}

Result<std::unique_ptr<Backend>> make(bool levels) {
  const std::string path = module_path();
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) return unsupported(fmt::format("{} does not load: {}", path, dlerror()));
  using Make = Backend* (*)(bool);
  const auto function = reinterpret_cast<Make>(dlsym(module, "cortex_bench_make_torch"));
  if (!function) return internal_error(fmt::format("{}: {}", path, dlerror()));
  return std::unique_ptr<Backend>(function(levels));
}

}  // namespace

Result<std::unique_ptr<Backend>> make_torch(Isa) { return make(false); }
Result<std::unique_ptr<Backend>> make_torch_levels(Isa) { return make(true); }

}  // namespace cortex::bench
