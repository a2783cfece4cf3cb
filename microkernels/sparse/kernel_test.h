// What the tests of these kernels share: a fixture per instruction set, random elements, runs to gather.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "support/bf16.h"
#include "support/cpu.h"
#include "support/testing/guarded_buffer.h"

namespace cortex::testing {

inline std::size_t size(int64_t n) { return static_cast<std::size_t>(n); }

// Kernels: with a name and the level they need.
template <typename Kernels>
class KernelTest : public ::testing::TestWithParam<Kernels> {
 protected:
  void SetUp() override {
    if (!supports(kernels().isa)) GTEST_SKIP() << "this CPU has no " << kernels().name;
  }
  const Kernels& kernels() const { return this->GetParam(); }
};

template <typename Info>
std::string kernels_name(const Info& info) {
  return info.param.name;
}

inline void fill_f32(const GuardedBuffer& buffer, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < buffer.size() / 4; ++i) buffer.as<float>()[i] = uniform(random);
}

inline void fill_bf16(const GuardedBuffer& buffer, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < buffer.size() / 2; ++i) buffer.as<uint16_t>()[i] = to_bf16(uniform(random));
}

// What is read next: channels and lines that end at a guard page. Asking for lines reads nothing, reading one
// channel or line too many crashes.
class GuardedNext {
 public:
  GuardedNext(int32_t channels, Side side)
      : channels_(size(channels) * sizeof(int32_t), side), lines_(2 * sizeof(int64_t), side) {
    for (int32_t i = 0; i < channels; ++i) channels_.as<int32_t>()[i] = i;
    lines_.as<int64_t>()[0] = 0;
    lines_.as<int64_t>()[1] = 64;
  }
  cortex_sparse_next next() const {
    const auto count = static_cast<int64_t>(channels_.size() / sizeof(int32_t));
    return {lines_.data(), channels_.as<int32_t>(), count, 128, lines_.as<int64_t>(), 2};
  }

 private:
  GuardedBuffer channels_, lines_;
};

// Runs for a row of a panel, and where each of its elements comes from.
struct Gathered {
  std::vector<cortex_sparse_run> runs;
  std::vector<int64_t> from;  // an element of the source's row; or one of these:
  static constexpr int64_t outside = -1, untouched = -2, any = -3;
  std::vector<int32_t> channels;

  cortex_sparse_gather_args args(const GuardedBuffer& src, int64_t ld_channel, int step, int together) const {
    cortex_sparse_gather_args x{};
    x.src = src.data();
    x.ld_channel = ld_channel;
    x.channels = channels.data();
    x.count = static_cast<int64_t>(channels.size());
    x.runs = runs.data();
    x.run_count = static_cast<int64_t>(runs.size());
    x.step = step;
    x.together = together;
    return x;
  }
};

// Of vectors of `points`, `pitch` elements in all, out of `channels` rows of `extent`; at most `gap` elements
// between the beginnings of runs.
inline Gathered random_runs(int points, int pitch, int channels, int extent, int step, int together,
                            unsigned gap, std::mt19937& random) {
  Gathered g;
  g.from.assign(size(pitch), Gathered::untouched);
  for (int64_t to = 0; to + points <= pitch; to += 1 + static_cast<int64_t>(random() % gap)) {
    // Lane 0 may be where no operand is, as long as the lanes that are asked for are inside.
    cortex_sparse_run run{static_cast<int64_t>(random() % 60) - 10, 0, 0, to, points};
    if (random() % 2 == 0)
      run.count = (1 + static_cast<int64_t>(random() % size(points / together))) * together;
    for (int i = 0; i < points; ++i) {
      const int spread = i / together * together * step + i % together;
      const int64_t at = run.from + spread;
      const bool taken = i < run.count && at >= 0 && at < extent && random() % 8 != 0;
      g.from[size(to + i)] = taken ? at : i < run.count ? Gathered::outside : Gathered::any;
      const int bit = step == 2 ? spread : i;
      if (taken) (bit < points ? run.low : run.high) |= uint64_t{1} << (bit % points);
    }
    g.runs.push_back(run);
  }
  for (int i = 0; i < 5; ++i)
    g.channels.push_back(static_cast<int32_t>(random() % static_cast<unsigned>(channels)));
  return g;
}

}  // namespace cortex::testing
