#include "bench/fuzz/layouts.h"

#include <algorithm>

#include "bench/reference/shapes.h"

namespace cortex::bench {

namespace {

void conv_weights(const ConvProblem& c, const float* reference, WeightsLayout layout, float* out) {
  const int64_t icg = c.ic / c.g, ocg = c.oc / c.g, taps = c.kd * c.kh * c.kw;
  for (int64_t g = 0; g < c.g; ++g) {
    for (int64_t t = 0; t < taps; ++t) {
      for (int64_t i = 0; i < icg; ++i) {
        for (int64_t o = 0; o < ocg; ++o) {
          const float value = reference[((g * taps + t) * icg + i) * ocg + o];
          if (layout == WeightsLayout::oihw) {
            out[((g * ocg + o) * icg + i) * taps + t] = value;
          } else {
            out[(t * icg + i) * c.oc + g * ocg + o] = value;
          }
        }
      }
    }
  }
}

void transpose_all(const float* from, int64_t count, int64_t rows, int64_t columns, float* out) {
  for (int64_t b = 0; b < count; ++b) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        out[(b * columns + j) * rows + i] = from[(b * rows + i) * columns + j];
      }
    }
  }
}

}  // namespace

void to_weights_layout(const Problem& problem, const float* reference, WeightsLayout layout, float* out) {
  if (problem.is_conv() && (layout == WeightsLayout::oihw || layout == WeightsLayout::hwio)) {
    return conv_weights(problem.conv(), reference, layout, out);
  }
  if (problem.is_matmul() && layout != WeightsLayout::as_problem) {
    const MatmulProblem& m = problem.matmul();
    const int64_t count = b_elements(problem) / (m.k * m.n);
    const bool want_transposed = layout == WeightsLayout::nk;
    if (want_transposed != m.b_transposed) {
      return m.b_transposed ? transpose_all(reference, count, m.n, m.k, out)
                            : transpose_all(reference, count, m.k, m.n, out);
    }
  }
  std::copy_n(reference, b_elements(problem), out);
}

}  // namespace cortex::bench
