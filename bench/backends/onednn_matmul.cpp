#include <fmt/format.h>

#include <functional>
#include <limits>

#include "bench/backends/onednn_primitive.h"
#include "bench/backends/trial.h"
#include "bench/measure/clock.h"
#include "bench/reference/shapes.h"

namespace cortex::bench::onednn {
namespace {

Dims matrix_strides(const std::vector<int64_t>& batch, int64_t rows, int64_t columns, bool transposed) {
  Dims strides = {transposed ? 1 : columns, transposed ? rows : 1};
  int64_t stride = rows * columns;
  for (std::size_t i = batch.size(); i-- > 0;) {
    strides.insert(strides.begin(), stride);
    stride *= batch[i];
  }
  return strides;
}

Desc matrix(const std::vector<int64_t>& batch, int64_t rows, int64_t columns, bool transposed,
            DataType type) {
  Dims dims(batch.begin(), batch.end());
  dims.push_back(rows);
  dims.push_back(columns);
  return strided(dims, matrix_strides(batch, rows, columns, transposed), type);
}

// Plain: f32 as the reference has them, or of the problem's types.
Tensors tensors(const Problem& problem, bool typed) {
  const MatmulProblem& m = problem.matmul();
  const auto type = [&](DataType t) { return typed ? t : DataType::f32; };
  const std::vector<int64_t> batch_c = matmul_batches(m).dims;
  Tensors t;
  t.src = matrix(m.batch_a, m.m, m.k, m.a_transposed, type(problem.src));
  t.weights = matrix(m.batch_b, m.k, m.n, m.b_transposed, type(problem.wei));
  t.dst = matrix(batch_c, m.m, m.n, false, type(problem.dst));
  if (problem.epilogue.bias)
    t.bias = matrix(std::vector<int64_t>(batch_c.size(), 1), 1, m.n, false, DataType::f32);
  return t;
}

// oneDNN's BLAS-like entry, beside its matmul primitive: sometimes the faster one on plain matrices.
class SgemmInstance : public Instance {
 public:
  SgemmInstance(const MatmulProblem& m, const Operands& operands)
      : m_(m),
        a_(operands.a.size(), 0),
        b_(operands.b.size(), 1),
        c_(static_cast<std::size_t>(m.m * m.n) * sizeof(float), 2) {
    if (!a_.data() || !b_.data() || !c_.data()) throw std::bad_alloc();
    std::copy_n(operands.a_data(), operands.a.size() / sizeof(float), a_.floats());
    std::copy_n(operands.b_data(), operands.b.size() / sizeof(float), b_.floats());
    info_.isa = effective_isa();
    info_.kernel = "dnnl_sgemm";
    info_.layout = "plain";
  }
  void execute() override {
    dnnl_sgemm(m_.a_transposed ? 'T' : 'N', m_.b_transposed ? 'T' : 'N', m_.m, m_.n, m_.k, 1.0f, a_.floats(),
               m_.a_transposed ? m_.m : m_.k, b_.floats(), m_.b_transposed ? m_.k : m_.n, 0.0f, c_.floats(),
               m_.n);
  }
  void prepare_output() override {
    std::fill(c_.floats(), c_.floats() + m_.m * m_.n, std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    std::copy_n(c_.floats(), m_.m * m_.n, out);
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return b_.range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {a_.range(), b_.range(), c_.range()};
  }

 private:
  const MatmulProblem& m_;
  BenchBuffer a_, b_, c_;
};

std::unique_ptr<Instance> make_primitive(Device& device, const Request& request, const Operands& operands,
                                         bool packed) {
  const Problem& p = *request.problem;
  const Tensors user = tensors(p, false), typed = tensors(p, true);
  InstanceInfo info;
  const double start = now_ns();
  const auto pd =
      describe_matmul(device.engine, typed.src, packed ? with_any_layout(user.weights, p.wei) : typed.weights,
                      typed.bias, typed.dst, attributes(p, operands));
  const dnnl::matmul primitive(pd);
  info.create_ns = now_ns() - start;
  info.isa = effective_isa();
  info.kernel = pd.impl_info_str();
  info.layout = packed ? "packed" : "plain";
  auto bound = std::make_unique<Bound>(device, primitive, user, pd.src_desc(), pd.weights_desc(),
                                       pd.dst_desc(), *request.problem, operands);
  info.pack_ns = packed ? bound->pack_ns() : 0;
  return std::make_unique<PrimitiveInstance>(std::move(bound), std::move(info));
}

}  // namespace

Result<std::unique_ptr<Instance>> create_matmul(Device& device, const Request& request,
                                                const Operands& operands) {
  if (Status s = has_exact_products(*request.problem, request.isa); !s) return s.error();
  std::vector<std::function<std::unique_ptr<Instance>()>> ways;
  if (!request.plain) ways.push_back([&] { return make_primitive(device, request, operands, true); });
  ways.push_back([&] { return make_primitive(device, request, operands, false); });
  const MatmulProblem& m = request.problem->matmul();
  if (request.problem->src == DataType::f32 && matmul_batches(m).count == 1 &&
      request.problem->epilogue.empty()) {
    ways.push_back([&] { return std::make_unique<SgemmInstance>(m, operands); });
  }
  std::unique_ptr<Instance> best;
  double best_ns = 1e300;
  std::string reason = "no implementation";
  for (const auto& make : ways) {
    try {
      std::unique_ptr<Instance> candidate = make();
      const double took = trial_ns([&] { candidate->execute(); });
      if (took >= best_ns) continue;
      best_ns = took;
      best = std::move(candidate);
    } catch (const dnnl::error& e) {
      reason = e.what();
    } catch (const std::bad_alloc&) {
      reason = "out of memory";
    }
  }
  if (!best) return unsupported(fmt::format("oneDNN refuses the matmul: {}", reason));
  return best;
}

}  // namespace cortex::bench::onednn
