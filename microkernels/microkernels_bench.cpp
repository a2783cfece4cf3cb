// Speed of every microkernel: GFLOP/s, share of the FMA peak measured in the same run, core cycles per step
// of k, and the two constants of the catalogue's cost formula. Every case checks its answer first.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <vector>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/aligned_buffer.h"

namespace cortex {
namespace {

using Clock = std::chrono::steady_clock;

// Seconds of one f(), the quickest quarter of many runs: other work on the machine only ever adds.
template <typename F>
double seconds_of(F f, int runs = 25) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto start = Clock::now();
    f();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 4];
}

// A chain of additions of registers takes one core cycle each; of constants, Golden Cove's renamer folds
// some.
double core_hertz() {
  constexpr int chain = 200000;
  const double t = seconds_of([] {
    uint64_t x = 1, y = 1;
    for (int i = 0; i < chain / 8; ++i) {
      asm volatile(
          "add %1, %0; add %1, %0; add %1, %0; add %1, %0; add %1, %0; add %1, %0; add %1, %0; add %1, %0"
          : "+r"(x)
          : "r"(y));
    }
  });
  return chain / t;
}

#define CORTEX_PEAK_STEP(r, i) "vfmadd231ps %%" r "12, %%" r "12, %%" r #i "\n\t"
#define CORTEX_PEAK_LOOP(r)                                                                                \
  asm volatile(CORTEX_PEAK_STEP(r, 0) CORTEX_PEAK_STEP(r, 1) CORTEX_PEAK_STEP(r, 2) CORTEX_PEAK_STEP(r, 3) \
                   CORTEX_PEAK_STEP(r, 4) CORTEX_PEAK_STEP(r, 5) CORTEX_PEAK_STEP(r, 6)                    \
                       CORTEX_PEAK_STEP(r, 7) CORTEX_PEAK_STEP(r, 8) CORTEX_PEAK_STEP(r, 9)                \
                           CORTEX_PEAK_STEP(r, 10) CORTEX_PEAK_STEP(r, 11)::                               \
                               : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",   \
                                 "xmm9", "xmm10", "xmm11")

// Vector FMAs per second; without FMA, a multiplication and an addition count as one.
double fma_per_second(Isa isa) {
  constexpr int rounds = 20000;
  double fmas = 12.0 * rounds;
  const double t = seconds_of([&] {
    if (isa >= Isa::avx512) {
      for (int i = 0; i < rounds; ++i) CORTEX_PEAK_LOOP("zmm");
    } else if (isa >= Isa::avx2) {
      for (int i = 0; i < rounds; ++i) CORTEX_PEAK_LOOP("ymm");
    } else {
      fmas = 6.0 * rounds;
      for (int i = 0; i < rounds; ++i) {
        asm volatile(
            "mulps %%xmm15, %%xmm0; addps %%xmm15, %%xmm6; mulps %%xmm15, %%xmm1; addps %%xmm15, %%xmm7;"
            "mulps %%xmm15, %%xmm2; addps %%xmm15, %%xmm8; mulps %%xmm15, %%xmm3; addps %%xmm15, %%xmm9;"
            "mulps %%xmm15, %%xmm4; addps %%xmm15, %%xmm10; mulps %%xmm15, %%xmm5; addps %%xmm15, %%xmm11;" ::
                : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                  "xmm11");
      }
    }
  });
  return fmas / t;
}

struct Rates {
  double hertz, fma_per_cycle;
};
const Rates& rates(Isa isa) {
  static Rates table[isa_count] = {};
  Rates& r = table[static_cast<int>(f32_isa(isa))];
  if (r.hertz == 0) {
    r.hertz = core_hertz();
    r.fma_per_cycle = fma_per_second(isa) / r.hertz;
  }
  return r;
}

// Cycles of one step of k by the catalogue's formula, operands in L1.
double step_cycles(const KernelInfo& kernel, int64_t m, int64_t vectors) {
  const double fma = static_cast<double>(m * vectors) / std::round(rates(kernel.isa).fma_per_cycle);
  return std::max(fma, static_cast<double>(m + vectors) / 2.0);
}

struct Place {
  const char* name;
  int64_t lda_pad;   // bytes between rows of A beyond k; -1: the next multiple of 4 KB
  int64_t b_panels;  // B walks this many bytes of packed panels; 0: one panel
  int64_t a_bytes;   // A walks this many bytes of row blocks; 0: one block
  int64_t ldb;       // 0: packed panels
};
constexpr Place places[] = {
    {"L1", 64, 0, 0, 0},         {"B_from_L2", 64, 512 << 10, 0, 0}, {"A_from_L2", 64, 0, 256 << 10, 0},
    {"A_rows_4KB", -1, 0, 0, 0}, {"B_rows_4KB", 64, 0, 0, 4096},
};

// One tile product at a time, operands where `place` says.
class TileRun {
 public:
  TileRun(const KernelInfo& kernel, int64_t m, int64_t n, int64_t k, const Place& place,
          int32_t activation = -1)
      : kernel_(kernel) {
    args_.m = m, args_.n = n, args_.k = k, args_.batch = 1;
    args_.lda = place.lda_pad < 0 ? (k * 4 + 4095) / 4096 * 4096 : (k * 4 + 63) / 64 * 64 + place.lda_pad;
    args_.ldb = place.ldb ? place.ldb : kernel.nr * 4;
    args_.ldc = kernel.nr * 4;
    b_step_ = (args_.ldb * k + 63) / 64 * 64, a_step_ = args_.lda * m;
    b_count_ = std::max<int64_t>(1, place.b_panels / b_step_),
    a_count_ = std::max<int64_t>(1, place.a_bytes / a_step_);
    a_ = AlignedBuffer(static_cast<size_t>(a_count_ * a_step_ + 4096));
    b_ = AlignedBuffer(static_cast<size_t>(b_count_ * b_step_ + 4096));
    c_ = AlignedBuffer(static_cast<size_t>(args_.ldc * m));
    for (size_t i = 0; i < a_.size() / 4; ++i) a_.as<float>()[i] = static_cast<float>(i % 7) - 3;
    for (size_t i = 0; i < b_.size() / 4; ++i) b_.as<float>()[i] = static_cast<float>(i % 5) - 2;
    std::memset(c_.data(), 0, c_.size());
    args_.a = a_.data(), args_.b = b_.data(), args_.c = c_.data();
    if (activation >= 0) {
      args_.flags = CORTEX_TILE_EPILOGUE;
      args_.epilogue.activation = activation;
      args_.epilogue.bias_n = b_.as<float>();
    }
  }

  bool correct() {
    kernel_.brgemm(&args_);
    const testing::ReferenceTile want = testing::brgemm_reference(args_, c_.data());
    for (int64_t i = 0; i < args_.m * args_.n; ++i) {
      const double got = static_cast<double>(c_.as<float>()[i / args_.n * kernel_.nr + i % args_.n]);
      const size_t at = static_cast<size_t>(i);
      if (!(std::abs(got - want.value[at]) <= 1e-5 * (want.magnitude[at] + 1))) return false;
    }
    return true;
  }

  void call() {
    args_.b = b_.as<char>() + next_b_ * b_step_;
    if (++next_b_ == b_count_) next_b_ = 0;
    args_.a = a_.as<char>() + next_a_ * a_step_;
    if (++next_a_ == a_count_) next_a_ = 0;
    kernel_.brgemm(&args_);
  }

  double cycles() {
    const int64_t calls = std::max<int64_t>({b_count_, a_count_, 100000 / (args_.m * args_.k + 50), 20});
    const double t = seconds_of(
        [&] {
          for (int64_t i = 0; i < calls; ++i) call();
        },
        9);
    return t / static_cast<double>(calls) * rates(kernel_.isa).hertz;
  }

 private:
  const KernelInfo& kernel_;
  cortex_brgemm_args args_ = {};
  AlignedBuffer a_, b_, c_;
  int64_t a_step_, b_step_, a_count_, b_count_, next_a_ = 0, next_b_ = 0;
};

void report(benchmark::State& state, const KernelInfo& kernel, int64_t m, int64_t n, int64_t k) {
  const double flops = 2.0 * static_cast<double>(m * n * k);
  const double peak = 2.0 * kernel.lanes * rates(kernel.isa).fma_per_cycle * rates(kernel.isa).hertz;
  const double calls = static_cast<double>(state.iterations());
  state.counters["GFLOPS"] = benchmark::Counter(calls * flops / 1e9, benchmark::Counter::kIsRate);
  state.counters["of_peak"] = benchmark::Counter(calls * flops / peak, benchmark::Counter::kIsRate);
  state.counters["cycles_per_k"] =
      benchmark::Counter(calls * static_cast<double>(k) / rates(kernel.isa).hertz,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run_tile(benchmark::State& state, const KernelInfo* kernel, int64_t m, int64_t n, int64_t k, Place place,
              int32_t activation) {
  TileRun run(*kernel, m, n, k, place, activation);
  if (!run.correct()) {
    state.SkipWithError("wrong result");
    return;
  }
  for (auto _ : state) run.call();
  report(state, *kernel, m, n, k);
}

// Least squares of call + tile * m * vectors over what is left of the measured cycles after k steps.
void run_cost(benchmark::State& state, const KernelInfo* kernel) {
  double call = 0, tile = 0;
  for (auto _ : state) {
    double n = 0, x = 0, xx = 0, y = 0, xy = 0;
    for (int64_t m = 1; m <= kernel->mr; m += kernel->mr > 8 ? 3 : 1) {
      for (int64_t vectors = 1; vectors <= kernel->nr / kernel->lanes; vectors += kernel->nr > 64 ? 5 : 1) {
        for (int64_t k : {8, 16, 32}) {
          TileRun run(*kernel, m, vectors * kernel->lanes, k, places[0]);
          const double rest = run.cycles() - static_cast<double>(k) * step_cycles(*kernel, m, vectors);
          const double size = static_cast<double>(m * vectors);
          n += 1, x += size, xx += size * size, y += rest, xy += size * rest;
        }
      }
    }
    tile = std::max(0.0, (n * xy - x * y) / (n * xx - x * x));  // big tiles hide theirs in the next call
    call = (y - tile * x) / n;
  }
  state.counters["call_cycles"] = call;
  state.counters["tile_cycles"] = tile;
}

void run_activation(benchmark::State& state, Isa isa, int32_t activation) {
  std::vector<float> x(4096), y(4096);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) / 512.0f - 4;
  cortex_epilogue e = {};
  e.activation = activation;
  activate_function(isa)(activation, 0, 0, x.data(), y.data(), 4096);
  for (size_t i = 0; i < x.size(); ++i) {
    if (!(std::abs(static_cast<double>(y[i]) - testing::reference_activation(e, static_cast<double>(x[i]))) <
          1e-5)) {
      state.SkipWithError("wrong result");
      return;
    }
  }
  for (auto _ : state) activate_function(isa)(activation, 0, 0, x.data(), y.data(), 4096);
  state.counters["cycles_per_element"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 4096 / rates(isa).hertz,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Packs a row-major (or, transposed, column-major) K x N matrix to panels of 64, or copies a box with halo.
enum class PackCase { row_major, transposed, halo };
void run_pack(benchmark::State& state, Isa isa, PackCase which) {
  const int64_t k = state.range(0), n = state.range(1);
  AlignedBuffer src(static_cast<size_t>(k * n * 4)), dst(static_cast<size_t>((k + 2) * (n + 2) * 64 * 4));
  for (int64_t i = 0; i < k * n; ++i) src.as<float>()[i] = static_cast<float>(i % 1000);
  cortex_pack_desc d = {};
  d.elem_size = 4, d.panel_dim = -1;
  int64_t origin[3] = {0, 0, 0}, box[3] = {k, n, 1};
  d.rank = 2, d.shape[0] = k, d.shape[1] = n;
  if (which == PackCase::halo) {  // k x (n/64) pixels of 64 channels, one pixel of padding around
    const int64_t w = n / 64;
    d.rank = 3, d.shape[1] = w, d.shape[2] = 64;
    d.src_stride[0] = n * 4, d.src_stride[1] = 256, d.src_stride[2] = 4;
    d.dst_stride[0] = (w + 2) * 256, d.dst_stride[1] = 256, d.dst_stride[2] = 4;
    origin[0] = origin[1] = -1, box[0] = k + 2, box[1] = w + 2, box[2] = 64;
  } else {
    d.src_stride[0] = which == PackCase::row_major ? n * 4 : 4;
    d.src_stride[1] = which == PackCase::row_major ? 4 : k * 4;
    d.dst_stride[0] = 256, d.panel_dim = 1, d.panel_width = 64, d.panel_stride = k * 256;
  }
  for (auto _ : state) pack_function(isa)(&d, src.data(), dst.data(), origin, box);
  // Element (k-1, n-1) has arrived.
  const int64_t last = which == PackCase::halo ? ((k * (n / 64 + 2) + n / 64) * 64 + 63)
                                               : (n - 1) / 64 * k * 64 + (k - 1) * 64 + (n - 1) % 64;
  const int64_t from = which == PackCase::transposed ? (n - 1) * k + k - 1 : k * n - 1;
  if (dst.as<float>()[last] != src.as<float>()[from]) state.SkipWithError("wrong result");
  state.SetBytesProcessed(state.iterations() * k * n * 4);
}

// A depthwise layer, all its rows.
void run_dwconv(benchmark::State& state, const KernelInfo* kernel, int64_t size, int64_t channels,
                int64_t window, int64_t stride) {
  const int64_t out = (size - 1) / stride + 1;
  AlignedBuffer in(static_cast<size_t>(size * size * channels * 4)),
      w(static_cast<size_t>(window * window * channels * 4));
  AlignedBuffer c(static_cast<size_t>(out * out * channels * 4));
  for (int64_t i = 0; i < size * size * channels; ++i) in.as<float>()[i] = 1;
  for (int64_t i = 0; i < window * window * channels; ++i) w.as<float>()[i] = 1;
  cortex_dwconv_args args = {};
  args.input = in.data(), args.weights = w.data();
  args.channels = channels, args.outputs = out, args.w0 = -(window / 2);
  args.in_d = args.kd = 1, args.in_h = args.in_w = size, args.kh = args.kw = window;
  args.stride_w = stride, args.dilation_d = args.dilation_h = args.dilation_w = 1;
  args.in_stride_w = args.w_stride_w = args.out_stride = channels * 4;
  args.in_stride_h = size * channels * 4, args.w_stride_h = window * channels * 4;
  args.flags = CORTEX_TILE_EPILOGUE;
  args.epilogue.activation = CORTEX_ACTIVATION_RELU;
  args.output = c.data(), args.rows = out, args.stride_h = stride, args.h0 = -(window / 2);
  args.out_stride_h = out * channels * 4;
  const auto layer = [&] { kernel->dwconv(&args); };
  layer();
  const float middle = c.as<float>()[((out / 2) * out + out / 2) * channels];
  if (middle != static_cast<float>(window * window)) state.SkipWithError("wrong result");
  for (auto _ : state) layer();
  report(state, *kernel, out * out, channels, window * window);
}

void register_all() {
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (!supports(kernel.isa) || kernel.kr > 1) continue;
    const std::string name(kernel.name);
    if (kernel.op == KernelOp::dwconv) {
      const int64_t layers[][4] = {{112, 32, 3, 1}, {56, 144, 3, 2}, {28, 192, 3, 1},
                                   {14, 576, 3, 1}, {7, 960, 3, 1},  {14, 576, 3, 2},
                                   {28, 240, 5, 1}, {14, 672, 5, 2}, {28, 384, 7, 1}};
      for (const auto& [size, channels, window, stride] : layers) {
        benchmark::RegisterBenchmark(
            fmt::format("{}/{}x{}/k{}s{}", name, size, channels, window, stride).c_str(), run_dwconv, &kernel,
            size, channels, window, stride);
      }
      continue;
    }
    for (int64_t k : {16, 64, 256, 1024}) {
      benchmark::RegisterBenchmark(fmt::format("{}/L1/k{}", name, k).c_str(), run_tile, &kernel, kernel.mr,
                                   kernel.nr, k, places[0], -1);
    }
    for (size_t i = 1; i < std::size(places); ++i) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}/k256", name, places[i].name).c_str(), run_tile, &kernel,
                                   kernel.mr, kernel.nr, int64_t{256}, places[i], -1);
    }
    benchmark::RegisterBenchmark(fmt::format("{}/L1/k256/masked", name).c_str(), run_tile, &kernel, kernel.mr,
                                 kernel.nr - 1, int64_t{256}, places[0], -1);
    benchmark::RegisterBenchmark(fmt::format("{}/L1/k64/bias_relu", name).c_str(), run_tile, &kernel,
                                 kernel.mr, kernel.nr, int64_t{64}, places[0],
                                 int32_t{CORTEX_ACTIVATION_RELU});
    benchmark::RegisterBenchmark(fmt::format("{}/L1/k64/bias_gelu_erf", name).c_str(), run_tile, &kernel,
                                 kernel.mr, kernel.nr, int64_t{64}, places[0],
                                 int32_t{CORTEX_ACTIVATION_GELU_ERF});
    benchmark::RegisterBenchmark(fmt::format("{}/cost", name).c_str(), run_cost, &kernel)->Iterations(1);
  }
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (!supports(isa)) continue;
    const char* activations[] = {"none", "relu", "clip", "sigmoid", "tanh", "gelu_erf", "gelu_tanh"};
    for (int32_t a = CORTEX_ACTIVATION_RELU; a <= CORTEX_ACTIVATION_GELU_TANH; ++a) {
      if (a == CORTEX_ACTIVATION_CLIP) continue;
      benchmark::RegisterBenchmark(fmt::format("activate_{}/{}", isa_name(isa), activations[a]).c_str(),
                                   run_activation, isa, a);
    }
    const std::pair<const char*, PackCase> cases[] = {
        {"row_major", PackCase::row_major}, {"transposed", PackCase::transposed}, {"halo", PackCase::halo}};
    for (const auto& [name, which] : cases) {
      benchmark::RegisterBenchmark(fmt::format("pack_{}/{}", isa_name(isa), name).c_str(), run_pack, isa,
                                   which)
          ->Args({56, 3584})
          ->Args({256, 256})
          ->Args({1024, 1024});
    }
  }
}

}  // namespace
}  // namespace cortex

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  using namespace cortex;
  const Rates& r = rates(detected_isa());
  benchmark::AddCustomContext("core_GHz", fmt::format("{:.2f}", r.hertz / 1e9));
  benchmark::AddCustomContext("fma_per_cycle", fmt::format("{:.2f}", r.fma_per_cycle));
  benchmark::AddCustomContext("cpu", cpu_brand());
  register_all();
  benchmark::RunSpecifiedBenchmarks();
}
