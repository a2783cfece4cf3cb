// Activations on vectors. Polynomials are minimax fits (Remez exchange) made for this file; their errors
// are stated in units of 2^-24 relative.
#pragma once

#include "cortex/microkernels.h"

namespace cortex {
namespace {

// x = n ln2 + r, |r| <= ln2/2 (Cody and Waite's two-part ln2, whose first part times n is exact).
struct Reduced {
  Vec n, r;
};
CORTEX_INLINE Reduced reduce(Vec x) {
  const Vec n = round_nearest(mul(x, splat(1.44269504f)));
  return {n, fma(n, splat(2.12194440e-4f), fma(n, splat(-0.693359375f), x))};
}

// exp(r) - 1 for |r| <= ln2/2: r + r^2 P(r), error 0.22.
CORTEX_INLINE Vec expm1_reduced(Vec r) {
  // In pairs: what limits an array of these is how many unfinished chains the core can hold.
  const Vec square = mul(r, r);
  const Vec low = fma(splat(0.1666654268f), r, splat(0.4999999813f));
  const Vec high = fma(splat(1.388249845e-3f), square, fma(splat(8.366646796e-3f), r, splat(4.16672039e-2f)));
  return fma(square, fma(high, square, low), r);
}

// exp(x + low), low tiny. Beyond the ends of f32 the result is 0 or infinity.
CORTEX_INLINE Vec exp(Vec x, Vec low) {
  const Reduced e = reduce(min(splat(89.0f), max(splat(-104.0f), x)));
  return scale_by_power(add(splat(1.0f), expm1_reduced(add(e.r, low))), e.n);
}
CORTEX_INLINE Vec exp(Vec x) { return exp(x, zero()); }

// For results that 1 is added to, which may stop at the ends of the exponent: 2^n comes out of the bits of
// the rounding sum, beside the polynomial and not behind it. -126 <= n <= 128, where 2^128 is infinity.
struct Powered {
  Vec n, power;
};
CORTEX_INLINE Powered power_nearest(Vec x) {  // n the nearest to x / ln2
  const Vec shift =
      splat(12582912.0f + 127.0f);  // its last mantissa bit counts ones; 127 is the exponent's bias
  const Vec shifted = fma(x, splat(1.44269504f), shift);
  return {add(shifted, mul(splat(-1.0f), shift)), low_bits_as_exponent(shifted)};
}

// 1/(1 + exp(-x)), where exp(-x) = 2^n (1 + r + r^2 P(r)).
CORTEX_INLINE Vec sigmoid(Vec x) {
  const Vec bounded = max(splat(-89.0f), min(splat(87.0f), x));
  const Powered p = power_nearest(mul(splat(-1.0f), bounded));
  const Vec r =
      fma(p.n, splat(-2.12194440e-4f), fma(p.n, splat(0.693359375f), bounded));  // of the other sign
  const Vec exp_r = add(splat(1.0f), expm1_reduced(mul(splat(-1.0f), r)));
  return div(splat(1.0f), fma(p.power, exp_r, splat(1.0f)));
}

// With E = exp(2x) - 1: tanh x = E / (E + 2). No cancellation anywhere, so it is accurate at 0 too.
CORTEX_INLINE Vec tanh(Vec x) {
  const Vec bounded = max(splat(-10.0f), min(splat(10.0f), x));  // tanh(10) is 1
  const Vec twice = add(bounded, bounded);
  const Powered p = power_nearest(twice);
  const Vec r = fma(p.n, splat(2.12194440e-4f), fma(p.n, splat(-0.693359375f), twice));
  const Vec expm1 = fma(p.power, expm1_reduced(r), add(p.power, splat(-1.0f)));
  return div(expm1, add(expm1, splat(2.0f)));
}

// x Phi(x), Phi the normal distribution function. Phi(-a) = exp(-a^2/2) erfcx(a/sqrt 2)/2 for a >= 0; the
// second factor over t = 1/(1 + 0.35 a) is t Q(t), error 0.54 for a <= 14.6, where the first one is 0.
// Accurate in the tail, where 1 + erf would cancel.
CORTEX_INLINE Vec gelu_erf(Vec x) {
  const Vec bounded = max(splat(-14.6f), x);  // the product below is 0 beyond, and not 0 times infinity
  const Vec a = min(splat(14.6f), abs(x));
  const Vec t = div(splat(1.0f), fma(splat(0.35f), a, splat(1.0f)));
  Vec q = splat(-2.91594675e-2f);
  q = fma(q, t, splat(0.1440387611f));
  q = fma(q, t, splat(-0.2558555315f));
  q = fma(q, t, splat(0.1593389836f));
  q = fma(q, t, splat(-2.322594252e-2f));
  q = fma(q, t, splat(0.1055584005f));
  q = fma(q, t, splat(0.1198197529f));
  q = fma(q, t, splat(0.1398637335f));
  q = fma(q, t, splat(0.1396212939f));
  // a^2/2 in two parts: its rounding error would be multiplied by its size.
  const Vec half = mul(splat(-0.5f), a);
  const Vec square = mul(half, a);
  const Vec tail = mul(exp(square, product_error(half, a, square)), mul(q, t));
  return mul(bounded, where_negative(x, tail, add(splat(1.0f), mul(splat(-1.0f), tail))));
}

// x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3).
CORTEX_INLINE Vec gelu_tanh(Vec x) {
  const Vec bounded = max(splat(-12.0f), x);  // sigmoid is 0 there
  const Vec v = min(splat(12.0f), bounded);
  const Vec twice_u = mul(v, fma(mul(v, v), splat(0.0713548163f), splat(1.59576912f)));
  return mul(bounded, sigmoid(twice_u));
}

CORTEX_INLINE Vec leaky_relu(Vec x, Vec slope) { return fma(slope, min(zero(), x), max(zero(), x)); }

// The activations that take more than a few instructions; x itself for the others.
CORTEX_INLINE Vec curved_activation(int32_t activation, Vec x) {
  switch (activation) {
    case CORTEX_ACTIVATION_SIGMOID:
      return sigmoid(x);
    case CORTEX_ACTIVATION_TANH:
      return tanh(x);
    case CORTEX_ACTIVATION_GELU_ERF:
      return gelu_erf(x);
    case CORTEX_ACTIVATION_GELU_TANH:
      return gelu_tanh(x);
    default:
      return x;
  }
}

// All of them.
CORTEX_INLINE Vec activate(int32_t activation, float alpha, float beta, Vec x) {
  switch (activation) {
    case CORTEX_ACTIVATION_RELU:
      return alpha == 0.0f ? max(zero(), x) : leaky_relu(x, splat(alpha));
    case CORTEX_ACTIVATION_CLIP:
      return min(splat(beta), max(splat(alpha), x));
    default:
      return curved_activation(activation, x);
  }
}

}  // namespace
}  // namespace cortex
