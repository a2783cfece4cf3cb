// Cortex, through its public C API alone: native layouts, weights packed ahead of time, its own thread pool.
#include <cortex/cortex.h>
#include <cortex/recursive.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "bench/backends/backend.h"
#include "bench/backends/buffer.h"
#include "bench/backends/cortex_handles.h"
#include "bench/backends/cortex_library.h"
#include "bench/backends/cortex_recursive.h"
#include "bench/measure/clock.h"
#include "bench/reference/elements.h"
#include "bench/reference/shapes.h"

namespace cortex::bench {
namespace {

std::vector<std::byte> encoded(DataType type, const float* values, int64_t count) {
  std::vector<std::byte> out(static_cast<std::size_t>(count * size_of(type)));
  encode(type, values, count, out.data());
  return out;
}

class CortexInstance : public Instance {
 public:
  CortexInstance(const Problem& problem, const Operands& operands, PlanHandle plan,
                 const cortex_thread_pool* pool)
      : problem_(problem), operands_(operands), plan_(std::move(plan)), pool_(pool) {}

  Status bind(bool plain, bool sparse) {
    cortex_message message;
    cortex_plan_info plan_info{};
    plan_info.struct_size = sizeof plan_info;
    if (cortex_status s = cortex_plan_query(plan_.get(), &plan_info, &message); s) return failure(s, message);
    const bool packed = !plain && plan_info.packed_weights_bytes > 0;
    src_ = BenchBuffer(static_cast<std::size_t>(plan_info.src_bytes), 0);
    weights_ = BenchBuffer(
        static_cast<std::size_t>(packed ? plan_info.packed_weights_bytes : plan_info.weights_bytes), 1);
    dst_ = BenchBuffer(static_cast<std::size_t>(plan_info.dst_bytes), 2);
    bias_ = BenchBuffer(static_cast<std::size_t>(plan_info.bias_bytes), 3);
    scratch_ = BenchBuffer(static_cast<std::size_t>(plan_info.scratch_bytes), 3);
    if (!src_.data() || !weights_.data() || !dst_.data() || !bias_.data() || !scratch_.data()) {
      return Error{ErrorCode::out_of_memory, "out of memory for the operands"};
    }
    dst_images_ = plan_info.dst_images;
    dst_block_ = plan_info.dst_block;
    if (problem_.is_conv() && (plan_info.src_block > 1 || plan_info.src_images > 1)) {
      const ConvProblem& c = problem_.conv();
      for_each_element(c.mb, c.ic, c.id * c.ih * c.iw, plan_info.src_images, plan_info.src_block,
                       [&](int64_t nhwc, int64_t native) {
                         encode(problem_.src, operands_.a_data() + nhwc, 1,
                                element(problem_.src, src_, native));
                       });
    } else {
      encode(problem_.src, operands_.a_data(), a_elements(problem_), src_.data());
    }
    const std::vector<std::byte> b = encoded(problem_.wei, operands_.b_data(), b_elements(problem_));
    scale_ = BenchBuffer(operands_.scale.size(), 3);
    if (!scale_.data()) return Error{ErrorCode::out_of_memory, "out of memory for the operands"};
    std::memcpy(scale_.data(), operands_.scale.data(), scale_.bytes());
    std::memcpy(bias_.data(), operands_.bias.data(), bias_.bytes());
    if (packed) {
      const double start = now_ns();
      cortex_status s = cortex_plan_pack_weights(plan_.get(), b.data(), weights_.data(), &message);
      info_.pack_ns = now_ns() - start;
      if (s) return failure(s, message);
    } else {
      std::memcpy(weights_.data(), b.data(), weights_.bytes());
    }
    args_.struct_size = sizeof args_;
    args_.src = src_.data();
    args_.weights = weights_.data();
    args_.bias = plan_info.bias_bytes ? bias_.floats() : nullptr;
    args_.scale = problem_.epilogue.scale ? scale_.floats() : nullptr;
    args_.residual = plan_info.residual_bytes ? dst_.data() : nullptr;  // in place, as peers have it
    args_.dst = dst_.data();
    args_.scratch = plan_info.scratch_bytes ? scratch_.data() : nullptr;
    args_.pool = pool_;
    if (cortex_status s = cortex_plan_execute(plan_.get(), &args_, &message); s) return failure(s, message);
    info_.isa = plan_info.isa;
    info_.kernel = plan_info.generated ? "generated" : sparse ? plan_info.kernel : "interpreted";
    info_.schedule = plan_info.schedule;
    info_.layout = plan_info.src_layout;
    info_.predicted_seconds = plan_info.predicted_seconds;
    return Status::success();
  }
  void set_create_ns(double ns) { info_.create_ns = ns; }

