// LIBXSMM's sparse kernels: convolutions that are a product with their 1x1 window, and matmuls, of weights
// with zeros. Activations lie channels first, points (or rows of a matmul's A) side by side.
#include "bench/backends/xsmm_sparse.h"

#include <fmt/format.h>
#include <libxsmm.h>

#include <algorithm>
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

// Channels out x channels in times channels in x points, and where each element is in the reference layout.
struct Shape {
  int64_t out = 0, in = 0, points = 0;
  int64_t weight_out = 0, weight_in = 0;     // strides of the weights
  std::vector<int64_t> source, destination;  // of a point's first channel
  int64_t source_channel = 1;                // stride of a source's channels; a destination's is 1
};

Shape shape_of(const Problem& problem) {
  Shape s;
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    s = {c.oc, c.ic, c.mb * c.od * c.oh * c.ow, 1, c.oc, {}, {}, 1};
    for (int64_t p = 0; p < s.points; ++p) {
      s.source.push_back(p * c.ic);
      s.destination.push_back(p * c.oc);
    }
    return s;
  }
  const MatmulProblem& m = problem.matmul();
  const MatmulBatches batches = matmul_batches(m);
  s = {m.n, m.k, batches.count * m.m,     m.b_transposed ? m.k : 1, m.b_transposed ? 1 : m.n,
       {},  {},  m.a_transposed ? m.m : 1};
  for (int64_t p = 0; p < s.points; ++p) {
    const int64_t matrix = batches.index_a[p / m.m] * m.m * m.k, row = p % m.m;
    s.source.push_back(matrix + row * (m.a_transposed ? 1 : m.k));
    s.destination.push_back(p * m.n);
  }
  return s;
}

SparseRows compress(const Shape& s, const float* weights) {
  SparseRows a{s.out, s.in, {0}, {}, {}};
  for (int64_t row = 0; row < s.out; ++row) {
    for (int64_t k = 0; k < s.in; ++k) {
      const float value = weights[row * s.weight_out + k * s.weight_in];
      if (value == 0) continue;
      a.index.push_back(static_cast<unsigned>(k));
      a.values.push_back(value);
    }
    a.first.push_back(static_cast<unsigned>(a.index.size()));
  }
  return a;
}

class SparseInstance : public Instance {
 public:
  SparseInstance(const Request& request, const Operands& operands)
      : problem_(*request.problem),
        operands_(operands),
        threads_(request.threads),
        shape_(shape_of(problem_)),
        a_(compress(shape_, operands.b_data())),
        columns_(round_up(shape_.points, 16)),
        b_(bytes_of(shape_.in), 0),
        c_(bytes_of(shape_.out), 2),
        residual_(problem_.epilogue.residual ? bytes_of(shape_.out) : 1, 3) {
    info_.isa = libxsmm_get_target_arch();
  }
  bool ready() const { return b_.data() && c_.data() && residual_.data(); }

  // The fastest of all ways; false where LIBXSMM refuses every one.
  bool choose(Isa isa) {
    double best_ns = std::numeric_limits<double>::infinity();
    std::unique_ptr<SparseProduct> best;
    double create_ns = 0;
    for (const MakeProduct& make : sparse_products(a_, columns_, isa, threads_)) {
      const double start = now_ns();
      product_ = make();
      const double made_ns = now_ns() - start;
      if (!product_) continue;
      lay_out();
      const double took = trial_ns([&] { execute(); });
      if (took >= best_ns) continue;
      best_ns = took;
      create_ns = made_ns;
      best = std::move(product_);
    }
    product_ = std::move(best);
    if (!product_) return false;
    lay_out();
    info_.create_ns = create_ns;
    info_.kernel = product_->kernel();
    info_.schedule = product_->variant();
    info_.layout = fmt::format("channels x {} points", panels().width);
    return true;
  }

