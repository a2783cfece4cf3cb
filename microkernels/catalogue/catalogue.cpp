#include "microkernels/catalogue/catalogue.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cortex {
namespace {

struct Cost {
  double call, tile;
};

// KernelInfo's call_cycles and tile_cycles, measured on AMD EPYC (Zen 5): `microkernels_bench
// --benchmark_filter=cost` (AVX2, baseline, 1x256, 64x8), whole loops of calls on operands in L2 (the other
// AVX-512 tiles); dwconv fitted to images of 7 to 28 outputs a row.
constexpr Cost cost_of(KernelOp op, Isa isa, int mr, bool rows) {
  if (op == KernelOp::dwconv) return {150.0, 1.0};
  if (rows) return {30.0, 0.5};
  if (isa == Isa::amx) return {60.0, mr == 64 ? 3.7 : mr == 16 ? 3.0 : 3.5};
  if (isa == Isa::baseline) return {15.0, 1.0};
  if (f32_isa(isa) == Isa::avx2) {
    switch (mr) {
      case 1:
        return {16.0, 0.5};  // 1x96
      case 12:
        return {15.0, 1.3};  // 12x8
      default:
        return {15.0, 0.0};  // 4x24, 6x16: the next call hides a tile's stores
    }
  }
  switch (mr) {
    case 1:
      return {17.0, 0.8};  // 1x256
    case 7:
      return {12.0, 0.0};  // 7x64
    case 8:
      return {8.0, 0.0};  // 8x48
    case 14:
      return {20.0, 0.0};  // 14x32
    case 64:
      return {29.0, 0.6};  // 64x8 of dot products
    default:
      return {45.0, 0.0};  // 24x16: its loads leave no room for what a call adds
  }
}

constexpr int lanes_of(Isa isa) { return isa == Isa::baseline ? 4 : isa < Isa::avx512 ? 8 : 16; }

constexpr std::string_view drop_underscore(std::string_view variant) {
  return variant.empty() ? variant : variant.substr(1);
}

constexpr bool is_rows(std::string_view variant) { return variant == "_rows"; }
constexpr bool is_dots(std::string_view variant) { return variant == "_dots"; }

// Where wider vectors would gain as much, nobody has measured.
constexpr bool walks_rows(KernelOp op, std::string_view a, Isa isa, std::string_view variant) {
  return op == KernelOp::brgemm && a == "f32" && isa == Isa::avx2 && variant.empty();
}

constexpr std::nullptr_t brgemm_of(std::nullptr_t) { return nullptr; }  // not built
constexpr std::nullptr_t dwconv_of(std::nullptr_t) { return nullptr; }
constexpr cortex_brgemm_fn brgemm_of(cortex_brgemm_fn fn) { return fn; }
constexpr cortex_brgemm_fn brgemm_of(cortex_dwconv_fn) { return nullptr; }
constexpr cortex_dwconv_fn dwconv_of(cortex_dwconv_fn fn) { return fn; }
constexpr cortex_dwconv_fn dwconv_of(cortex_brgemm_fn) { return nullptr; }

constexpr KernelInfo rows[] = {
#define CORTEX_FUNCTION(op, a, b, c, mr, nr, kr, variant, isa) \
  CORTEX_WHERE_BUILT(isa, cortex_##op##_##a##_##b##_##c##_##mr##x##nr##x##kr##variant##_##isa)
#define CORTEX_KERNEL(op, a, b, c, mr, nr, kr, variant, isa)                     \
  KernelInfo{#op "_" #a "_" #b "_" #c "_" #mr "x" #nr "x" #kr #variant "_" #isa, \
             KernelOp::op,                                                       \
             #a,                                                                 \
             #b,                                                                 \
             #c,                                                                 \
             mr,                                                                 \
             nr,                                                                 \
             kr,                                                                 \
             drop_underscore(#variant),                                          \
             Isa::isa,                                                           \
             lanes_of(Isa::isa),                                                 \
             brgemm_of(CORTEX_FUNCTION(op, a, b, c, mr, nr, kr, variant, isa)),  \
             dwconv_of(CORTEX_FUNCTION(op, a, b, c, mr, nr, kr, variant, isa)),  \
             is_rows(#variant),                                                  \
             Isa::isa == Isa::amx,                                               \
             walks_rows(KernelOp::op, #a, Isa::isa, #variant),                   \
             is_dots(#variant),                                                  \
             cost_of(KernelOp::op, Isa::isa, mr, is_rows(#variant)).call,        \
             cost_of(KernelOp::op, Isa::isa, mr, is_rows(#variant)).tile},
#include "cortex/kernels.inc"
#undef CORTEX_KERNEL
#undef CORTEX_FUNCTION
};

// The best function that was built and is not above `isa`.
template <typename Function>
Function best_of(Isa isa, Function avx512, Function avx2, Function baseline) {
  if (isa >= Isa::avx512 && avx512) return avx512;
  return isa >= Isa::avx2 && avx2 ? avx2 : baseline;
}

}  // namespace

std::span<const KernelInfo> kernel_catalogue() { return rows; }

const KernelInfo* find_kernel(std::string_view name) {
  for (const KernelInfo& kernel : rows) {
    if (kernel.name == name) return &kernel;
  }
  return nullptr;
}

int32_t element_code(std::string_view type) {
  if (type == "f32") return CORTEX_ELEMENT_F32;
  if (type == "bf16") return CORTEX_ELEMENT_BF16;
  if (type == "s32") return CORTEX_ELEMENT_S32;
  if (type == "u8") return CORTEX_ELEMENT_U8;
  return type == "s8" ? CORTEX_ELEMENT_S8 : CORTEX_ELEMENT_SUM;
}

double rows_of_dots(const KernelInfo& kernel, double n) {
  const double registers = kernel.lanes == 16 ? 32 : 16;
  return std::min(8.0, std::floor((registers - 2) / (n + 1)));
}

WindowBlock window_block(const KernelInfo& kernel, bool is_3x3) {
  // column_rows of microkernels/dwconv/columns.h
  if (is_3x3 && kernel.a == "f32" && kernel.isa == Isa::avx2) return {4, 1, true};
  const int high = kernel.mr >= 21 ? 3 : kernel.mr >= 8 ? 2 : 1;
  return {high, kernel.mr / high, false};
}

cortex_pack_fn pack_function(Isa isa) {
  return best_of<cortex_pack_fn>(isa, CORTEX_WHERE_BUILT(avx512, cortex_pack_avx512),
                                 CORTEX_WHERE_BUILT(avx2, cortex_pack_avx2), cortex_pack_baseline);
}

cortex_activate_fn activate_function(Isa isa) {
  return best_of<cortex_activate_fn>(isa, CORTEX_WHERE_BUILT(avx512, cortex_activate_avx512),
                                     CORTEX_WHERE_BUILT(avx2, cortex_activate_avx2),
                                     cortex_activate_baseline);
}

}  // namespace cortex
