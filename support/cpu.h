// Which instruction sets this CPU and operating system offer, and the forced-ISA switch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cortex {

// Ordered: a CPU that can run one level can run every level before it.
enum class Isa : int {
  baseline = 0,    // plain C++ for x86-64-v1, the portable kernels
  avx2 = 1,        // AVX2 + FMA (x86-64-v3)
  avx512 = 2,      // AVX-512 F, BW, VL, DQ (x86-64-v4)
  avx512vnni = 3,  // + AVX512_VNNI
  avx512bf16 = 4,  // + AVX512_BF16
};

const char* isa_name(Isa isa);                        // "avx512"
std::optional<Isa> parse_isa(std::string_view name);  // inverse of isa_name
std::string isa_names();                              // "baseline, avx2, ...", for messages

// The highest level that CPU and OS support. Computed once; thread-safe.
Isa detected_isa();

// detected_isa() capped by the environment variable CORTEX_MAX_ISA. An unknown value there is an
// error for the caller to report: nullopt, with *bad_value filled in. Reads the environment anew.
std::optional<Isa> usable_isa(std::string* bad_value);

std::string cpu_brand();  // "AMD EPYC ...", for reports

}  // namespace cortex
