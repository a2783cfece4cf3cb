#include <fmt/format.h>
#include <libxsmm.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "bench/backends/buffer.h"
#include "bench/backends/epilogue.h"
#include "bench/backends/team.h"
#include "bench/backends/trial.h"
#include "bench/backends/xsmm_internal.h"
#include "bench/reference/shapes.h"
#include "support/checked.h"

namespace cortex::bench::xsmm {
namespace {

// C is cut in bm x bn blocks; a block is one batch-reduce call per kc of K, of kc/bk steps, plus one call for
// what bk leaves over. LIBXSMM is column-major: its m is our n, its A our B.
struct Blocking {
  int64_t bm = 32, bn = 64, bk = 64, kc = 1 << 30;
  bool columns_outer = true;
  bool pack_b = true;  // B in panels [K][bn]; otherwise read in place
  int threads = 1;     // as many as asked for, or one where waking others costs more than they bring
};

using Reduce = libxsmm_smmfunction_reducebatch_strd;

class MatmulInstance : public Instance {
 public:
  MatmulInstance(const Request& request, const Operands& operands)
      : problem_(*request.problem),
        m_(problem_.matmul()),
        batches_(matmul_batches(m_)),
        operands_(operands),
        threads_(1),
        pack_each_time_(request.plain),
        a_(operands.a.size(), 0),
        b_(operands.b.size(), 1),
        packed_(operands.b.size(), 3),
        c_(static_cast<std::size_t>(c_elements(problem_)) * sizeof(float), 2) {
    if (!ready()) return;
    std::memcpy(a_.data(), operands.a.data(), a_.bytes());
    std::memcpy(b_.data(), operands.b.data(), b_.bytes());
    info_.isa = libxsmm_get_target_arch();
    info_.kernel = "brgemm";
    info_.layout = pack_each_time_ ? "plain" : "packed";
  }

  bool ready() const { return a_.data() && b_.data() && packed_.data() && c_.data(); }

  // False when LIBXSMM has no kernel for it.
  bool use(const Blocking& blocking) {
    const double start = now_ns();
    blocking_ = blocking;
    threads_ = blocking.threads;
    if (!dispatch()) return false;
    info_.create_ns = now_ns() - start;
    if (blocking.pack_b) {
      const double pack_start = now_ns();
      run_on_team(threads_, [&](int t) { pack(t); });
      info_.pack_ns = pack_each_time_ ? 0 : now_ns() - pack_start;
    }
    info_.schedule = fmt::format("bm{} bn{} bk{} kc{} {}{} threads {}", blocking.bm, blocking.bn, blocking.bk,
                                 std::min(blocking.kc, m_.k), blocking.columns_outer ? "columns" : "rows",
                                 blocking.pack_b ? "" : " B in place", threads_);
    return true;
  }

