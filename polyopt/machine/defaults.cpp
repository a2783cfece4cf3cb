#include "polyopt/machine/defaults.h"

#include <cpuid.h>

#include <algorithm>
#include <cstring>

#include "support/cpu_model.h"

namespace cortex {
namespace {

// 512-bit FMAs issued per cycle. AMD family 19h (Zen 4) splits them in two halves; family 1Ah (Zen 5) and
// Intel's servers have two full units. Software Optimization Guides of AMD 57647 and 58455; Intel's
// Optimization Reference Manual, chapter on AVX-512.
double wide_fma_per_cycle(const CpuFamily& cpu) { return cpu.amd && cpu.family == 0x19 ? 1.0 : 2.0; }

// 512-bit vdpbf16ps issued per cycle. AMD's take the FMA units; on Intel's servers one takes as long as four
// FMAs (measured on Granite Rapids: chains of independent ones, 1.96 cycles each where an FMA has 0.49).
double bf16_dots_per_cycle(const CpuFamily& cpu) { return cpu.amd ? wide_fma_per_cycle(cpu) : 0.5; }

int lanes_of(Isa isa) { return isa >= Isa::avx512 ? 16 : isa >= Isa::avx2 ? 8 : 4; }

// Sustained by one core, bytes per cycle, and cycles from a load to its value.
struct Rates {
  double l2_read, l2_write, l3_read, l3_write, memory_read, memory_write;
  double l2_latency, l3_latency, memory_latency;
};

// AMD: measured on families 19h (Zen 4) and 1Ah (Zen 5). Intel: a Xeon 6 (Granite Rapids), whose last cache
// is a mesh away from its cores. Both with `cortex-bench machine`. Intel's writes are what the lines that
// stores fetch first leave of the measured 15, 6.5 and 2.5: the model counts these as reads. Others: a half
// to two thirds of what manuals give as peak.
Rates default_rates(const CpuFamily& cpu) {
  if (cpu.amd && cpu.family == 0x19) return {32, 30, 22, 23, 7.7, 7.2, 18, 55, 600};
  if (cpu.amd && cpu.family > 0x19) return {60, 55, 30, 28, 12, 10, 14, 50, 400};
  if (cpu.intel_server) return {46, 22, 7, 28, 4, 6.5, 16, 180, 700};
  return {42, 24, 11, 7, 5, 3.5, 14, 50, 400};
}

// Fitted on the same Xeon 6 to `cortex-bench rank` of ResNet-50 (PolyDL's layers, batch 1 and 16) and the
// matmul list, f32 with AVX-512; VGG-16 and Yolo-9000 held out. usable_cache and spill stay those of Zen 5,
// and a_far is less than fitted: large layers, measured once each, would be split along the reduction, which
// takes 6 to 12 % longer. pack_call: copies of 7x3x3 boxes, 770 cycles each.
Costs intel_costs() {
  Costs c;
  c.usable_shared = 1.1;  // of the share that most_l3_per_core leaves
  c.load_overlap = 0.13;
  c.repeated_loads = 2.3;
  c.streams_followed = 24;
  c.a_near = 0.04;
  c.a_far = 0.2;
  c.a_memory = 0.044;
  c.a_asked = 0.15;
  c.b_near = 0.3;
  c.b_far = 0.11;
  c.b_memory = 0.54;
  c.b_asked = 0.31;
  c.c_near = 0.33;
  c.c_far = 0.082;
  c.c_memory = 0.1;
  c.page_run = 1.4;
  c.cache_run = 2.7;
  c.cache_line = 2.5;
  c.memory_run = 12;
  c.within_page = 0.63;
  c.store_run = 17;
  c.window_uops = 1700;
  c.lines_in_flight = 170;
  c.few_rows = 14;
  c.call_setup = 55;
  c.reload_vector = 1.1;
  c.l2_stride = 6300;
  c.pack_call = 700;
  return c;
}

// Zen 4, 512-bit multiply-adds one a cycle, 256-bit ones two: loads and what surrounds a call nearly hide
// beside them; what does not is in polyopt/model/halves.h. 192x38x38 outputs of 80 channels: 34 cycles a call
// of 5x64 tiles, 100 of 7x64.
Costs zen4_costs() {
  Costs c;
  c.load_overlap = 0.05;
  c.call_setup = 8;
  c.dot_row = 12;
  return c;
}

// Zen 3, 256-bit multiply-adds two a cycle: a dozen sums and a few less are as good (see waiting() in
// polyopt/model/compute.cpp). 512 channels of 17x17 to 1024, 3x3, milliseconds with all of k in a panel and
// with two chunks of it: 28.2 and 30.8, 70 cycles for each of the taps that lie apart. L2 is half of Zen 4's,
// and B in place has 96 bytes of a page where wide vectors have 256: usable_cache, page_run and within_page
// were chosen by `cortex-bench rank --plain` of the matmul list (top-1 0.86 without, 0.94 with). So
// were cache_run and cache_line over those of ResNet-50 and of layers of 16 to 64 channels (pairwise 0.845 to
// 0.847 and 0.799 to 0.805): narrow vectors take a line so seldom that hardly anything shows. 16 channels of
// 112x112 to 96, microseconds in blocks of rows that L1 holds and without blocks: 618 and 532. The rest are
// Zen 5's: variants measured on a machine that others use too are too noisy to fit more.
Costs zen3_costs() {
  Costs c;
  c.usable_cache = 0.5;
  c.page_run = 3;
  c.within_page = 0.6;
  c.cache_run = 0.5;
  c.cache_line = 0.5;
  c.few_sums = 0.2;
  c.tap_run = 40;
  return c;
}

// No Intel CPU has as much of L3 for each of its cores. Where there is more, a virtual machine of few cores
// sees all of its host's, and shares it with others: a Granite Rapids host shows 480 MB to 2 cores, of which
// arrays beyond 32 MB run at the speed of memory.
constexpr int64_t most_l3_per_core = int64_t{16} << 20;

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
  cpu.intel_server = std::strcmp(vendor, "GenuineIntel") == 0 && cpu_has(Isa::avx512);
  if (!__get_cpuid(1, &a, &b, &c, &d)) return cpu;
  const unsigned base = (a >> 8) & 0xf;
  cpu.family = static_cast<int>(base == 0xf ? base + ((a >> 20) & 0xff) : base);
  cpu.model = static_cast<int>(((a >> 4) & 0xf) | ((a >> 12) & 0xf0));
  cpu.avx512 = cpu_model().avx512;
  return cpu;
}

double default_bf16_dots(Isa isa, double fma_per_cycle) {
  return isa >= Isa::amx ? fma_per_cycle / 4 : isa >= Isa::avx512bf16 ? fma_per_cycle : 0;
}

Machine at_level(Machine machine, Isa isa) {
  if (isa == machine.isa) return machine;
  machine.isa = isa;
  const int lanes = lanes_of(isa);
  if (lanes < machine.vector_lanes) {
    // Cores that take wide vectors in two halves take as many narrow ones at once.
    const double halves = machine.vector_lanes / lanes;
    machine.fma_per_cycle = isa < Isa::avx2 ? 1 : std::min(2.0, machine.fma_per_cycle * halves);
    machine.loads_per_cycle = std::min(2.0, machine.loads_per_cycle * halves);
  }
  machine.vector_lanes = lanes;
  if (isa < Isa::avx512bf16)
    machine.bf16_dots_per_cycle = 0;
  else if (machine.bf16_dots_per_cycle == 0)
    machine.bf16_dots_per_cycle = default_bf16_dots(isa, machine.fma_per_cycle);
  return machine;
}

void apply_defaults(Machine& machine, const CpuFamily& cpu) {
  machine.vector_lanes = lanes_of(machine.isa);
  if (machine.isa >= Isa::avx512) {
    machine.fma_per_cycle = wide_fma_per_cycle(cpu);
    machine.loads_per_cycle = machine.fma_per_cycle == 1.0 ? 1 : 2;
    machine.bf16_dots_per_cycle = machine.isa >= Isa::avx512bf16 ? bf16_dots_per_cycle(cpu) : 0;
  } else if (machine.isa >= Isa::avx2) {
    machine.fma_per_cycle = 2;
    machine.loads_per_cycle = 2;
  } else {
    machine.fma_per_cycle = 1;  // a multiply and an add
    machine.loads_per_cycle = 2;
  }
  machine.fma_latency = machine.isa == Isa::baseline ? 7 : 4;
  machine.costs = cpu.intel_server ? intel_costs() : Costs{};
  if (cpu.amd && cpu.family == 0x19) machine.costs = cpu.avx512 ? zen4_costs() : zen3_costs();
  const Rates rates = default_rates(cpu);
  for (std::size_t i = 0; i < machine.caches.size(); ++i) {
    CacheLevel& cache = machine.caches[i];
    if (i == 0) {
      cache.read_bytes_per_cycle = machine.loads_per_cycle * machine.vector_lanes * 4.0;
      cache.write_bytes_per_cycle = machine.vector_lanes * 4.0;
    } else if (i == 1) {
      cache.read_bytes_per_cycle = rates.l2_read;
      cache.write_bytes_per_cycle = rates.l2_write;
    } else {
      cache.read_bytes_per_cycle = rates.l3_read;
      cache.write_bytes_per_cycle = rates.l3_write;
      if (cpu.intel_server) cache.bytes = std::min(cache.bytes, most_l3_per_core * machine.cores);
    }
    cache.latency_cycles = i == 0 ? 5 : i == 1 ? rates.l2_latency : rates.l3_latency;
  }
  machine.memory_read_bytes_per_cycle = rates.memory_read;
  machine.memory_write_bytes_per_cycle = rates.memory_write;
  machine.memory_latency_cycles = rates.memory_latency;
  // One core rarely saturates the memory of a part with many; a few do on small ones.
  const double cores = machine.cores > 2 ? 0.5 * machine.cores + 1 : machine.cores;
  machine.memory_bytes_per_cycle_all = machine.memory_read_bytes_per_cycle * cores;
}

}  // namespace cortex
