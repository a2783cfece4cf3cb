#include "bench/measure/memory.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "bench/backends/buffer.h"
#include "bench/measure/clock.h"
#include "bench/reference/operands.h"

namespace cortex::bench {
namespace {

using Pass = void (*)(std::byte* data, std::size_t bytes);  // bytes: a multiple of 1024

__attribute__((target("avx512f"))) void read_avx512(std::byte* data, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 512) {
    const std::byte* p = data + i;
    __asm__ volatile(
        "vmovups (%0), %%zmm0\n vmovups 64(%0), %%zmm1\n vmovups 128(%0), %%zmm2\n vmovups 192(%0), %%zmm3\n"
        "vmovups 256(%0), %%zmm4\n vmovups 320(%0), %%zmm5\n vmovups 384(%0), %%zmm6\n vmovups 448(%0), "
        "%%zmm7\n"
        :
        : "r"(p)
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory");
  }
  _mm256_zeroupper();
}

__attribute__((target("avx2"))) void read_avx2(std::byte* data, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 256) {
    const std::byte* p = data + i;
    __asm__ volatile(
        "vmovups (%0), %%ymm0\n vmovups 32(%0), %%ymm1\n vmovups 64(%0), %%ymm2\n vmovups 96(%0), %%ymm3\n"
        "vmovups 128(%0), %%ymm4\n vmovups 160(%0), %%ymm5\n vmovups 192(%0), %%ymm6\n vmovups 224(%0), "
        "%%ymm7\n"
        :
        : "r"(p)
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "memory");
  }
  _mm256_zeroupper();
}

void read_baseline(std::byte* data, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 64) {
    const std::byte* p = data + i;
    __asm__ volatile(
        "movups (%0), %%xmm0\n movups 16(%0), %%xmm1\n movups 32(%0), %%xmm2\n movups 48(%0), %%xmm3\n"
        :
        : "r"(p)
        : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
  }
}

__attribute__((target("avx512f"))) void write_avx512(std::byte* data, std::size_t bytes) {
  const __m512i zero = _mm512_setzero_si512();
  for (std::size_t i = 0; i < bytes; i += 256) {
    for (std::size_t j = 0; j < 256; j += 64) _mm512_storeu_si512(data + i + j, zero);
    __asm__ volatile("" : : : "memory");
  }
}

__attribute__((target("avx2"))) void write_avx2(std::byte* data, std::size_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t i = 0; i < bytes; i += 128) {
    for (std::size_t j = 0; j < 128; j += 32)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(data + i + j), zero);
    __asm__ volatile("" : : : "memory");
  }
}

void write_baseline(std::byte* data, std::size_t bytes) {
  const __m128i zero = _mm_setzero_si128();
  for (std::size_t i = 0; i < bytes; i += 64) {
    for (std::size_t j = 0; j < 64; j += 16) _mm_storeu_si128(reinterpret_cast<__m128i*>(data + i + j), zero);
    __asm__ volatile("" : : : "memory");
  }
}

// Yields in between: on one CPU the others would never come.
template <typename Condition>
void spin_while(Condition condition) {
  for (unsigned spins = 1; condition(); ++spins) {
    if (spins % 4096) {
      _mm_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

// Each thread repeats passes over its own array, in windows that all start together; the rate of the best
// window counts.
double bandwidth(Pass pass, std::size_t bytes, int threads, double seconds) {
  bytes = std::max<std::size_t>(1024, bytes / 1024 * 1024);
  const int passes = static_cast<int>(std::max<std::size_t>(1, (std::size_t{4} << 20) / bytes));
  std::vector<BenchBuffer> buffers;
  for (int t = 0; t < threads; ++t) buffers.emplace_back(bytes, t);
  std::atomic<int> waiting{0};
  std::atomic<int> generation{0};
  std::atomic<bool> stop{false};
  const auto meet = [&] {
    const int mine = generation.load();
    if (waiting.fetch_add(1) + 1 == threads) {
      waiting = 0;
      ++generation;
      return;
    }
    spin_while([&] { return generation.load() == mine; });
  };
  const auto work = [&](int t) {
    for (int i = 0; i < passes; ++i) pass(static_cast<std::byte*>(buffers[t].data()), bytes);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) {
    others.emplace_back([&, t] {
      for (;;) {
        meet();
        if (stop) return;
        work(t);
        meet();
      }
    });
  }
  const Deadline deadline(seconds);
  double best = 1e300;
  work(0);
  for (int window = 0; window < 3 || !deadline.passed(); ++window) {
    meet();
    const double start = now_ns();
    work(0);
    meet();
    best = std::min(best, now_ns() - start);
  }
  stop = true;
  meet();
  for (std::thread& t : others) t.join();
  return static_cast<double>(bytes) * passes * threads / (best * 1e-9);
}

}  // namespace

double read_bandwidth(Isa isa, std::size_t bytes, int threads, double seconds) {
  const Pass pass = isa >= Isa::avx512 ? read_avx512 : isa >= Isa::avx2 ? read_avx2 : read_baseline;
  return bandwidth(pass, bytes, threads, seconds);
}

double write_bandwidth(Isa isa, std::size_t bytes, int threads, double seconds) {
  const Pass pass = isa >= Isa::avx512 ? write_avx512 : isa >= Isa::avx2 ? write_avx2 : write_baseline;
  return bandwidth(pass, bytes, threads, seconds);
}

double load_latency(std::size_t bytes, double seconds) {
  constexpr std::size_t line = 64;
  const std::size_t count = std::max<std::size_t>(2, bytes / line);
  BenchBuffer buffer(count * line, 0);
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Random random(1);
  for (std::size_t i = count - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<std::size_t>(random.between(0, static_cast<int64_t>(i)))]);
  }
  auto* base = static_cast<std::byte*>(buffer.data());
  const auto slot = [&](uint32_t i) { return reinterpret_cast<void**>(base + i * line); };
  for (std::size_t i = 0; i < count; ++i) *slot(order[i]) = slot(order[(i + 1) % count]);
  void** at = slot(order[0]);
  constexpr int loads = 20000;
  const Deadline deadline(seconds);
  double best = 1e300;
  for (int window = 0; window < 3 || !deadline.passed(); ++window) {
    const double start = now_ns();
    for (int i = 0; i < loads; ++i) at = static_cast<void**>(*at);
    __asm__ volatile("" : : "r"(at));
    best = std::min(best, now_ns() - start);
  }
  return best * 1e-9 / loads;
}

double fork_join_seconds(int threads, double seconds) {
  if (threads <= 1) return 0;
  std::atomic<int> generation{0}, arrived{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) {
    others.emplace_back([&] {
      for (int seen = 0;;) {
        spin_while([&] { return generation.load(std::memory_order_acquire) == seen; });
        ++seen;
        if (stop) return;
        arrived.fetch_add(1, std::memory_order_release);
      }
    });
  }
  const Deadline deadline(seconds);
  std::vector<double> samples;
  const auto region = [&] {
    arrived = 0;
    generation.fetch_add(1, std::memory_order_release);
    spin_while([&] { return arrived.load(std::memory_order_acquire) != threads - 1; });
  };
  for (int i = 0; i < 200; ++i) region();
  while (samples.size() < 20 || !deadline.passed()) {
    const double start = now_ns();
    for (int i = 0; i < 50; ++i) region();
    samples.push_back((now_ns() - start) / 50);
  }
  stop = true;
  generation.fetch_add(1);
  for (std::thread& t : others) t.join();
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2),
                   samples.end());
  return samples[samples.size() / 2] * 1e-9;
}

}  // namespace cortex::bench