  void execute() override {
    run_on_team(threads_, [&](int t) {
      if (blocking_.pack_b && pack_each_time_) {
        pack(t);
        if (threads_ > 1) {
#pragma omp barrier
        }
      }
      multiply(t);
    });
    apply_epilogue(problem_.epilogue, c_.floats(), c_elements(problem_) / m_.n, m_.n,
                   operands_.bias.as<float>(), operands_.residual.as<float>());
  }
  void prepare_output() override {
    std::fill(c_.floats(), c_.floats() + c_.bytes() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    std::memcpy(out, c_.data(), c_.bytes());
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return b_in_use().range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {a_.range(), b_in_use().range(), c_.range()};
  }

 private:
  const BenchBuffer& b_in_use() const { return blocking_.pack_b && !pack_each_time_ ? packed_ : b_; }
  int64_t blocks_m() const { return ceil_div(m_.m, blocking_.bm); }
  int64_t blocks_n() const { return ceil_div(m_.n, blocking_.bn); }

  bool dispatch() {
    const bool in_place = !blocking_.pack_b;
    for (int tail_n = 0; tail_n < 2; ++tail_n) {
      for (int tail_m = 0; tail_m < 2; ++tail_m) {
        const int64_t n = tail_n ? m_.n % blocking_.bn : std::min(blocking_.bn, m_.n);
        const int64_t m = tail_m ? m_.m % blocking_.bm : std::min(blocking_.bm, m_.m);
        for (int tail_k = 0; tail_k < 2; ++tail_k) {
          const int64_t k = tail_k ? m_.k % blocking_.bk : std::min(blocking_.bk, m_.k);
          for (int add = 0; add < 2; ++add) {
            Reduce& kernel = kernels_[tail_n][tail_m][tail_k][add];
            kernel = nullptr;
            if (n == 0 || m == 0 || k == 0) continue;
            const auto lda = static_cast<libxsmm_blasint>(in_place ? m_.n : n);
            const auto ldb = static_cast<libxsmm_blasint>(m_.a_transposed ? m_.m : m_.k);
            const auto ldc = static_cast<libxsmm_blasint>(m_.n);
            const float alpha = 1, beta = static_cast<float>(add);
            const int flags = m_.a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
            const int64_t step_b = blocking_.bk * (m_.a_transposed ? m_.m : 1);
            kernel = libxsmm_smmdispatch_reducebatch_strd(
                static_cast<libxsmm_blasint>(n), static_cast<libxsmm_blasint>(m),
                static_cast<libxsmm_blasint>(k), static_cast<libxsmm_blasint>(blocking_.bk * lda * 4),
                static_cast<libxsmm_blasint>(step_b * 4), &lda, &ldb, &ldc, &alpha, &beta, &flags, nullptr);
            if (!kernel) return false;
          }
        }
      }
    }
    return true;
  }

  void pack(int thread) {
    const int64_t panels = blocks_n() * (b_elements(problem_) / (m_.k * m_.n));
    for (int64_t p = panels * thread / threads_; p < panels * (thread + 1) / threads_; ++p) {
      const int64_t batch = p / blocks_n(), n0 = p % blocks_n() * blocking_.bn;
      const int64_t width = std::min(blocking_.bn, m_.n - n0);
      const float* src = b_.floats() + batch * m_.k * m_.n;
      float* dst = packed_.floats() + batch * m_.k * m_.n + n0 * m_.k;
      if (m_.b_transposed) {
        for (int64_t k = 0; k < m_.k; ++k) {
          for (int64_t j = 0; j < width; ++j) dst[k * width + j] = src[(n0 + j) * m_.k + k];
        }
      } else {
        for (int64_t k = 0; k < m_.k; ++k)
          std::memcpy(dst + k * width, src + k * m_.n + n0, width * sizeof(float));
      }
    }
  }

  void multiply(int thread) {
    const int64_t rows = blocks_m(), columns = blocks_n(), blocks = batches_.count * rows * columns;
    const int64_t first = blocks * thread / threads_, last = blocks * (thread + 1) / threads_;
    const int64_t kc = std::max(blocking_.bk, blocking_.kc / blocking_.bk * blocking_.bk);
    for (int64_t k0 = 0; k0 < m_.k; k0 += kc) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t inner = i % (rows * columns);
        const int64_t row = blocking_.columns_outer ? inner % rows : inner / columns;
        const int64_t column = blocking_.columns_outer ? inner / rows : inner % columns;
        block(i / (rows * columns), row * blocking_.bm, column * blocking_.bn, k0, std::min(kc, m_.k - k0));
      }
    }
  }

  void block(int64_t batch, int64_t m0, int64_t n0, int64_t k0, int64_t depth) {
    const int64_t width = std::min(blocking_.bn, m_.n - n0);
    const int tail_n = width < std::min(blocking_.bn, m_.n),
              tail_m = m_.m - m0 < std::min(blocking_.bm, m_.m);
    const float* b_batch = (blocking_.pack_b ? packed_ : b_).floats() + batches_.index_b[batch] * m_.k * m_.n;
    const int64_t ld = blocking_.pack_b ? width : m_.n;
    const float* b = b_batch + (blocking_.pack_b ? n0 * m_.k : n0) + k0 * ld;
    const float* a = a_.floats() + batches_.index_a[batch] * m_.m * m_.k;
    const int64_t a_step = m_.a_transposed ? m_.m : 1;
    a += (m_.a_transposed ? m0 : m0 * m_.k) + k0 * a_step;
    float* c = c_.floats() + (batch * m_.m + m0) * m_.n + n0;
    unsigned long long count = static_cast<unsigned long long>(depth / blocking_.bk);
    int add = k0 > 0;
    if (count > 0) {
      kernels_[tail_n][tail_m][0][add](b, a, c, &count);
      add = 1;
    }
    if (depth % blocking_.bk == 0) return;
    const int64_t done = depth / blocking_.bk * blocking_.bk;
    count = 1;
    kernels_[tail_n][tail_m][1][add](b + done * ld, a + done * a_step, c, &count);
  }

