// Multiply-adds, counted in closed form: sizes may be large.
#include <algorithm>

#include "graph/problem/problem.h"

namespace cortex {
namespace {

__extension__ using int128 = __int128;

// sum over 0 <= i < n of floor((a*i + b) / m), for a, b >= 0: Euclid's algorithm on (a, m).
int128 floor_sum(int128 n, int128 m, int128 a, int128 b) {
  int128 sum = 0;
  while (n > 0) {
    sum += (n - 1) * n / 2 * (a / m) + n * (b / m);
    a %= m;
    b %= m;
    const int128 top = a * n + b;  // the sum counts lattice points below a line; swap the axes
    if (top < m) break;
    n = top / m;
    b = top % m;
    std::swap(m, a);
  }
  return sum;
}

// Pairs 0 <= o < outs, 0 <= k < taps with stride*o + step*k <= limit.
int128 pairs_up_to(int128 limit, int128 outs, int128 stride, int128 taps, int128 step) {
  if (limit < 0) return 0;
  // Outputs that have all taps below the limit, then those that have some.
  const int128 full =
      limit < step * (taps - 1) ? 0 : std::min(outs, (limit - step * (taps - 1)) / stride + 1);
  const int128 some = std::min(outs, limit / stride + 1);
  const int128 last = limit - stride * (some - 1);  // room of the last of them, the smallest
  return full * taps + (some - full) + floor_sum(some - full, step, stride, last);
}

// Taps of one axis that meet input rather than padding, over all outputs.
int64_t inner_taps(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int128 step = int128{dilation} + 1;
  return static_cast<int64_t>(pairs_up_to(int128{pad} + in - 1, out, stride, kernel, step) -
                              pairs_up_to(int128{pad} - 1, out, stride, kernel, step));
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
