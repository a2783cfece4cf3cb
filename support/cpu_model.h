// What is known of CPU models beyond their instruction sets, measured on them. Includes nothing, for kernels.
#pragma once

namespace cortex {

struct CpuModel {
  bool amd;
  int family;
  bool avx512;  // has the instructions, whether they may be used or not
};

CpuModel cpu_model();  // of this CPU

// Whether its prefetchers follow one row of a matrix after the other where rows are kilobytes long, so that
// instructions which ask ahead only take time.
bool follows_wide_rows(const CpuModel& model);
bool follows_wide_rows();  // of this CPU; determined once

// Whether they follow several rows at once that lie in one page.
bool follows_rows_of_page(const CpuModel& model);
bool follows_rows_of_page();

// For tests of what other CPUs run: the functions of this CPU answer as if it were such a model. Not while
// kernels run.
void assume_cpu_model(const CpuModel& model);

}  // namespace cortex
