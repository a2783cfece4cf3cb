#include "runtime/testing/narrow_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "graph/problem/typed.h"
#include "polyopt/machine/machine.h"
#include "support/bf16.h"
#include "support/testing/seed.h"

namespace cortex::testing {
namespace {

float decode(DataType type, const char* p) {
  switch (type) {
    case DataType::bf16: {
      uint16_t half;
      std::memcpy(&half, p, 2);
      return from_bf16(half);
    }
    case DataType::u8:
      return *reinterpret_cast<const uint8_t*>(p);
    case DataType::s8:
      return *reinterpret_cast<const int8_t*>(p);
    case DataType::s32: {
      int32_t x;
      std::memcpy(&x, p, 4);
      return static_cast<float>(x);
    }
    default: {
      float x;
      std::memcpy(&x, p, 4);
      return x;
    }
  }
}

// Random elements, extremes among them, or `byte` everywhere; the same as floats.
std::vector<float> fill(GuardedBuffer& buffer, DataType type, Random& random, std::optional<int> byte = {}) {
  const auto size = static_cast<std::size_t>(size_of(type));
  std::vector<float> values;
  for (std::size_t at = 0; at < buffer.size(); at += size) {
    char* p = buffer.as<char>() + at;
    const float x = std::uniform_real_distribution<float>(-1, 1)(random);
    if (byte) {
      *p = static_cast<char>(*byte);
    } else if (type == DataType::bf16) {
      const uint16_t half = to_bf16(x);
      std::memcpy(p, &half, 2);
    } else if (type == DataType::f32) {
      std::memcpy(p, &x, 4);
    } else if (type == DataType::s32) {
      const int32_t whole = static_cast<int32_t>(x * 1000);
      std::memcpy(p, &whole, 4);
    } else {
      *p = static_cast<char>(pick(random, 0, 7) ? pick(random, 0, 255) : 255 * pick(random, 0, 1));
    }
    values.push_back(decode(type, p));
  }
  return values;
}

Types random_types(Random& random) {
  using enum DataType;
  const DataType dsts[] = {u8, s8, f32, s32};
  switch (pick(random, 0, 3)) {
    case 0:
      return {bf16, bf16, pick(random, 0, 1) ? bf16 : f32};
    case 1:
      return {s8, s8, dsts[pick(random, 0, 3)]};
    default:
      return {u8, s8, dsts[pick(random, 0, 3)]};
  }
}

}  // namespace

template <typename F>
void Narrow::for_each_src(const cortex_plan_info& info, F f) const {
  if (!problem_.is_conv()) return for_each_element(1, src_elements(problem_), 1, 1, 1, f);
  const ConvProblem& c = problem_.conv();
  for_each_element(c.mb, c.ic, c.id * c.ih * c.iw, info.src_images, info.src_block, f);
}

template <typename F>
void Narrow::for_each_dst(const cortex_plan_info& info, F f) const {
  if (!problem_.is_conv()) return for_each_element(1, dst_elements(problem_), 1, 1, 1, f);
  const ConvProblem& c = problem_.conv();
  for_each_element(c.mb, c.oc, c.od * c.oh * c.ow, info.dst_images, info.dst_block, f);
}

Narrow::Narrow(uint64_t seed, bool sparse) : random_(seed), sparse_(sparse) {
  problem_ = pick(random_, 0, 1) ? random_conv(random_) : random_matmul(random_);
  if (sparse) {
    while (!has_one_filter_matrix()) problem_ = random_conv(random_);
  }
  const Types types = random_types(random_);
  problem_.src = types.src, problem_.wei = types.wei, problem_.dst = types.dst;
  const bool integers = sum_type(types.src) == DataType::s32;
  problem_.epilogue.scale = integers && types.dst != DataType::s32 && pick(random_, 0, 3);
  if (integers && problem_.epilogue.activation > Activation::clip)
    problem_.epilogue.activation = Activation::relu;
  const auto zero_point = [&](DataType type) {
    if (!integers || pick(random_, 0, 2)) return 0;
    if (type == DataType::u8) return static_cast<int32_t>(pick(random_, 0, 255));
    return type == DataType::s8 ? static_cast<int32_t>(pick(random_, -128, 127)) : 0;
  };
  problem_.src_zero_point = zero_point(types.src);
  problem_.epilogue.zero_point = zero_point(types.dst);
  options_ = cortex_plan_options_init();
  options_.threads = static_cast<int32_t>(pick(random_, 1, 3));
  options_.weights_handling = static_cast<int32_t>(pick(random_, 0, 1));
  random_layouts(problem_, CORTEX_LAYOUT_NATIVE, random_, options_);
  side_ = pick(random_, 0, 1) ? Side::before : Side::after;
  if (!sparse) return;
  options_.weights_handling = CORTEX_WEIGHTS_PREPACKED;
  std::vector<int32_t> shares = {0, 1, 2, 4};
  if (types.src == DataType::bf16) shares.push_back(CORTEX_SPARSE_PATTERNS);
  if (problem_.is_matmul()) shares.push_back(CORTEX_SPARSE_BITMAP);
  options_.sparse_share =
      shares[static_cast<std::size_t>(pick(random_, 0, static_cast<int64_t>(shares.size()) - 1))];
  make_operands();
  options_.sparse_weights = weights_->data();
}

Narrow::Narrow(const char* line, const cortex_plan_options& options) : random_(7), options_(options) {
  const Result<Problem> problem = parse_problem(line);
  if (!problem) throw std::runtime_error(problem.error().message);
  problem_ = *problem;
}

Narrow::Narrow(const char* line, int32_t share, int percent, bool extremes) : Narrow(line) {
  sparse_ = true;
  extremes_ = extremes;
  percent_ = percent;
  options_.sparse_share = share;
  make_operands();
  options_.sparse_weights = weights_->data();
}

void Narrow::make_operands() {
  const auto bytes = [](int64_t count, DataType type) {
    return static_cast<std::size_t>(count * size_of(type));
  };
  src_ = std::make_unique<GuardedBuffer>(bytes(src_elements(problem_), problem_.src), side_);
  weights_ = std::make_unique<GuardedBuffer>(bytes(weights_elements(problem_), problem_.wei), side_);
  residual_ = std::make_unique<GuardedBuffer>(bytes(dst_elements(problem_), problem_.dst), side_);
  bias_ = std::make_unique<GuardedBuffer>(bytes(bias_elements(problem_), DataType::f32), side_);
  scale_ = std::make_unique<GuardedBuffer>(bias_->size(), side_);
  using Byte = std::optional<int>;
  const Byte largest = problem_.src == DataType::s8 ? 0x7f : 0xff;
  const std::vector<float> src = fill(*src_, problem_.src, random_, extremes_ ? largest : Byte());
  std::vector<float> weights = fill(*weights_, problem_.wei, random_, extremes_ ? Byte(0x80) : Byte());
  if (sparse_) {
    const int64_t percent = percent_ < 0 ? pick(random_, 0, 100) : percent_;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (pick(random_, 1, 100) <= percent) continue;
      weights[i] = 0;
      const std::size_t element = bytes(1, problem_.wei);
      std::memset(weights_->as<char>() + i * element, 0, element);
    }
  }
  const std::vector<float> residual = fill(*residual_, problem_.dst, random_);
  fill(*bias_, DataType::f32, random_);
  for (std::size_t i = 0; i < scale_->size() / 4; ++i) {
    scale_->as<float>()[i] = std::uniform_real_distribution<float>(0.0001f, 0.004f)(random_);
  }
  Operands operands{src.data(), weights.data(), bias_->as<float>(), residual.data()};
  operands.scale = scale_->as<float>();
  if (options_.weights_layout != CORTEX_WEIGHTS_DEFAULT) {
    operands.weights_layout = static_cast<cortex_weights_layout>(options_.weights_layout);
  } else if (problem_.is_matmul()) {
    operands.weights_layout = problem_.matmul().b_transposed ? CORTEX_WEIGHTS_NK : CORTEX_WEIGHTS_KN;
  }
  expected_ = reference(problem_, operands);
}

