#include "polyopt/model/peak.h"

#include "microkernels/catalogue/catalogue.h"

namespace cortex {

Peak peak_of(const Machine& machine, DataType a) {
  const double lanes = machine.vector_lanes, fma = machine.fma_per_cycle * lanes;
  const bool bytes = sum_type(a) == DataType::s32, bf16 = element_of(a) == DataType::bf16;
  if (machine.isa >= Isa::amx && length_of(a) > 1) {
    const double length = static_cast<double>(length_of(a));
    return {bytes ? "tdpbusd" : "tdpbf16ps", length * KernelInfo::tile_units_per_cycle, true};
  }
  // vpdpbusd takes the units of FMAs on every CPU that has it; windows of bytes are interleaved for it.
  if (bytes && (machine.isa == Isa::avx2vnni || machine.isa >= Isa::avx512vnni)) return {"vpdpbusd", 4 * fma};
  // Elsewhere they are widened to 16 bits, of which a lane takes two. Baseline has plain C++ for it.
  if (bytes && machine.isa != Isa::baseline) return {"vpmaddwd", 2 * fma};
  // Windows of bf16 are widened; and where vdpbf16ps is slow, so is everything.
  const double dots = 2 * machine.bf16_dots_per_cycle * lanes;
  if (bf16 && length_of(a) > 1 && machine.isa >= Isa::avx512bf16 && dots > fma) return {"vdpbf16ps", dots};
  return {machine.isa == Isa::baseline ? "mulps and addps" : "FMA", fma};
}

}  // namespace cortex
