#include "polyopt/machine/defaults.h"

#include <cpuid.h>

#include <cstring>

namespace cortex {
namespace {

// 512-bit FMAs issued per cycle. AMD family 19h (Zen 4) splits them in two halves; family 1Ah (Zen 5) and
// Intel's servers have two full units. Software Optimization Guides of AMD 57647 and 58455; Intel's
// Optimization Reference Manual, chapter on AVX-512.
double wide_fma_per_cycle(const CpuFamily& cpu) { return cpu.amd && cpu.family == 0x19 ? 1.0 : 2.0; }

// 512-bit vdpbf16ps issued per cycle. AMD's take the FMA units; on Intel's servers one takes as long as four
// FMAs (measured on Granite Rapids: chains of independent ones, 1.96 cycles each where an FMA has 0.49).
double bf16_dots_per_cycle(const CpuFamily& cpu) { return cpu.amd ? wide_fma_per_cycle(cpu) : 0.5; }

}  // namespace

CpuFamily host_family() {
  CpuFamily cpu;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(0, &a, &b, &c, &d)) return cpu;
  char vendor[13] = {};
  std::memcpy(vendor, &b, 4);
  std::memcpy(vendor + 4, &d, 4);
  std::memcpy(vendor + 8, &c, 4);
  cpu.amd = std::strcmp(vendor, "AuthenticAMD") == 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return cpu;
  const unsigned base = (a >> 8) & 0xf;
  cpu.family = static_cast<int>(base == 0xf ? base + ((a >> 20) & 0xff) : base);
  cpu.model = static_cast<int>(((a >> 4) & 0xf) | ((a >> 12) & 0xf0));
  return cpu;
}

void apply_default_rates(Machine& machine, const CpuFamily& cpu) {
  if (machine.isa >= Isa::avx512) {
    machine.vector_lanes = 16;
    machine.fma_per_cycle = wide_fma_per_cycle(cpu);
    machine.loads_per_cycle = machine.fma_per_cycle == 1.0 ? 1 : 2;
    machine.bf16_dots_per_cycle = machine.isa >= Isa::avx512bf16 ? bf16_dots_per_cycle(cpu) : 0;
  } else if (machine.isa >= Isa::avx2) {
    machine.vector_lanes = 8;
    machine.fma_per_cycle = 2;
    machine.loads_per_cycle = 2;
  } else {
    machine.vector_lanes = 4;
    machine.fma_per_cycle = 1;  // a multiply and an add
    machine.loads_per_cycle = 2;
  }
  machine.fma_latency = machine.isa == Isa::baseline ? 7 : 4;
  // Sustained by one core. AMD: measured on family 1Ah with `cortex-bench machine`; others: a half to two
  // thirds of what manuals give as peak.
  const bool recent_amd = cpu.amd && cpu.family >= 0x19;
  for (std::size_t i = 0; i < machine.caches.size(); ++i) {
    CacheLevel& cache = machine.caches[i];
    if (i == 0) {
      cache.read_bytes_per_cycle = machine.loads_per_cycle * machine.vector_lanes * 4.0;
      cache.write_bytes_per_cycle = machine.vector_lanes * 4.0;
    } else if (i == 1) {
      cache.read_bytes_per_cycle = recent_amd ? 60 : 42;
      cache.write_bytes_per_cycle = recent_amd ? 55 : 24;
    } else {
      cache.read_bytes_per_cycle = recent_amd ? 30 : 11;
      cache.write_bytes_per_cycle = recent_amd ? 28 : 7;
    }
    cache.latency_cycles = i == 0 ? 5 : i == 1 ? 14 : 50;
  }
  machine.memory_read_bytes_per_cycle = recent_amd ? 12 : 5;
  machine.memory_write_bytes_per_cycle = recent_amd ? 10 : 3.5;
  // One core rarely saturates the memory of a part with many; a few do on small ones.
  const double cores = machine.cores > 2 ? 0.5 * machine.cores + 1 : machine.cores;
  machine.memory_bytes_per_cycle_all = machine.memory_read_bytes_per_cycle * cores;
}

}  // namespace cortex
