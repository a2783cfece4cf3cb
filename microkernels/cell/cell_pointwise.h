// Element-wise steps over rows. A step reads and writes whole rows, which stay in L1: its cost is that of its
// arithmetic, and the choice of its loop is made once per row.
#pragma once

#include <stdint.h>

#include "cortex/cell_kernels.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

template <typename F>
CORTEX_INLINE void each_vector(float* dst, int64_t n, F f) {
  int64_t j = 0;
#pragma GCC unroll 2
  for (; j + lanes <= n; j += lanes)
    store(dst + j, f([&](const float* p) CORTEX_LAMBDA { return load(p + j); }));
  if (j < n) {
    const Mask mask = first_lanes(n - j);
    store(mask, dst + j, f([&](const float* p) CORTEX_LAMBDA { return load(mask, p + j); }));
  }
}

struct FormRows {
  float* dst;
  const float *a, *b, *c, *d, *e;
};

template <int Terms, bool Times, bool Plus, typename Activate>
__attribute__((noinline)) void form(const FormRows& r, int64_t n, Activate activate_vec) {
  each_vector(r.dst, n, [&](auto at) CORTEX_LAMBDA {
    Vec v = at(r.a);
    if constexpr (Terms > 1) v = add(v, at(r.b));
    if constexpr (Terms > 2) v = add(v, at(r.c));
    v = activate_vec(v);
    if constexpr (Times && Plus) return fma(v, at(r.d), at(r.e));
    if constexpr (Times) v = mul(v, at(r.d));
    if constexpr (Plus) v = add(v, at(r.e));
    return v;
  });
}

template <int Terms, typename Activate>
CORTEX_INLINE void form_tail(const FormRows& r, int64_t n, Activate f) {
  if (r.d && r.e) return form<Terms, true, true>(r, n, f);
  if (r.d) return form<Terms, true, false>(r, n, f);
  if (r.e) return form<Terms, false, true>(r, n, f);
  form<Terms, false, false>(r, n, f);
}

template <typename Activate>
CORTEX_INLINE void form_terms(const FormRows& r, int64_t n, Activate f) {
  if (!r.b) return form_tail<1>(r, n, f);
  if (!r.c) return form_tail<2>(r, n, f);
  form_tail<3>(r, n, f);
}

CORTEX_INLINE void form_any(const FormRows& r, int64_t n, int32_t activation) {
  switch (activation) {
    case CORTEX_ACTIVATION_SIGMOID:
      return form_terms(r, n, [](Vec x) CORTEX_LAMBDA { return sigmoid(x); });
    case CORTEX_ACTIVATION_TANH:
      return form_terms(r, n, [](Vec x) CORTEX_LAMBDA { return tanh(x); });
    case CORTEX_ACTIVATION_RELU:
      return form_terms(r, n, [](Vec x) CORTEX_LAMBDA { return max(zero(), x); });
    case CORTEX_CELL_EXP:
      return form_terms(r, n, [](Vec x) CORTEX_LAMBDA { return exp(x); });
    default:
      return form_terms(r, n, [](Vec x) CORTEX_LAMBDA { return x; });
  }
}

CORTEX_INLINE void pointwise_step(const cortex_cell_step& s, float* const* rows, int64_t n) {
  const auto row = [&](int32_t i) CORTEX_LAMBDA { return i < 0 ? nullptr : rows[i]; };
  float* dst = rows[s.dst];
  const float *a = row(s.a), *b = row(s.b);
  switch (s.op) {
    case CORTEX_CELL_SUB:
      return each_vector(dst, n, [&](auto at) CORTEX_LAMBDA { return add(at(a), mul(splat(-1.0f), at(b))); });
    case CORTEX_CELL_DIV:
      return each_vector(dst, n, [&](auto at) CORTEX_LAMBDA { return div(at(a), at(b)); });
    case CORTEX_CELL_MAX:
      return each_vector(dst, n, [&](auto at) CORTEX_LAMBDA { return max(at(a), at(b)); });
    case CORTEX_CELL_MIN:
      return each_vector(dst, n, [&](auto at) CORTEX_LAMBDA { return min(at(a), at(b)); });
    case CORTEX_CELL_AFFINE: {
      const Vec alpha = splat(s.alpha), beta = splat(s.beta);
      return each_vector(dst, n, [&](auto at) CORTEX_LAMBDA { return fma(alpha, at(a), beta); });
    }
    case CORTEX_CELL_FILL: {
      const Vec alpha = splat(s.alpha);
      return each_vector(dst, n, [&](auto) CORTEX_LAMBDA { return alpha; });
    }
    default:
      return form_any({dst, a, b, row(s.c), row(s.d), row(s.e)}, n, s.activation);
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_CELL(isa)                                                             \
  extern "C" void cortex_cell_gemm_##isa(const cortex_cell_gemm_args* args) {               \
    cortex::cell_gemm<cortex::Held::f32>(args);                                             \
  }                                                                                         \
  extern "C" void cortex_cell_gemm_bf16_##isa(const cortex_cell_gemm_args* args) {          \
    cortex::cell_gemm<cortex::Held::bf16>(args);                                            \
  }                                                                                         \
  extern "C" void cortex_cell_pointwise_##isa(const cortex_cell_step* steps, int32_t count, \
                                              float* const* rows, int64_t n) {              \
    for (int32_t i = 0; i < count; ++i) cortex::pointwise_step(steps[i], rows, n);          \
  }                                                                                         \
  static_assert(cortex_cell_panel_##isa == cortex::panel_columns);
