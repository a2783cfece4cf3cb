// OpenBLAS: matmul by cblas_sgemm (sgemv for a single row or column), convolution by im2col and sgemm, the
// im2col counted. It has no prepacked weights; what it does with B it does in every call.
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "bench/backends/backend.h"
#include "bench/backends/buffer.h"
#include "bench/backends/epilogue.h"
#include "bench/backends/trial.h"
#include "bench/reference/shapes.h"

namespace cortex::bench {
namespace {

class OpenBlasInstance : public Instance {
 public:
  OpenBlasInstance(const Problem& problem, const Operands& operands)
      : problem_(problem),
        operands_(operands),
        a_(operands.a.size(), 0),
        b_(operands.b.size(), 1),
        c_(static_cast<std::size_t>(c_elements(problem)) * sizeof(float), 2) {
    if (!a_.data() || !b_.data() || !c_.data()) return;
    std::memcpy(a_.data(), operands.a.data(), a_.bytes());
    std::memcpy(b_.data(), operands.b.data(), b_.bytes());
    info_.isa = openblas_get_corename();
    info_.layout = problem.is_conv() ? "nhwc" : "plain";
    info_.kernel = problem.is_conv() ? "im2col + sgemm" : "sgemm";
    ready_ = true;
  }
  bool ready() const { return ready_; }
  void prepare_output() override {
    std::fill(c_.floats(), c_.floats() + c_.bytes() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    std::memcpy(out, c_.data(), c_.bytes());
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return b_.range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {a_.range(), b_.range(), c_.range()};
  }

 protected:
  void finish() {
    const int64_t columns = bias_elements(problem_);
    apply_epilogue(problem_.epilogue, c_.floats(), c_elements(problem_) / columns, columns,
                   operands_.bias.as<float>(), operands_.residual.as<float>());
  }

  const Problem& problem_;
  const Operands& operands_;
  BenchBuffer a_, b_, c_;
  bool ready_ = false;
};

blasint narrow(int64_t value) { return static_cast<blasint>(value); }

class MatmulInstance : public OpenBlasInstance {
 public:
  MatmulInstance(const Problem& problem, const Operands& operands)
      : OpenBlasInstance(problem, operands), m_(problem.matmul()), batches_(matmul_batches(m_)) {}

  void execute() override {
    for (int64_t i = 0; i < batches_.count; ++i) {
      const float* a = a_.floats() + batches_.index_a[i] * m_.m * m_.k;
      const float* b = b_.floats() + batches_.index_b[i] * m_.k * m_.n;
      float* c = c_.floats() + i * m_.m * m_.n;
      if (by_vector_) {
        vector_product(a, b, c);
      } else {
        cblas_sgemm(CblasRowMajor, m_.a_transposed ? CblasTrans : CblasNoTrans,
                    m_.b_transposed ? CblasTrans : CblasNoTrans, narrow(m_.m), narrow(m_.n), narrow(m_.k),
                    1.0f, a, narrow(m_.a_transposed ? m_.m : m_.k), b, narrow(m_.b_transposed ? m_.k : m_.n),
                    0.0f, c, narrow(m_.n));
      }
    }
    finish();
  }

  // sgemv instead of sgemm where the shape allows it and a trial says it is faster.
  void choose() {
    if (m_.m != 1 && m_.n != 1) return;
    const double general = trial_ns([&] { execute(); });
    by_vector_ = true;
    by_vector_ = trial_ns([&] { execute(); }) < general;
    if (by_vector_) info_.kernel = "sgemv";
  }

 private:
  void vector_product(const float* a, const float* b, float* c) const {
    if (m_.m == 1) {  // c' = B' a'
      cblas_sgemv(CblasRowMajor, m_.b_transposed ? CblasNoTrans : CblasTrans,
                  narrow(m_.b_transposed ? m_.n : m_.k), narrow(m_.b_transposed ? m_.k : m_.n), 1.0f, b,
                  narrow(m_.b_transposed ? m_.k : m_.n), a, 1, 0.0f, c, 1);
    } else {  // n = 1: c = A b
      cblas_sgemv(CblasRowMajor, m_.a_transposed ? CblasTrans : CblasNoTrans,
                  narrow(m_.a_transposed ? m_.k : m_.m), narrow(m_.a_transposed ? m_.m : m_.k), 1.0f, a,
                  narrow(m_.a_transposed ? m_.m : m_.k), b, 1, 0.0f, c, 1);
    }
  }

