#include "support/cpu_model.h"

#include <cpuid.h>

namespace cortex {

CpuModel cpu_model() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  CpuModel model{};
  if (!__get_cpuid(0, &a, &b, &c, &d)) return model;
  model.amd = b == signature_AMD_ebx && d == signature_AMD_edx && c == signature_AMD_ecx;
  __get_cpuid(1, &a, &b, &c, &d);
  const unsigned base = a >> 8 & 15;
  model.family = static_cast<int>(base == 15 ? base + (a >> 20 & 255) : base);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) model.avx512 = b & bit_AVX512F;
  return model;
}

namespace {

// Family 19h is Zen 3 and Zen 4; Zen 4 alone has AVX-512, and was measured.
bool is_zen4(const CpuModel& model) { return model.amd && model.family == 0x19 && model.avx512; }

struct Habits {
  bool wide_rows, rows_of_page;
};
Habits habits_of(const CpuModel& model) { return {follows_wide_rows(model), follows_rows_of_page(model)}; }

Habits& habits() {
  static Habits of_this_cpu = habits_of(cpu_model());
  return of_this_cpu;
}

}  // namespace

// One row times 1024x1024, f32, from L3: 78 GB/s where the kernel asks ahead, 95 where it does not.
bool follows_wide_rows(const CpuModel& model) { return is_zen4(model); }
bool follows_wide_rows() { return habits().wide_rows; }

// 2048 rows of 128 f32 times one column, microseconds: one row after the other 11.5, four together 10.2; 512
// rows 2.47 and 2.23. Zen 5 loses a third by it (see brgemm_dots.h).
bool follows_rows_of_page(const CpuModel& model) { return is_zen4(model); }
bool follows_rows_of_page() { return habits().rows_of_page; }

void assume_cpu_model(const CpuModel& model) { habits() = habits_of(model); }

}  // namespace cortex
