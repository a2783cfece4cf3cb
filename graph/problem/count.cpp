#include <algorithm>

#include "graph/problem/problem.h"

namespace cortex {
namespace {

// Taps of one axis that meet input rather than padding, over all outputs.
int64_t inner_taps(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  int64_t taps = 0;
  for (int64_t k = 0; k < kernel; ++k) {
    const int64_t shift = k * (dilation + 1) - pad;  // input position = o * stride + shift
    const int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    const int64_t last = in - 1 - shift < 0 ? -1 : std::min(out - 1, (in - 1 - shift) / stride);
    if (last >= first) taps += last - first + 1;
  }
  return taps;
}

}  // namespace

int64_t multiply_adds(const Problem& problem) {
  if (problem.is_matmul()) {
    const MatmulProblem& p = problem.matmul();
    int64_t count = p.m * p.n * p.k;
    for (size_t i = 0; i < p.batch_a.size(); ++i) count *= std::max(p.batch_a[i], p.batch_b[i]);
    return count;
  }
  const ConvProblem& p = problem.conv();
  return p.mb * p.oc * (p.ic / p.g) * inner_taps(p.id, p.od, p.kd, p.sd, p.pd, p.dd) *
         inner_taps(p.ih, p.oh, p.kh, p.sh, p.ph, p.dh) * inner_taps(p.iw, p.ow, p.kw, p.sw, p.pw, p.dw);
}

}  // namespace cortex