std::vector<char> Narrow::run(const cortex_context* context, const cortex_thread_pool* pool,
                              std::string& failure) {
  cortex_message message;
  cortex_problem* raw_problem = nullptr;
  if (cortex_problem_parse(text().c_str(), &raw_problem, &message))
    return failure = message.text, std::vector<char>();
  const Handle<cortex_problem> problem(raw_problem);
  cortex_plan* raw = nullptr;
  const cortex_status status = cortex_plan_create(context, raw_problem, &options_, &raw, &message);
  if (status == CORTEX_UNSUPPORTED) return {};
  if (status) return failure = message.text, std::vector<char>();
  const Handle<cortex_plan> plan(raw);
  cortex_plan_info info{};
  info.struct_size = sizeof info;
  cortex_plan_query(raw, &info, nullptr);
  if (!src_) make_operands();
  GuardedBuffer packed(static_cast<std::size_t>(info.packed_weights_bytes), side_);
  GuardedBuffer dst(static_cast<std::size_t>(info.dst_bytes), side_);
  GuardedBuffer src(src_->size(), side_), residual(residual_->size(), side_);
  const auto size = [](DataType type) { return static_cast<std::size_t>(size_of(type)); };
  const std::size_t element = size(problem_.dst);
  for_each_src(info, [&](std::size_t nhwc, std::size_t at) {
    std::memcpy(src.as<char>() + at * size(problem_.src), src_->as<char>() + nhwc * size(problem_.src),
                size(problem_.src));
  });
  for_each_dst(info, [&](std::size_t nhwc, std::size_t at) {
    std::memcpy(residual.as<char>() + at * element, residual_->as<char>() + nhwc * element, element);
  });
  GuardedBuffer scratch(static_cast<std::size_t>(info.scratch_bytes), side_);
  const bool prepacked = options_.weights_handling == CORTEX_WEIGHTS_PREPACKED;
  if (prepacked && cortex_plan_pack_weights(raw, weights_->data(), packed.data(), &message)) {
    return failure = message.text, std::vector<char>();
  }
  cortex_execute_args args = cortex_execute_args_init();
  args.src = src.data(), args.src_bytes = info.src_bytes;
  args.weights = prepacked ? packed.data() : weights_->data();
  args.bias = bias_->as<float>(), args.scale = scale_->as<float>();
  args.residual = residual.data(), args.residual_bytes = info.residual_bytes;
  args.dst = dst.data(), args.dst_bytes = info.dst_bytes;
  args.scratch = scratch.data();
  args.pool = pool;
  std::memset(dst.data(), 0xff, dst.size());
  if (cortex_plan_execute(raw, &args, &message)) return failure = message.text, std::vector<char>();
  std::vector<char> result(dst.size());
  for_each_dst(info, [&](std::size_t nhwc, std::size_t at) {
    std::memcpy(result.data() + nhwc * element, dst.as<char>() + at * element, element);
  });
  check(result, failure);
  if (!failure.empty()) failure += fmt::format(" ({})", info.schedule);
  return result;
}

