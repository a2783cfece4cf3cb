// Which instruction sets this CPU and operating system offer, and the forced-ISA switch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// Whether code for `code` may be run where `level` is what may be used.
constexpr bool runs(Isa level, Isa code) {
  return code <= level && (code != Isa::avx2vnni || level == Isa::avx2vnni);
}

// The level whose f32 code is this level's: baseline, avx2 or avx512. The others add narrow types.
constexpr Isa f32_isa(Isa isa) {
  return isa >= Isa::avx512 ? Isa::avx512 : isa == Isa::avx2vnni ? Isa::avx2 : isa;
}

const char* isa_name(Isa isa);                        // "avx512"
std::optional<Isa> parse_isa(std::string_view name);  // inverse of isa_name
std::string isa_names();                              // "baseline, avx2, ...", for messages

// The highest level that CPU and OS support. Computed once; thread-safe. For amx that includes the process's
// permission to use tile registers, which is asked for here.
Isa detected_isa();

// Whether this CPU runs the level; avx2vnni may be missing below detected_isa().
bool supports(Isa isa);

// Whether code with AVX512_VBMI2 may be run where `level` is what may be used. No level of its own: of those
// with AVX512_VNNI the first (Cascade Lake) lack it.
bool runs_vbmi2(Isa level);

// The highest level that this CPU runs and that is not above `cap`. Asks for no permission below amx.
Isa capped_isa(Isa cap);

// detected_isa() capped by the environment variable CORTEX_MAX_ISA. An unknown value there is an
// error for the caller to report: nullopt, with *bad_value filled in. Reads the environment anew.
std::optional<Isa> usable_isa(std::string* bad_value);

std::string cpu_brand();  // "AMD EPYC ...", for reports

}  // namespace cortex