  const MatmulProblem& m_;
  MatmulBatches batches_;
  bool by_vector_ = false;
};

// One image and group at a time: patches [oh*ow][kh*kw*icg], times weights [kh*kw*icg][ocg].
class ConvInstance : public OpenBlasInstance {
 public:
  ConvInstance(const Problem& problem, const Operands& operands)
      : OpenBlasInstance(problem, operands), p_(problem.conv()), icg_(p_.ic / p_.g), ocg_(p_.oc / p_.g) {
    positions_ = p_.od * p_.oh * p_.ow;
    depth_ = p_.kd * p_.kh * p_.kw * icg_;
    direct_ = p_.kd * p_.kh * p_.kw == 1 && p_.sd * p_.sh * p_.sw == 1 && p_.pd == 0 && p_.ph == 0 &&
              p_.pw == 0 && positions_ == p_.id * p_.ih * p_.iw;
    if (direct_) {
      info_.kernel = "sgemm";
    } else {
      patches_ = BenchBuffer(static_cast<std::size_t>(positions_ * depth_) * sizeof(float), 3);
      ready_ = ready_ && patches_.data();
    }
  }

  void execute() override {
    const int64_t src_image = p_.id * p_.ih * p_.iw * p_.ic, dst_image = positions_ * p_.oc;
    // A 1x1 convolution is one product over all images, without any copy.
    const int64_t images = direct_ ? 1 : p_.mb, rows = direct_ ? p_.mb * positions_ : positions_;
    for (int64_t n = 0; n < images; ++n) {
      for (int64_t g = 0; g < p_.g; ++g) {
        const float* src = a_.floats() + n * src_image + g * icg_;
        if (!direct_) im2col(src);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, narrow(rows), narrow(ocg_), narrow(depth_),
                    1.0f, direct_ ? src : patches_.floats(), narrow(direct_ ? p_.ic : depth_),
                    b_.floats() + g * depth_ * ocg_, narrow(ocg_), 0.0f,
                    c_.floats() + n * dst_image + g * ocg_, narrow(p_.oc));
      }
    }
    finish();
  }

 private:
  void im2col(const float* src) {
    float* out = patches_.floats();
    const std::size_t pixel = static_cast<std::size_t>(icg_) * sizeof(float);
    for (int64_t od = 0; od < p_.od; ++od) {
      for (int64_t oh = 0; oh < p_.oh; ++oh) {
        for (int64_t ow = 0; ow < p_.ow; ++ow) {
          for (int64_t kd = 0; kd < p_.kd; ++kd) {
            const int64_t d = od * p_.sd - p_.pd + kd * (p_.dd + 1);
            for (int64_t kh = 0; kh < p_.kh; ++kh) {
              const int64_t h = oh * p_.sh - p_.ph + kh * (p_.dh + 1);
              const bool row_inside = d >= 0 && d < p_.id && h >= 0 && h < p_.ih;
              for (int64_t kw = 0; kw < p_.kw; ++kw, out += icg_) {
                const int64_t w = ow * p_.sw - p_.pw + kw * (p_.dw + 1);
                if (row_inside && w >= 0 && w < p_.iw) {
                  std::memcpy(out, src + ((d * p_.ih + h) * p_.iw + w) * p_.ic, pixel);
                } else {
                  std::memset(out, 0, pixel);
                }
              }
            }
          }
        }
      }
    }
  }

  const ConvProblem& p_;
  int64_t icg_, ocg_, positions_ = 0, depth_ = 0;
  bool direct_ = false;
  BenchBuffer patches_;
};

class OpenBlas : public Backend {
 public:
  std::string name() const override { return "openblas"; }
  std::string version() const override {
    const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 ..."
    const std::size_t at = config.find(' ');
    return at == std::string::npos ? config : config.substr(at + 1, config.find(' ', at + 1) - at - 1);
  }
  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands& operands) override {
    openblas_set_num_threads(request.threads);
    const Problem& problem = *request.problem;
    if (c_elements(problem) > std::numeric_limits<blasint>::max()) {
      return unsupported("OpenBLAS here takes 32-bit sizes");
    }
    if (!can_apply_epilogue(problem.epilogue)) return unsupported("OpenBLAS has no such epilogue");
    std::unique_ptr<OpenBlasInstance> instance;
    if (problem.is_conv()) {
      const ConvProblem& c = problem.conv();
      if (c.g > 1 && c.ic / c.g == 1)
        return unsupported("im2col and sgemm make no sense of a depthwise convolution");
      instance = std::make_unique<ConvInstance>(problem, operands);
    } else {
      instance = std::make_unique<MatmulInstance>(problem, operands);
    }
    if (!instance->ready())
      return Error{ErrorCode::out_of_memory, "OpenBLAS: out of memory for the operands"};
    if (problem.is_matmul()) static_cast<MatmulInstance*>(instance.get())->choose();
    return std::unique_ptr<Instance>(std::move(instance));
  }
};

}  // namespace

Result<std::unique_ptr<Backend>> make_openblas(Isa) {
  return std::unique_ptr<Backend>(std::make_unique<OpenBlas>());
}

}  // namespace cortex::bench
