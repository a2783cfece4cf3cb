#include "bench/measure/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "bench/measure/clock.h"

namespace cortex::bench {
namespace {

// Loops of `chains` independent FMA chains, `steps` long. Assembly, so that neither compiler nor flags have
// a say. 14 chains cover 2 FMAs per cycle at a latency of up to 7.
#define CORTEX_FMA_14(reg)                                                                           \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "0\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg  \
  "1\n"                                                                                              \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "2\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg  \
  "3\n"                                                                                              \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "4\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg  \
  "5\n"                                                                                              \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "6\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg  \
  "7\n"                                                                                              \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "8\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg  \
  "9\n"                                                                                              \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "10\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg \
  "11\n"                                                                                             \
  "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "12\n vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "13\n"

#define CORTEX_FMA_1(reg) "vfmadd231ps %%" reg "15, %%" reg "15, %%" reg "0\n"

#define CORTEX_FMA_CLOBBERS                                                                                  \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm15"

#define CORTEX_FMA_LOOP(name, isa_target, reg, body)                \
  __attribute__((target(isa_target))) void name(int64_t steps) {    \
    __asm__ volatile("vxorps %%xmm15, %%xmm15, %%xmm15\n 1:\n" body \
                     "dec %0\n jnz 1b\n"                            \
                     "vzeroupper\n"                                 \
                     : "+r"(steps)                                  \
                     :                                              \
                     : CORTEX_FMA_CLOBBERS, "cc");                  \
  }

CORTEX_FMA_LOOP(fma_14_avx2, "avx2,fma", "ymm", CORTEX_FMA_14("ymm"))
CORTEX_FMA_LOOP(fma_1_avx2, "avx2,fma", "ymm", CORTEX_FMA_1("ymm"))
CORTEX_FMA_LOOP(fma_14_avx512, "avx512f", "zmm", CORTEX_FMA_14("zmm"))
CORTEX_FMA_LOOP(fma_1_avx512, "avx512f", "zmm", CORTEX_FMA_1("zmm"))

// Without FMA: two independent units for mulps and addps, four lanes.
void mul_add_baseline(int64_t steps) {
  __asm__ volatile(
      "xorps %%xmm15, %%xmm15\n 1:\n"
      "mulps %%xmm15, %%xmm0\n addps %%xmm15, %%xmm1\n mulps %%xmm15, %%xmm2\n addps %%xmm15, %%xmm3\n"
      "mulps %%xmm15, %%xmm4\n addps %%xmm15, %%xmm5\n mulps %%xmm15, %%xmm6\n addps %%xmm15, %%xmm7\n"
      "mulps %%xmm15, %%xmm8\n addps %%xmm15, %%xmm9\n mulps %%xmm15, %%xmm10\n addps %%xmm15, %%xmm11\n"
      "mulps %%xmm15, %%xmm12\n addps %%xmm15, %%xmm13\n dec %0\n jnz 1b\n"
      : "+r"(steps)
      :
      : CORTEX_FMA_CLOBBERS, "cc");
}

void add_baseline(int64_t steps) {
  __asm__ volatile("xorps %%xmm15, %%xmm15\n 1:\n addps %%xmm15, %%xmm0\n dec %0\n jnz 1b\n"
                   : "+r"(steps)
                   :
                   : CORTEX_FMA_CLOBBERS, "cc");
}

// 16 dependent one-cycle additions per step.
void add_chain(int64_t steps) {
  int64_t x = 0;
  __asm__ volatile(
      "1:\n"
      "add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n"
      "add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n"
      "add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n add %%rcx, %1\n dec %0\n jnz 1b\n"
      : "+r"(steps), "+r"(x)
      :
      : "rcx", "cc");
}

// Four multiplications of whole tiles a step, on four tiles of sums.
void multiply_tiles(int64_t steps) {
  struct alignas(64) {
    uint8_t palette = 1, reserved[15] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  __asm__ volatile(
      "ldtilecfg %1\n"
      "tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3\n"
      "tilezero %%tmm4\n tilezero %%tmm5\n tilezero %%tmm6\n tilezero %%tmm7\n 1:\n"
      "tdpbusd %%tmm6, %%tmm4, %%tmm0\n tdpbusd %%tmm7, %%tmm4, %%tmm1\n"
      "tdpbusd %%tmm6, %%tmm5, %%tmm2\n tdpbusd %%tmm7, %%tmm5, %%tmm3\n"
      "dec %0\n jnz 1b\n tilerelease\n"
      : "+r"(steps)
      : "m"(config)
      : "cc");
}

double best_ns(void (*loop)(int64_t), int64_t steps, double seconds) {
  const Deadline deadline(seconds);
  double best = 1e300;
  do {
    const double start = now_ns();
    loop(steps);
    best = std::min(best, now_ns() - start);
  } while (!deadline.passed());
  return best / static_cast<double>(steps);
}

}  // namespace

CorePeak measure_core_peak(Isa isa, double seconds) {
  constexpr int64_t steps = 20000;  // a window of about 30 us
  CorePeak peak;
  double step_ns = 0, chain_ns = 0;
  double per_step = 14;
  if (isa >= Isa::avx512) {
    peak.lanes = 16;
    step_ns = best_ns(fma_14_avx512, steps, seconds * 0.6);
    chain_ns = best_ns(fma_1_avx512, steps, seconds * 0.2);
  } else if (isa >= Isa::avx2) {
    peak.lanes = 8;
    step_ns = best_ns(fma_14_avx2, steps, seconds * 0.6);
    chain_ns = best_ns(fma_1_avx2, steps, seconds * 0.2);
  } else {
    peak.lanes = 4;
    per_step = 7;  // 7 multiplications and 7 additions
    step_ns = best_ns(mul_add_baseline, steps, seconds * 0.6);
    chain_ns = best_ns(add_baseline, steps, seconds * 0.2);
  }
  peak.ghz = 16 / best_ns(add_chain, steps, seconds * 0.2);
  peak.gflops = 2 * per_step * peak.lanes / step_ns;
  peak.fma_per_cycle = per_step / step_ns / peak.ghz;
  // Units come in halves; what differs a little from that is the clock moving between the two loops.
  const double halves = std::round(2 * peak.fma_per_cycle) / 2;
  if (std::abs(peak.fma_per_cycle / halves - 1) < 0.08) peak.fma_per_cycle = halves;
  peak.fma_latency = chain_ns * peak.ghz;
  return peak;
}

double measure_tile_peak(double seconds) {
  constexpr int64_t steps = 1000;
  return 2.0 * 4 * 16 * 16 * 16 / best_ns(multiply_tiles, steps, seconds);
}

}  // namespace cortex::bench
