// Running error analysis (Wilkinson): a value in double, and how far a computation of it in float may be off.
#pragma once

#include <cmath>

namespace cortex::bench {

inline constexpr double float_unit = 0x1p-24;
// n float operations in any order: gamma_n (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
inline double gamma_of(double n) { return n * float_unit / (1 - n * float_unit); }

struct Bounded {
  double value = 0, error = 0;
};

inline Bounded operator+(Bounded a, Bounded b) {
  const double v = a.value + b.value;
  return {v, a.error + b.error + float_unit * std::fabs(v)};
}
inline Bounded operator-(Bounded a, Bounded b) { return a + Bounded{-b.value, b.error}; }
inline Bounded operator*(Bounded a, Bounded b) {
  const double v = a.value * b.value;
  return {v, std::fabs(a.value) * b.error + std::fabs(b.value) * a.error + a.error * b.error +
                 float_unit * std::fabs(v)};
}

// Eight units for the function itself: fast versions of them are off by a few.
inline Bounded sigmoid(Bounded a) {
  const double v = 1 / (1 + std::exp(-a.value));
  return {v, 0.25 * a.error + 8 * float_unit * v};
}
inline Bounded tanh(Bounded a) {
  const double v = std::tanh(a.value);
  return {v, std::fmin(a.error, 2.0) + 8 * float_unit * std::fabs(v)};
}
inline Bounded relu(Bounded a) { return {std::fmax(a.value, 0.0), a.error}; }

}  // namespace cortex::bench