  const Problem& problem_;
  const MatmulProblem& m_;
  MatmulBatches batches_;
  const Operands& operands_;
  int threads_;
  bool pack_each_time_;
  BenchBuffer a_, b_, packed_, c_;
  Blocking blocking_;
  std::array<std::array<std::array<std::array<Reduce, 2>, 2>, 2>, 2> kernels_{};
};

// Register tiles of LIBXSMM's generator fill the vector registers at these widths and multiples of heights.
std::vector<Blocking> blockings(const MatmulProblem& m, Isa isa, int threads) {
  std::vector<std::array<int64_t, 2>> tiles = {{64, 24}, {64, 48}, {48, 36}, {32, 28}, {32, 56}, {16, 28}};
  if (isa < Isa::avx512) tiles = {{16, 24}, {16, 48}, {24, 24}, {32, 24}, {8, 24}, {64, 24}};
  std::vector<Blocking> all;
  for (const auto& [bn, bm] : tiles) {
    Blocking b;
    b.threads = threads;
    b.bn = std::min(bn, m.n);
    b.bm = std::min(bm, m.m);
    b.bk = std::min<int64_t>(m.k, m.k % 64 == 0 ? 64 : 128);
    all.push_back(b);
  }
  if (m.m <= 64) {
    all[0].bm = m.m;
    all.push_back(all[3]);
    all.back().bm = m.m;
  }
  return all;
}

}  // namespace

Result<std::unique_ptr<Instance>> create_matmul(const Request& request, const Operands& operands) {
  const MatmulProblem& m = request.problem->matmul();
  if (!can_apply_epilogue(request.problem->epilogue)) return unsupported("LIBXSMM has no such epilogue");
  auto instance = std::make_unique<MatmulInstance>(request, operands);
  if (!instance->ready()) return Error{ErrorCode::out_of_memory, "LIBXSMM: out of memory for the operands"};

  Blocking best;
  double best_ns = 1e300;
  const auto attempt = [&](const Blocking& blocking) {
    if (!instance->use(blocking)) return;
    const double took = trial_ns([&] { instance->execute(); });
    if (took >= best_ns) return;
    best_ns = took;
    best = blocking;
  };
  // Tiles first, then one change at a time to the best so far.
  for (const Blocking& blocking : blockings(m, request.isa, request.threads)) attempt(blocking);
  if (best_ns == 1e300) {
    return unsupported(
        fmt::format("LIBXSMM generates no kernel for this matmul on {}", libxsmm_get_target_arch()));
  }
  const auto vary = [&](auto change) {
    Blocking varied = best;
    change(varied);
    attempt(varied);
  };
  vary([](Blocking& b) { b.columns_outer = !b.columns_outer; });
  if (m.k > 768) vary([](Blocking& b) { b.kc = 512; });
  if (m.k <= 1024) vary([&](Blocking& b) { b.bk = m.k; });
  if (!m.b_transposed) {
    vary([](Blocking& b) { b.pack_b = false; });
    if (m.m <= 128 && m.n <= 128 && m.k <= 128) {  // one kernel call for everything
      attempt({.bm = m.m, .bn = m.n, .bk = m.k, .kc = m.k, .columns_outer = true, .pack_b = false});
    }
  }
  if (request.threads > 1) vary([](Blocking& b) { b.threads = 1; });
  if (!instance->use(best)) return internal_error("LIBXSMM refuses a kernel that it generated before");
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace cortex::bench::xsmm
