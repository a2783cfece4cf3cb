#include "bench/rank/stage.h"

#include <fmt/format.h>

#include <cstring>

#include "bench/reference/elements.h"
#include "bench/reference/shapes.h"

namespace cortex::bench {
namespace {

// What the packed weights look like depends on the roles, the panel's width and form: all that follows the
// bar, but for the rows of the register tile.
std::string weights_layout(const std::string& schedule) {
  std::string text = schedule.substr(schedule.find('|'));
  const std::size_t x = text.find('x');  // "brgemm_f32_f32_f32_<rows>x<columns>x1_avx512"
  const std::size_t digits = x == std::string::npos ? x : text.find_last_not_of("0123456789", x - 1);
  if (digits != std::string::npos) text.erase(digits + 1, x - digits - 1);
  return text;
}

Error no_memory() { return {ErrorCode::out_of_memory, "out of memory for the operands"}; }

}  // namespace

Result<std::unique_ptr<Stage>> Stage::make(const Problem& problem, const cortex_context* context,
                                           const cortex_thread_pool* pool, int threads, bool plain,
                                           uint64_t seed) {
  std::unique_ptr<Stage> stage(new Stage(problem, pool));
  stage->context_ = context;
  stage->threads_ = threads;
  stage->plain_ = plain && problem.is_matmul();
  cortex_message message;
  cortex_problem* raw = nullptr;
  if (cortex_status s = cortex_problem_parse(to_string(problem).c_str(), &raw, &message); s)
    return failure(s, message);
  stage->handle_.reset(raw);
  Result<Operands> operands = make_operands(problem, seed);
  if (!operands) return operands.error();
  stage->operands_ = std::move(*operands);
  ReferenceOptions reference;
  reference.seed = seed;
  stage->reference_.emplace(problem, stage->operands_, reference);
  return stage;
}

Status Stage::pack(const cortex_plan* plan, const std::string& layout, int64_t bytes) {
  BenchBuffer& buffer = weights_[layout];
  if (buffer.data()) return Status::success();
  buffer = BenchBuffer(static_cast<std::size_t>(bytes), 1);
  if (!buffer.data()) return no_memory();
  if (layout == "plain") {
    encode(problem_.wei, operands_.b_data(), b_elements(problem_), buffer.data());
    return Status::success();
  }
  std::vector<std::byte> weights(static_cast<std::size_t>(b_elements(problem_) * size_of(problem_.wei)));
  encode(problem_.wei, operands_.b_data(), b_elements(problem_), weights.data());
  cortex_message message;
  if (cortex_status s = cortex_plan_pack_weights(plan, weights.data(), buffer.data(), &message); s)
    return failure(s, message);
  return Status::success();
}

Result<int> Stage::add(const std::string& schedule) {
  cortex_plan_options options{};
  options.struct_size = sizeof options;
  options.threads = threads_;
  if (problem_.is_conv()) {
    options.src_layout = options.dst_layout = CORTEX_LAYOUT_NATIVE;
    options.weights_layout = CORTEX_WEIGHTS_GHWIO;
  }
  options.weights_handling = plain_ ? CORTEX_WEIGHTS_PLAIN : CORTEX_WEIGHTS_PREPACKED;
  options.kernel = CORTEX_KERNEL_INTERPRETED;
  options.schedule = schedule.c_str();
  cortex_message message;
  cortex_plan* raw = nullptr;
  if (cortex_status s = cortex_plan_create(context_, handle_.get(), &options, &raw, &message); s)
    return failure(s, message);
  Entry entry;
  entry.plan.reset(raw);
  cortex_plan_info info{};
  info.struct_size = sizeof info;
  if (cortex_status s = cortex_plan_query(raw, &info, &message); s) return failure(s, message);
  if (!src_.data()) {
    src_ = BenchBuffer(static_cast<std::size_t>(info.src_bytes), 0);
    dst_ = BenchBuffer(static_cast<std::size_t>(info.dst_bytes), 2);
    bias_ = BenchBuffer(static_cast<std::size_t>(info.bias_bytes), 3);
    if (!src_.data() || !dst_.data() || !bias_.data()) return no_memory();
    encode(problem_.src, operands_.a_data(), a_elements(problem_), src_.data());
    std::memcpy(bias_.data(), operands_.bias.data(), bias_.bytes());
  }
  const bool packed = !plain_ && info.packed_weights_bytes > 0;
  const std::string layout = packed ? weights_layout(info.schedule) : "plain";
  if (Status s = pack(raw, layout, packed ? info.packed_weights_bytes : info.weights_bytes); !s)
    return s.error();
  const auto need = static_cast<std::size_t>(info.scratch_bytes);
  if (need > 0 && (scratch_.empty() || scratch_.back().bytes() < need)) {
    scratch_.emplace_back(need, 3);
    if (!scratch_.back().data()) return no_memory();
  }
  entry.args.struct_size = sizeof entry.args;
  entry.args.src = src_.data();
  entry.args.weights = weights_[layout].data();
  entry.args.bias = info.bias_bytes ? bias_.floats() : nullptr;
  entry.args.scale = problem_.epilogue.scale ? operands_.scale.as<float>() : nullptr;
  entry.args.residual = info.residual_bytes ? dst_.data() : nullptr;
  entry.args.dst = dst_.data();
  entry.args.scratch = need > 0 ? scratch_.back().data() : nullptr;
  entry.args.pool = pool_;
  entries_.push_back(std::move(entry));
  return static_cast<int>(entries_.size()) - 1;
}

void Stage::execute(int variant) const {
  const Entry& entry = entries_[static_cast<std::size_t>(variant)];
  cortex_plan_execute(entry.plan.get(), &entry.args, nullptr);
}

Status Stage::check(int variant) {
  std::memset(dst_.data(), 0xff, dst_.bytes());  // NaN
  const Entry& entry = entries_[static_cast<std::size_t>(variant)];
  const int64_t outputs = c_elements(problem_);
  if (entry.args.residual) encode(problem_.dst, operands_.residual.as<float>(), outputs, dst_.data());
  cortex_message message;
  if (cortex_status s = cortex_plan_execute(entry.plan.get(), &entry.args, &message); s)
    return failure(s, message);
  if (problem_.dst != DataType::f32) {
    result_.resize(static_cast<std::size_t>(outputs));
    decode(problem_.dst, dst_.data(), outputs, result_.data());
  }
  const Verdict verdict = reference_->check(problem_.dst == DataType::f32 ? dst_.floats() : result_.data());
  if (verdict.ok()) return Status::success();
  return internal_error(
      fmt::format("wrong result: error ratio {:.3g} at {}", verdict.error_ratio, verdict.where));
}

std::vector<std::span<const std::byte>> Stage::operands(int variant) const {
  const void* weights = entries_[static_cast<std::size_t>(variant)].args.weights;
  for (const auto& [layout, buffer] : weights_) {
    if (buffer.data() == weights) return {src_.range(), buffer.range(), dst_.range(), bias_.range()};
  }
  return {src_.range(), dst_.range(), bias_.range()};
}

}  // namespace cortex::bench