  void execute() override {
    run_on_team(threads_, [&](int thread) {
      product_->run(thread, threads_, b_.floats(), c_.floats(),
                    [&](int64_t panel, int64_t row, int64_t rows) { finish(panel, row, rows); });
    });
  }
  void prepare_output() override {
    std::fill(c_.floats(), c_.floats() + c_.bytes() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    for (int64_t p = 0; p < shape_.points; ++p)
      for (int64_t r = 0; r < shape_.out; ++r)
        out[shape_.destination[p] + r] = c_.floats()[panels().offset(r, shape_.out, p)];
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return std::as_bytes(std::span(a_.values)); }
  std::vector<std::span<const std::byte>> weight_ranges() const override { return product_->weights(); }
  std::vector<std::span<const std::byte>> operands() const override {
    std::vector<std::span<const std::byte>> all = weight_ranges();
    all.push_back(b_.range());
    all.push_back(c_.range());
    return all;
  }

 private:
  std::size_t bytes_of(int64_t rows) const {
    return static_cast<std::size_t>(rows * columns_) * sizeof(float);
  }
  const Panels& panels() const { return product_->panels(); }

  void lay_out() {
    std::memset(b_.data(), 0, b_.bytes());
    for (int64_t p = 0; p < shape_.points; ++p) {
      for (int64_t k = 0; k < shape_.in; ++k) {
        b_.floats()[panels().offset(k, shape_.in, p)] =
            operands_.a_data()[shape_.source[p] + k * shape_.source_channel];
      }
      if (!problem_.epilogue.residual) continue;
      for (int64_t r = 0; r < shape_.out; ++r) {
        residual_.floats()[panels().offset(r, shape_.out, p)] =
            operands_.residual.as<float>()[shape_.destination[p] + r];
      }
    }
  }

  // A row of a panel is a channel: its bias is one number.
  void finish(int64_t panel, int64_t first, int64_t rows) const {
    Epilogue e = problem_.epilogue;
    if (e.empty()) return;
    const int64_t width = panels().width_of(panel);
    const bool bias = std::exchange(e.bias, false);
    for (int64_t row = first; row < first + rows; ++row) {
      const int64_t at = panels().offset(row, shape_.out, panel * panels().width);
      float* const c = c_.floats() + at;
      if (bias) {
        const float value = operands_.bias.as<float>()[row];
        for (int64_t j = 0; j < width; ++j) c[j] += value;
      }
      apply_epilogue(e, c, 1, width, nullptr, residual_.floats() + at);
    }
  }

  const Problem& problem_;
  const Operands& operands_;
  int threads_;
  Shape shape_;
  SparseRows a_;
  int64_t columns_;
  BenchBuffer b_, c_, residual_;
  std::unique_ptr<SparseProduct> product_;
};

Status check_problem(const Problem& problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    if (c.kd * c.kh * c.kw > 1) return unsupported("LIBXSMM multiplies sparse weights of 1x1 windows alone");
    if (c.id != c.od || c.ih != c.oh || c.iw != c.ow || c.sd * c.sh * c.sw > 1 || c.pd + c.ph + c.pw > 0)
      return unsupported("LIBXSMM's sparse product takes every point: windows 1 apart, no padding");
    if (c.g > 1) return unsupported("LIBXSMM's sparse product has no groups");
  } else {
    const MatmulProblem& m = problem.matmul();
    if (std::any_of(m.batch_b.begin(), m.batch_b.end(), [](int64_t extent) { return extent > 1; }))
      return unsupported("LIBXSMM's sparse product has one matrix of weights, not one per batch");
  }
  if (!can_apply_epilogue(problem.epilogue)) return unsupported("LIBXSMM has no such epilogue");
  if (std::max({a_elements(problem), b_elements(problem), c_elements(problem)}) >
      std::numeric_limits<int>::max() / 16) {
    return unsupported("LIBXSMM's sparse product takes 32-bit sizes");
  }
  return Status::success();
}

class XsmmSparse : public Backend {
 public:
  explicit XsmmSparse(Isa isa) : isa_(isa) {}
  std::string name() const override { return "xsmm-sparse"; }
  std::string version() const override { return LIBXSMM_VERSION; }
  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands& operands) override {
    if (Status s = check_problem(*request.problem); !s) return s.error();
    if (isa_ < Isa::avx2) return unsupported("LIBXSMM's sparse product needs AVX2");
    const float* const b = operands.b_data();
    if (std::find(b, b + b_elements(*request.problem), 0.0f) == b + b_elements(*request.problem))
      return unsupported("no weight is zero (see --weights): measure xsmm");
    auto instance = std::make_unique<SparseInstance>(request, operands);
    if (!instance->ready()) return Error{ErrorCode::out_of_memory, "LIBXSMM: out of memory for the operands"};
    if (!instance->choose(isa_)) {
      return unsupported(
          fmt::format("LIBXSMM generates no sparse kernel for this on {}", libxsmm_get_target_arch()));
    }
    return std::unique_ptr<Instance>(std::move(instance));
  }

 private:
  Isa isa_;
};

}  // namespace
}  // namespace cortex::bench::xsmm

namespace cortex::bench {

Result<std::unique_ptr<Backend>> make_xsmm(Isa isa);

Result<std::unique_ptr<Backend>> make_xsmm_sparse(Isa isa) {
  if (Result<std::unique_ptr<Backend>> library = make_xsmm(isa); !library) return library.error();
  return std::unique_ptr<Backend>(std::make_unique<xsmm::XsmmSparse>(f32_isa(isa)));
}

}  // namespace cortex::bench
