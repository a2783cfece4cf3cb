#include "runtime/testing/check_plan.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <random>

#include "support/testing/guarded_buffer.h"

namespace cortex::testing {

Handle<cortex_context> context_for(const char* max_isa) {
  cortex_context_options options = cortex_context_options_init();
  options.max_isa = max_isa;
  cortex_context* context = nullptr;
  cortex_context_create(&options, &context, nullptr);
  return Handle<cortex_context>(context);
}

Handle<cortex_problem> problem_of(const Problem& problem, cortex_message* message) {
  cortex_problem* out = nullptr;
  cortex_problem_parse(to_string(problem).c_str(), &out, message);
  return Handle<cortex_problem>(out);
}

Handle<cortex_thread_pool> pool_of(int threads) {
  cortex_thread_pool* pool = nullptr;
  cortex_thread_pool_create(threads, &pool, nullptr);
  return Handle<cortex_thread_pool>(pool);
}

namespace {

void fill(float* data, int64_t count, std::mt19937_64& random) {
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  for (int64_t i = 0; i < count; ++i) data[i] = value(random);
}

Outcome failed(std::string text) { return {std::move(text), 0}; }

class Check {
 public:
  Check(const Problem& problem, const cortex_plan_options& options, uint64_t seed)
      : problem_(problem), options_(options), random_(seed), side_(seed % 2 ? Side::before : Side::after) {}

  Outcome run(const cortex_context* context, const cortex_thread_pool* pool, bool in_place) {
    cortex_message message;
    const Handle<cortex_problem> handle = problem_of(problem_, &message);
    if (!handle) return failed(fmt::format("{}: {}", to_string(problem_), message.text));
    cortex_plan* raw = nullptr;
    if (cortex_plan_create(context, handle.get(), &options_, &raw, &message) != CORTEX_OK) {
      return failed(fmt::format("plan: {}", message.text));
    }
    const Handle<cortex_plan> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(raw, &info, nullptr);
    const std::string what = fmt::format("{} by {}: ", info.problem, info.schedule);

    const Epilogue& e = problem_.epilogue;
    const int64_t dst_count = dst_elements(problem_);
    GuardedBuffer src(bytes(src_elements(problem_)), side_),
        weights(bytes(weights_elements(problem_)), side_);
    GuardedBuffer bias(bytes(e.bias ? bias_elements(problem_) : 0), side_);
    GuardedBuffer residual(bytes(e.residual ? dst_count : 0), side_), dst(bytes(dst_count), side_);
    GuardedBuffer packed(static_cast<std::size_t>(info.packed_weights_bytes), side_);
    GuardedBuffer scratch(static_cast<std::size_t>(info.scratch_bytes), side_);
    if (info.src_bytes != static_cast<int64_t>(src.size()) ||
        info.dst_bytes != static_cast<int64_t>(dst.size()) ||
        info.weights_bytes != static_cast<int64_t>(weights.size()) ||
        info.bias_bytes != static_cast<int64_t>(bias.size()) ||
        info.residual_bytes != static_cast<int64_t>(residual.size())) {
      return failed(what + "the plan's sizes are not the problem's");
    }
    for (GuardedBuffer* buffer : {&src, &weights, &bias, &residual}) {
      fill(buffer->as<float>(), static_cast<int64_t>(buffer->size() / 4), random_);
    }
    if (const auto* kept = static_cast<const float*>(options_.sparse_weights)) {
      for (std::size_t i = 0; i < weights.size() / 4; ++i)
        if (kept[i] == 0.0f) weights.as<float>()[i] = 0.0f;
    }
    const std::vector<char> before = contents({&src, &weights, &bias, &residual});
    std::memset(packed.data(), 0xff, packed.size());
    const bool prepacked = options_.weights_handling == CORTEX_WEIGHTS_PREPACKED;
    if (prepacked && cortex_plan_pack_weights(raw, weights.data(), packed.data(), &message) != CORTEX_OK) {
      return failed(what + message.text);
    }

    cortex_execute_args args = cortex_execute_args_init();
    args.src = src.data(), args.src_bytes = info.src_bytes;
    args.weights = prepacked ? packed.data() : weights.data();
    args.weights_bytes = prepacked ? info.packed_weights_bytes : info.weights_bytes;
    args.bias = bias.as<float>(), args.bias_bytes = info.bias_bytes;
    args.residual = in_place ? dst.data() : residual.data(), args.residual_bytes = info.residual_bytes;
    args.dst = dst.data(), args.dst_bytes = info.dst_bytes;
    args.scratch = scratch.data(), args.scratch_bytes = info.scratch_bytes;
    args.pool = pool;
    Operands operands{src.as<float>(), weights.as<float>(), bias.as<float>(), residual.as<float>()};
    operands.src_layout = conv_layout(info.src_layout);
    operands.dst_layout = conv_layout(info.dst_layout);
    operands.weights_layout = weights_layout();
    // What the caller's layout is where the options leave it to the plan: the reference knows NHWC.
    std::vector<float> src_nhwc, residual_nhwc;
    const bool own = problem_.is_conv() && is_own(info.src_layout),
               own_out = problem_.is_conv() && is_own(info.dst_layout);
    if (own) {
      src_nhwc.resize(src.size() / 4);
      const ConvProblem& c = problem_.conv();
      for_each_element(c.mb, c.ic, c.id * c.ih * c.iw, info.src_images, info.src_block,
                       [&](std::size_t nhwc, std::size_t at) { src_nhwc[nhwc] = src.as<float>()[at]; });
      operands.src = src_nhwc.data();
      operands.src_layout = CORTEX_LAYOUT_NHWC;
    }
    std::vector<std::size_t> out_at(own_out ? static_cast<std::size_t>(dst_count) : 0);
    if (own_out) {
      const ConvProblem& c = problem_.conv();
      for_each_element(c.mb, c.oc, c.od * c.oh * c.ow, info.dst_images, info.dst_block,
                       [&](std::size_t nhwc, std::size_t at) { out_at[nhwc] = at; });
      if (e.residual) {
        for (const std::size_t at : out_at) residual_nhwc.push_back(residual.as<float>()[at]);
        operands.residual = residual_nhwc.data();
      }
      operands.dst_layout = CORTEX_LAYOUT_NHWC;
    }
    const Expected expected = reference(problem_, operands);

    Outcome outcome;
    for (int round = 0; round < 2 && outcome.ok(); ++round) {
      std::memset(dst.data(), 0xff, dst.size());  // NaN
      std::memset(scratch.data(), 0xff, scratch.size());
      if (in_place && e.residual) std::memcpy(dst.data(), residual.data(), dst.size());
      if (cortex_plan_execute(raw, &args, &message) != CORTEX_OK) return failed(what + message.text);
      for (int64_t i = 0; i < dst_count; ++i) {
        const double value = static_cast<double>(
            dst.as<float>()[own_out ? static_cast<int64_t>(out_at[static_cast<std::size_t>(i)]) : i]);
        const double want = expected.value[static_cast<std::size_t>(i)];
        const double ratio = std::fabs(value - want) / expected.tolerance[static_cast<std::size_t>(i)];
        if (!(ratio <= 1)) {
          return failed(fmt::format("{}element {} is {}, expected {} (tolerance {})", what, i, value, want,
                                    expected.tolerance[static_cast<std::size_t>(i)]));
        }
        outcome.error_ratio = std::max(outcome.error_ratio, ratio);
      }
    }
    if (contents({&src, &weights, &bias, &residual}) != before)
      return failed(what + "an input was written to");
    return outcome;
  }