bool Narrow::has_one_filter_matrix() const {
  if (problem_.is_conv()) return problem_.conv().g == 1;
  const MatmulProblem& m = problem_.matmul();
  return m.batch_a == m.batch_b && weights_elements(problem_) == m.k * m.n;
}

void Narrow::check(const std::vector<char>& dst, std::string& failure) const {
  const DataType type = problem_.dst;
  for (int64_t i = 0; i < dst_elements(problem_) && failure.empty(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double got = static_cast<double>(decode(type, dst.data() + i * size_of(type)));
    double want = expected_.value[at], allowed = expected_.tolerance[at];
    if (type == DataType::bf16) allowed += (std::fabs(want) + allowed) * 0x1p-8 + 1e-38;
    if (type == DataType::u8) want = std::min(std::max(want, 0.0), 255.0);
    if (type == DataType::s8) want = std::min(std::max(want, -128.0), 127.0);
    if (type == DataType::u8 || type == DataType::s8 || type == DataType::s32) allowed += 0.5;
    if (!(std::fabs(got - want) <= allowed)) {
      failure = fmt::format("element {} is {}, expected {} within {}", i, got, want, allowed);
    }
  }
}

EveryIsa::EveryIsa() {
  for (int i = 0; i < isa_count; ++i) {
    if (!supports(static_cast<Isa>(i))) continue;
    isas.push_back(static_cast<Isa>(i));
    contexts.push_back(context_for(isa_name(isas.back())));
  }
  if (isas.back() < Isa::avx512bf16) return;
  // There are kernels for fast and for slow products of pairs: this CPU's are one or the other.
  Machine machine = host_machine(isas.back());
  machine.bf16_dots_per_cycle = 2 * machine.bf16_dots_per_cycle > machine.fma_per_cycle ? 0 : 2;
  const std::string path = fmt::format("{}/other_dots_{}.json", ::testing::TempDir(), getpid());
  std::ofstream(path) << to_json(machine);
  cortex_context_options options = cortex_context_options_init();
  options.machine_path = path.c_str();
  cortex_context* raw = nullptr;
  cortex_message message;
  if (cortex_context_create(&options, &raw, &message)) throw std::runtime_error(message.text);
  isas.push_back(isas.back());
  contexts.emplace_back(raw);
}

int EveryIsa::check(Narrow& narrow, const cortex_thread_pool* pool) const {
  std::vector<char> first;
  int ran = 0;
  for (std::size_t isa = 0; isa < contexts.size(); ++isa) {
    std::string failure;
    const std::vector<char> result = narrow.run(contexts[isa].get(), pool, failure);
    EXPECT_EQ(failure, "") << isa_name(isas[isa]) << ": " << narrow.text();
    ran += !result.empty();
    if (isa == 0) first = result;
    if (narrow.text().find("bf16") == std::string::npos) {
      EXPECT_EQ(result, first) << "differs on " << isa_name(isas[isa]) << ": " << narrow.text();
    }
  }
  return ran;
}

void check_narrow(bool sparse) {
  const uint64_t seed = seed_from_environment(20250101);
  SCOPED_TRACE(fmt::format("CORTEX_TEST_SEED={}", seed));
  const EveryIsa all;
  const Handle<cortex_thread_pool> pool = pool_of(2);
  int ran = 0;
  for (uint64_t i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(fmt::format("case {}", i));
    Narrow narrow(seed + i, sparse);
    ran += all.check(narrow, pool.get());
  }
  EXPECT_GT(ran, 100 * static_cast<int>(all.contexts.size()));
}

}  // namespace cortex::testing
