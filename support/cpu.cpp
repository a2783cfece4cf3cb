#include "support/cpu.h"

#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>
#include <cstdlib>
#include <cstring>

namespace cortex {
namespace {

constexpr std::array<const char*, isa_count> names = {"baseline",   "avx2",       "avx2vnni", "avx512",
                                                      "avx512vnni", "avx512bf16", "amx"};

// Linux saves tile registers for processes that asked for it (Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
#if defined(__linux__)
  constexpr int request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

bool has_amx() {
  constexpr unsigned bf16 = 1u << 22, tile = 1u << 24, int8 = 1u << 25, all = bf16 | tile | int8;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & all) == all;
}

// A bit of CPUID leaf 7, subleaf 1, EAX.
bool has_feature(unsigned bit) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << bit));
}
constexpr unsigned avx_vnni_bit = 4, avx512_bf16_bit = 5;

// The level of vector instructions: all but amx.
Isa detect_vectors() {
  // __builtin_cpu_supports also checks that the OS saves the wide registers (XGETBV).
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::baseline;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) {
    return has_feature(avx_vnni_bit) ? Isa::avx2vnni : Isa::avx2;
  }
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::avx512;
  return has_feature(avx512_bf16_bit) ? Isa::avx512bf16 : Isa::avx512vnni;
}

Isa vector_isa() {
  static const Isa isa = detect_vectors();
  return isa;
}

}  // namespace

const char* isa_name(Isa isa) { return names[static_cast<int>(isa)]; }

std::optional<Isa> parse_isa(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<Isa>(i);
  }
  return std::nullopt;
}

std::string isa_names() {
  std::string all;
  for (const char* name : names) all += (all.empty() ? "" : ", ") + std::string(name);
  return all;
}

std::string not_built(Isa isa) {
  return std::string(isa_name(isa)) +
         " was not built into this cortex: configure it with -DCORTEX_ISAS=" + isa_name(isa) +
         " among others, or with -DCORTEX_ISAS=all";
}

bool cpu_has(Isa isa) {
  if (isa == Isa::avx2vnni) return vector_isa() >= Isa::avx2 && has_feature(avx_vnni_bit);
  if (isa < Isa::amx) return isa <= vector_isa();
  static const bool tiles = vector_isa() == Isa::avx512bf16 && has_amx() && may_use_tiles();
  return tiles;
}

Isa detected_isa() {
  static const Isa isa = capped_isa(Isa::amx);
  return isa;
}

bool supports(Isa isa) { return is_built(isa) && cpu_has(isa); }

bool runs_vbmi2(Isa level) {
  __builtin_cpu_init();
  return runs(level, Isa::avx512vnni) && supports(Isa::avx512vnni) && __builtin_cpu_supports("avx512vbmi2");
}

Isa capped_isa(Isa cap) {
  IsaSet of_cpu = 0, built = 0;
  for (int i = 0; i <= static_cast<int>(cap); ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (!is_built(isa)) continue;
    built |= isa_bit(isa);
    if (cpu_has(isa)) of_cpu |= isa_bit(isa);
  }
  return highest_isa(cap, of_cpu, built);
}

std::optional<Isa> usable_isa(std::string* bad_value) {
  const char* text = std::getenv("CORTEX_MAX_ISA");
  if (!text || !*text) return detected_isa();
  const std::optional<Isa> cap = parse_isa(text);
  if (!cap) {
    if (bad_value) *bad_value = text;
    return std::nullopt;
  }
  return capped_isa(*cap);
}

std::string cpu_brand() {
  std::array<unsigned, 12> words{};
  unsigned max = 0, b, c, d;
  __get_cpuid(0x80000000u, &max, &b, &c, &d);
  if (max < 0x80000004u) return "unknown CPU";
  for (unsigned i = 0; i < 3; ++i) {
    __get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  }
  char text[49] = {};
  std::memcpy(text, words.data(), 48);
  std::string brand = text;
  while (!brand.empty() && brand.back() == ' ') brand.pop_back();
  return brand;
}

}  // namespace cortex
