// The inputs of a problem, in the reference layout, made from a seed.
#pragma once

#include "graph/problem/problem.h"
#include "support/aligned_buffer.h"

namespace cortex::bench {

struct Operands {
  // bias, residual, scale: empty when the problem has none. All f32, whatever the problem's types: values are
  // elements of those (bench/reference/elements.h).
  AlignedBuffer a, b, bias, residual, scale;
  const float* a_data() const { return a.as<float>(); }
  const float* b_data() const { return b.as<float>(); }
};

// Values are uniform in [-1, 1) with all 24 bits in use: sums of them do round. Equal problems and seeds give
// equal operands.
Result<Operands> make_operands(const Problem& problem, uint64_t seed);

// A small generator that everything random in bench comes from (SplitMix64, Steele et al. 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }
  bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1p-53 < probability; }

 private:
  uint64_t state_;
};

void fill_uniform(float* values, int64_t count, uint64_t seed);

}  // namespace cortex::bench