 private:
  static std::size_t bytes(int64_t elements) { return static_cast<std::size_t>(elements) * sizeof(float); }

  static std::vector<char> contents(std::initializer_list<const GuardedBuffer*> buffers) {
    std::vector<char> all;
    for (const GuardedBuffer* b : buffers) {
      const char* data = b->as<char>();
      all.insert(all.end(), data, data + b->size());
    }
    return all;
  }

  // Neither NHWC nor NCHW as such: named by cortex_plan_info in numbers.
  static bool is_own(const char* layout) {
    return std::string_view(layout) != "ndhwc" && std::string_view(layout) != "ncdhw";
  }

  static cortex_layout conv_layout(const char* layout) {
    return std::string_view(layout) == "ncdhw" ? CORTEX_LAYOUT_NCHW : CORTEX_LAYOUT_NHWC;
  }

  cortex_weights_layout weights_layout() const {
    if (options_.weights_layout != CORTEX_WEIGHTS_DEFAULT) {
      return static_cast<cortex_weights_layout>(options_.weights_layout);
    }
    if (problem_.is_conv()) return CORTEX_WEIGHTS_OIHW;
    return problem_.matmul().b_transposed ? CORTEX_WEIGHTS_NK : CORTEX_WEIGHTS_KN;
  }

  const Problem& problem_;
  const cortex_plan_options& options_;
  std::mt19937_64 random_;
  Side side_;
};

}  // namespace

Outcome check_plan(const cortex_context* context, const Problem& problem, const cortex_plan_options& options,
                   const cortex_thread_pool* pool, uint64_t seed, bool in_place) {
  return Check(problem, options, seed).run(context, pool, in_place);
}

}  // namespace cortex::testing
