// Which instruction sets this CPU and operating system offer and this build has kernels for, and the
// forced-ISA switch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/built_isas.h"

namespace cortex {

// Ordered: a CPU that can run one level can run every level before it, but for avx2vnni, which some with
// AVX-512 lack: see runs().
enum class Isa : int {
  baseline = 0,    // plain C++ for x86-64-v1, the portable kernels
  avx2 = 1,        // AVX2 + FMA (x86-64-v3)
  avx2vnni = 2,    // + AVX_VNNI: CPUs without AVX-512
  avx512 = 3,      // AVX-512 F, BW, VL, DQ (x86-64-v4)
  avx512vnni = 4,  // + AVX512_VNNI
  avx512bf16 = 5,  // + AVX512_BF16
  amx = 6,         // + AMX_TILE, AMX_INT8, AMX_BF16
};
inline constexpr int isa_count = 7;

// Whether this build has the level's microkernels (CMake: CORTEX_ISAS). The baseline's it always has, and
// with a level's those of f32_isa(level).
constexpr bool is_built(Isa isa) {
  constexpr bool built[isa_count] = {CORTEX_BUILT_baseline, CORTEX_BUILT_avx2,       CORTEX_BUILT_avx2vnni,
                                     CORTEX_BUILT_avx512,   CORTEX_BUILT_avx512vnni, CORTEX_BUILT_avx512bf16,
                                     CORTEX_BUILT_amx};
  return built[static_cast<int>(isa)];
}

// Whether code for `code` may be run where `level` is what may be used. A level that was not built is only
// reckoned with: as a machine that has all code up to it.
constexpr bool runs(Isa level, Isa code) {
  return code <= level && (code != Isa::avx2vnni || level == Isa::avx2vnni) &&
         (is_built(code) || !is_built(level));
}

// The level whose f32 code is this level's: baseline, avx2 or avx512. The others add narrow types.
constexpr Isa f32_isa(Isa isa) {
  return isa >= Isa::avx512 ? Isa::avx512 : isa == Isa::avx2vnni ? Isa::avx2 : isa;
}

const char* isa_name(Isa isa);                        // "avx512"
std::optional<Isa> parse_isa(std::string_view name);  // inverse of isa_name
std::string isa_names();                              // "baseline, avx2, ...", for messages

// "avx512 was not built into this cortex: configure it with -DCORTEX_ISAS=... or all", for messages.
std::string not_built(Isa isa);

// Sets of levels: bit i stands for level i.
using IsaSet = unsigned;
constexpr IsaSet isa_bit(Isa isa) { return 1u << static_cast<int>(isa); }

// The highest level in both sets and not above `cap`; the baseline is in every set.
constexpr Isa highest_isa(Isa cap, IsaSet of_cpu, IsaSet built) {
  for (int i = static_cast<int>(cap); i > 0; --i) {
    if (of_cpu & built & isa_bit(static_cast<Isa>(i))) return static_cast<Isa>(i);
  }
  return Isa::baseline;
}

// Whether CPU and OS run the level, built or not. For amx that includes the process's permission to use tile
// registers, which is asked for here.
bool cpu_has(Isa isa);

// The highest level that CPU and OS run and that was built. Computed once; thread-safe.
Isa detected_isa();

// Whether the level can be used: was built, and this CPU runs it. One below detected_isa() may be neither.
bool supports(Isa isa);

// Whether code with AVX512_VBMI2 may be run where `level` is what may be used. No level of its own: of those
// with AVX512_VNNI the first (Cascade Lake) lack it.
bool runs_vbmi2(Isa level);

// The highest level that can be used and is not above `cap`. Asks for no permission below amx.
Isa capped_isa(Isa cap);

// detected_isa() capped by the environment variable CORTEX_MAX_ISA. An unknown value there is an
// error for the caller to report: nullopt, with *bad_value filled in. Reads the environment anew.
std::optional<Isa> usable_isa(std::string* bad_value);

std::string cpu_brand();  // "AMD EPYC ...", for reports

}  // namespace cortex
