#include "bench/run/environment.h"

#include <unistd.h>

#include <array>
#include <string_view>

namespace cortex::bench {
namespace {

bool tunes_a_library(std::string_view name) {
  constexpr std::array<std::string_view, 14> prefixes = {
      "ATEN_", "TORCH_", "OMP_",    "GOMP_", "KMP_",     "OPENBLAS_", "GOTO_",
      "BLIS_", "DNNL_",  "ONEDNN_", "MKL_",  "LIBXSMM_", "GOTOBLAS_", "NVPL_"};
  for (std::string_view prefix : prefixes) {
    if (name.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

}  // namespace

std::map<std::string, std::string> worker_variables(Isa isa, int threads) {
  std::map<std::string, std::string> set;
  set["OMP_NUM_THREADS"] = std::to_string(threads);
  set["OMP_DYNAMIC"] = "false";
  // Unbound: a bound main thread would hand its mask to every thread pool that other backends start.
  set["OMP_PROC_BIND"] = "false";
  // OpenMP threads spin between the executions of one sample, and sleep before the next backend's turn.
  set["GOMP_SPINCOUNT"] = "100000";
  set["OPENBLAS_NUM_THREADS"] = std::to_string(threads);
  set["OPENBLAS_THREAD_TIMEOUT"] = "22";  // 2^22 cycles of waiting, then sleep
  if (isa >= Isa::avx512) {
    // OpenBLAS before 0.3.24 takes AVX-512 CPUs of AMD for Haswell.
    set["OPENBLAS_CORETYPE"] = "SkylakeX";
    set["ATEN_CPU_CAPABILITY"] = "avx512";  // PyTorch takes AVX2 unless told
    if (isa < detected_isa()) {
      const char* cap = isa == Isa::avx512       ? "AVX512_CORE"
                        : isa == Isa::avx512vnni ? "AVX512_CORE_VNNI"
                                                 : "AVX512_CORE_BF16";
      set["ONEDNN_MAX_CPU_ISA"] = set["DNNL_MAX_CPU_ISA"] = cap;
    }
  } else if (isa >= Isa::avx2) {
    set["OPENBLAS_CORETYPE"] = "Haswell";
    set["ATEN_CPU_CAPABILITY"] = "avx2";
    set["ONEDNN_MAX_CPU_ISA"] = set["DNNL_MAX_CPU_ISA"] = isa == Isa::avx2 ? "AVX2" : "AVX2_VNNI";
    set["LIBXSMM_TARGET"] = "hsw";
  } else {
    set["OPENBLAS_CORETYPE"] = "Nehalem";
    set["ATEN_CPU_CAPABILITY"] = "default";
    set["ONEDNN_MAX_CPU_ISA"] = set["DNNL_MAX_CPU_ISA"] = "SSE41";
    set["LIBXSMM_TARGET"] = "sse";
  }
  set["CORTEX_MAX_ISA"] = isa_name(isa);
  return set;
}

std::vector<std::string> worker_environment(Isa isa, int threads) {
  const std::map<std::string, std::string> set = worker_variables(isa, threads);
  std::vector<std::string> all;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (!tunes_a_library(name) && !set.count(name)) all.emplace_back(text);
  }
  for (const auto& [name, value] : set) all.push_back(name + "=" + value);
  return all;
}

}  // namespace cortex::bench