  void execute() override { cortex_plan_execute(plan_.get(), &args_, nullptr); }
  void prepare_output() override {
    std::memset(dst_.data(), 0xff, dst_.bytes());  // NaN
    if (!args_.residual) return;
    if (has_own_layout()) {
      for_each_output([&](int64_t nhwc, int64_t native) {
        encode(problem_.dst, operands_.residual.as<float>() + nhwc, 1, element(problem_.dst, dst_, native));
      });
    } else {
      encode(problem_.dst, operands_.residual.as<float>(), c_elements(problem_), dst_.data());
    }
  }
  Status read_result(float* out) override {
    if (has_own_layout()) {
      for_each_output([&](int64_t nhwc, int64_t native) {
        decode(problem_.dst, element(problem_.dst, dst_, native), 1, out + nhwc);
      });
      return Status::success();
    }
    decode(problem_.dst, dst_.data(), c_elements(problem_), out);
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return weights_.range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {src_.range(), weights_.range(), dst_.range(), bias_.range()};
  }

 private:
  bool has_own_layout() const {
    return problem_.is_conv() && dst_block_ > 0 && (dst_block_ > 1 || dst_images_ > 1);
  }

  // f(element in NHWC, element in the plan's layout), see cortex_plan_info.
  template <typename F>
  static void for_each_element(int64_t batch, int64_t channels, int64_t points, int64_t images, int64_t block,
                               F f) {
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t p = 0; p < points; ++p)
          f((n * points + p) * channels + c,
            cortex_activation_element(n, c, p, channels, points, images, block));
  }
  template <typename F>
  void for_each_output(F f) const {
    const ConvProblem& c = problem_.conv();
    for_each_element(c.mb, c.oc, c.od * c.oh * c.ow, dst_images_, dst_block_, f);
  }
  static char* element(DataType type, const BenchBuffer& buffer, int64_t at) {
    return static_cast<char*>(buffer.data()) + at * size_of(type);
  }

  const Problem& problem_;
  const Operands& operands_;
  PlanHandle plan_;
  const cortex_thread_pool* pool_;
  int64_t dst_images_ = 0, dst_block_ = 0;
  BenchBuffer src_, weights_, dst_, bias_, scale_, scratch_;
  cortex_execute_args args_{};
};

class Cortex : public Backend {
 public:
  explicit Cortex(const char* name) : name_(name) {}
  Status start(Isa isa) {
    cortex_context_options options{};
    options.struct_size = sizeof options;
    options.max_isa = isa_name(isa);
    cortex_context* context = nullptr;
    cortex_message message;
    if (cortex_status s = cortex_context_create(&options, &context, &message); s) return failure(s, message);
    context_.reset(context);
    for (const cortex_kernel_library* library : built_in_libraries()) {
      if (cortex_status s = cortex_context_add_library(context, library, &message); s)
        return failure(s, message);
    }
    for (const cortex_cell_library* cells : built_in_cells()) {
      if (cortex_status s = cortex_context_add_cells(context, cells, &message); s) return failure(s, message);
    }
    return Status::success();
  }

  std::string name() const override { return name_; }
  std::string version() const override {
    const int v = cortex_version();
    return fmt::format("{}.{}.{}", v / 10000, v / 100 % 100, v % 100);
  }

