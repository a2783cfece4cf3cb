#include "microkernels/catalogue/catalogue.h"

namespace cortex {
namespace {

// Cycles of one call around its k loop, and per vector of C.
// Measured on AMD EPYC (family 26) with microkernels_bench.
struct Cost {
  double call, tile;
};
constexpr Cost cost_of(Isa) { return {25.0, 1.0}; }

constexpr int lanes_of(Isa isa) { return isa == Isa::baseline ? 4 : isa == Isa::avx2 ? 8 : 16; }

constexpr std::string_view drop_underscore(std::string_view variant) {
  return variant.empty() ? variant : variant.substr(1);
}

constexpr cortex_brgemm_fn brgemm_of(cortex_brgemm_fn fn) { return fn; }
constexpr cortex_brgemm_fn brgemm_of(cortex_dwconv_fn) { return nullptr; }
constexpr cortex_dwconv_fn dwconv_of(cortex_dwconv_fn fn) { return fn; }
constexpr cortex_dwconv_fn dwconv_of(cortex_brgemm_fn) { return nullptr; }

constexpr KernelInfo rows[] = {
#define CORTEX_KERNEL(op, a, b, c, mr, nr, kr, variant, isa)                                              \
  KernelInfo{#op "_" #a "_" #b "_" #c "_" #mr "x" #nr "x" #kr #variant "_" #isa,                          \
             KernelOp::op,                                                                                \
             #a,                                                                                          \
             #b,                                                                                          \
             #c,                                                                                          \
             mr,                                                                                          \
             nr,                                                                                          \
             kr,                                                                                          \
             drop_underscore(#variant),                                                                   \
             Isa::isa,                                                                                    \
             lanes_of(Isa::isa),                                                                          \
             brgemm_of(cortex_##op##_##a##_##b##_##c##_##mr##x##nr##x##kr##variant##_##isa),              \
             dwconv_of(cortex_##op##_##a##_##b##_##c##_##mr##x##nr##x##kr##variant##_##isa),              \
             cost_of(Isa::isa).call,                                                                      \
             cost_of(Isa::isa).tile},
#include "cortex/kernels.inc"
#undef CORTEX_KERNEL
};

}  // namespace

std::span<const KernelInfo> kernel_catalogue() { return rows; }

const KernelInfo* find_kernel(std::string_view name) {
  for (const KernelInfo& kernel : rows) {
    if (kernel.name == name) return &kernel;
  }
  return nullptr;
}

cortex_pack_fn pack_function(Isa isa) {
  if (isa >= Isa::avx512) return cortex_pack_avx512;
  return isa == Isa::avx2 ? cortex_pack_avx2 : cortex_pack_baseline;
}

cortex_activate_fn activate_function(Isa isa) {
  if (isa >= Isa::avx512) return cortex_activate_avx512;
  return isa == Isa::avx2 ? cortex_activate_avx2 : cortex_activate_baseline;
}

}  // namespace cortex