  Status add_library(const std::string& file) override {
    Result<const cortex_kernel_library*> library = load_library(file);
    if (!library) return library.error();
    cortex_message message;
    if (cortex_status s = cortex_context_add_library(context_.get(), *library, &message); s)
      return failure(s, message);
    return Status::success();
  }

  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands& operands) override {
    cortex_message message;
    cortex_problem* raw_problem = nullptr;
    const std::string text = to_string(*request.problem);
    if (cortex_status s = cortex_problem_parse(text.c_str(), &raw_problem, &message); s)
      return failure(s, message);
    const ProblemHandle problem(raw_problem);

    cortex_plan_options options{};
    options.struct_size = sizeof options;
    options.threads = request.threads;
    if (request.problem->is_conv()) {
      options.src_layout = options.dst_layout = CORTEX_LAYOUT_NATIVE;
      options.weights_layout = CORTEX_WEIGHTS_GHWIO;
    }
    options.weights_handling = request.plain ? CORTEX_WEIGHTS_PLAIN : CORTEX_WEIGHTS_PREPACKED;
    options.kernel = request.kernel == KernelChoice::generated     ? CORTEX_KERNEL_GENERATED
                     : request.kernel == KernelChoice::interpreted ? CORTEX_KERNEL_INTERPRETED
                                                                   : CORTEX_KERNEL_AUTO;
    options.schedule = request.schedule.empty() ? nullptr : request.schedule.c_str();
    std::vector<std::byte> weights;
    if (request.sparse) {
      weights = encoded(request.problem->wei, operands.b_data(), b_elements(*request.problem));
      options.sparse_weights = weights.data();
      options.sparse_share = request.sparse_share;
    }
    const double start = now_ns();
    cortex_plan* raw_plan = nullptr;
    if (cortex_status s = cortex_plan_create(context_.get(), problem.get(), &options, &raw_plan, &message);
        s) {
      return failure(s, message);
    }
    const double create_ns = now_ns() - start;
    Result<const cortex_thread_pool*> pool = pool_of(request.threads);
    if (!pool) return pool.error();
    auto instance = std::make_unique<CortexInstance>(*request.problem, operands, PlanHandle(raw_plan), *pool);
    if (Status s = instance->bind(request.plain, request.sparse); !s) return s.error();
    if (request.problem->is_conv() && !request.sparse && instance->info().layout != "ndhwc") {
      return internal_error(fmt::format("native layout {} is new to cortex-bench", instance->info().layout));
    }
    instance->set_create_ns(create_ns);
    return std::unique_ptr<Instance>(std::move(instance));
  }

  Result<std::unique_ptr<Instance>> create_recursive(const RecursiveRequest& request) override {
    return create_cortex_recursive(context_.get(), request);
  }
  Result<std::unique_ptr<Instance>> create_rnn(const RnnRequest& request) override {
    return create_cortex_rnn(context_.get(), request);
  }

 private:
  Result<const cortex_thread_pool*> pool_of(int threads) {
    if (threads == 1) return static_cast<const cortex_thread_pool*>(nullptr);
    PoolHandle& pool = pools_[threads];
    if (!pool) {
      cortex_thread_pool* made = nullptr;
      cortex_message message;
      if (cortex_status s = cortex_thread_pool_create(threads, &made, &message); s)
        return failure(s, message);
      pool.reset(made);
    }
    return static_cast<const cortex_thread_pool*>(pool.get());
  }

  const char* name_;
  ContextHandle context_;
  std::map<int, PoolHandle> pools_;
};

}  // namespace

namespace {

Result<std::unique_ptr<Backend>> make_named(Isa isa, const char* name) {
  auto backend = std::make_unique<Cortex>(name);
  if (Status s = backend->start(isa); !s) return s.error();
  return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace

Result<std::unique_ptr<Backend>> make_cortex(Isa isa) { return make_named(isa, "cortex"); }

// The same, that multiplies with zeros too: what pruned weights are measured against.
Result<std::unique_ptr<Backend>> make_cortex_dense(Isa isa) { return make_named(isa, "cortex-dense"); }

}  // namespace cortex::bench
