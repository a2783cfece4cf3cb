#include "bench/fuzz/run_case.h"

#include <cortex/cortex.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "bench/fuzz/layouts.h"
#include "bench/reference/elements.h"
#include "bench/reference/prune.h"
#include "bench/reference/reference.h"
#include "support/checked.h"
#include "support/testing/guarded_buffer.h"

namespace cortex::bench {
namespace {

using testing::GuardedBuffer;
using testing::Side;

void fill_nan(const GuardedBuffer& buffer) { std::memset(buffer.data(), 0xff, buffer.size()); }

// From now on a write to it crashes.
void make_read_only(const GuardedBuffer& buffer) {
  if (buffer.size() == 0) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(buffer.data()) / page * page;
  const auto last = reinterpret_cast<std::uintptr_t>(buffer.data()) + buffer.size();
  mprotect(reinterpret_cast<void*>(first), last - first, PROT_READ);
}

// An activation of the plan beside the reference's NHWC (matmul: both as the problem says).
struct Activation {
  DataType type;
  int64_t count, batch, points, channels, images, block;

  // visit(element in the reference layout, element in the plan's)
  template <typename Visit>
  void each(Visit visit) const {
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t p = 0; p < points; ++p)
        for (int64_t c = 0; c < channels; ++c)
          visit((n * points + p) * channels + c,
                cortex_activation_element(n, c, p, channels, points, images, block));
  }
  void to_plan(const float* reference, void* out) const {
    std::vector<float> ordered(reference, reference + count);
    each([&](int64_t from, int64_t to) { ordered[to] = reference[from]; });
    encode(type, ordered.data(), count, out);
  }
  std::vector<char> to_reference(const char* from) const {
    const int64_t size = size_of(type);
    std::vector<char> out(from, from + count * size);
    each([&](int64_t to, int64_t at) { std::memcpy(&out[to * size], from + at * size, size); });
    return out;
  }
  bool is(ActivationLayout layout) const {
    return batch == 0 || layout == ActivationLayout::native ||
           (images == 1 && block == (layout == ActivationLayout::nhwc ? 1 : points));
  }
};

Activation source_of(const Problem& p, const cortex_plan_info& info) {
  if (!p.is_conv()) return {p.src, a_elements(p), 0, 0, 0, 1, 1};
  const ConvProblem& c = p.conv();
  return {p.src, a_elements(p), c.mb, c.id * c.ih * c.iw, c.ic, info.src_images, info.src_block};
}
Activation destination_of(const Problem& p, const cortex_plan_info& info) {
  if (!p.is_conv()) return {p.dst, c_elements(p), 0, 0, 0, 1, 1};
  const ConvProblem& c = p.conv();
  return {p.dst, c_elements(p), c.mb, c.od * c.oh * c.ow, c.oc, info.dst_images, info.dst_block};
}

// With the zeros of the case.
Result<Operands> operands_of(const FuzzCase& c) {
  Result<Operands> operands = make_operands(c.problem, c.seed);
  if (!operands || c.zeros.structure == WeightStructure::dense) return operands;
  if (c.sparsity == 1) {
    std::fill_n(operands->b.as<float>(), b_elements(c.problem), 0.0f);
    return operands;
  }
  if (const Result<double> kept = prune_operands(c.problem, c.zeros, c.sparsity, *operands); !kept)
    return kept.error();
  return operands;
}

int32_t api_layout(ActivationLayout layout) {
  switch (layout) {
    case ActivationLayout::native:
      return CORTEX_LAYOUT_NATIVE;
    case ActivationLayout::nhwc:
      return CORTEX_LAYOUT_NHWC;
    case ActivationLayout::nchw:
      return CORTEX_LAYOUT_NCHW;
  }
  return 0;
}

int32_t api_layout(WeightsLayout layout) {
  switch (layout) {
    case WeightsLayout::as_problem:
      return CORTEX_WEIGHTS_DEFAULT;
    case WeightsLayout::oihw:
      return CORTEX_WEIGHTS_OIHW;
    case WeightsLayout::hwio:
      return CORTEX_WEIGHTS_HWIO;
    case WeightsLayout::ghwio:
      return CORTEX_WEIGHTS_GHWIO;
    case WeightsLayout::kn:
      return CORTEX_WEIGHTS_KN;
    case WeightsLayout::nk:
      return CORTEX_WEIGHTS_NK;
  }
  return 0;
}

CaseOutcome failed(std::string message) { return {false, 0, std::move(message)}; }

CaseOutcome failed(const char* what, cortex_status status, const cortex_message& message) {
  return failed(fmt::format("{}: {}: {}", what, cortex_status_string(status), message.text));
}

}  // namespace

// A case's operands and answer: the same for every instruction set it runs on.
struct Answer {
  FuzzCase c;
  Operands operands;
  std::unique_ptr<Reference> reference;
  std::vector<char> integers;  // what the first instruction set gave for 8-bit factors: all must
};

struct CaseRunner::State {
  std::unique_ptr<Answer> answer;
  std::map<Isa, cortex_context*> contexts;
  std::map<int, cortex_thread_pool*> pools;

  ~State() {
    for (auto& [threads, pool] : pools) cortex_thread_pool_destroy(pool);
    for (auto& [isa, context] : contexts) cortex_context_destroy(context);
  }
  Result<Answer*> answer_of(const FuzzCase& c) {
    if (answer && answer->c.seed == c.seed && problem_key(answer->c.problem) == problem_key(c.problem)) {
      return answer.get();
    }
    Result<Operands> operands = operands_of(c);
    if (!operands) return operands.error();
    answer = std::make_unique<Answer>();
    answer->c = c;
    answer->operands = std::move(*operands);
    ReferenceOptions all;
    all.full_check_flops = std::numeric_limits<double>::infinity();
    answer->reference = std::make_unique<Reference>(answer->c.problem, answer->operands, all);
    return answer.get();
  }
  cortex_context* context(Isa isa) {
    cortex_context*& context = contexts[isa];
    if (!context) {
      cortex_context_options options{};
      options.struct_size = sizeof options;
      options.max_isa = isa_name(isa);
      cortex_context_create(&options, &context, nullptr);
    }
    return context;
  }
  cortex_thread_pool* pool(int threads) {
    if (threads == 1) return nullptr;
    cortex_thread_pool*& pool = pools[threads];
    if (!pool) cortex_thread_pool_create(threads, &pool, nullptr);
    return pool;
  }
};

CaseRunner::CaseRunner() : state_(std::make_unique<State>()) {}
CaseRunner::~CaseRunner() = default;

CaseOutcome CaseRunner::run(const FuzzCase& c, Isa isa) {
  cortex_message message{};
  const std::string text = to_string(c.problem);
  if (Status s = validate(c.problem); !s)
    return failed("the generator made an invalid problem: " + s.error().message);
  Result<Problem> back = parse_problem(text);
  if (!back) return failed("its text does not read back: " + back.error().message);
  if (problem_key(*back) != problem_key(c.problem))
    return failed("its text reads back as another problem: " + text);

  cortex_context* context = state_->context(isa);
  if (!context) return failed("no context");
  cortex_problem* raw_problem = nullptr;
  if (cortex_status s = cortex_problem_parse(text.c_str(), &raw_problem, &message); s) {
    return failed("cortex_problem_parse", s, message);
  }
  const std::unique_ptr<cortex_problem, void (*)(cortex_problem*)> problem(raw_problem,
                                                                           cortex_problem_destroy);
  Result<Answer*> answer = state_->answer_of(c);
  if (!answer) return failed(answer.error().message);
  const Operands* operands = &(*answer)->operands;
  const Problem& p = c.problem;
  const auto side = [&](int bit) { return (c.guards >> bit) & 1 ? Side::before : Side::after; };
  const GuardedBuffer weights(static_cast<std::size_t>(b_elements(p) * size_of(p.wei)), side(1));
  std::vector<float> ordered(static_cast<std::size_t>(b_elements(p)));
  to_weights_layout(p, operands->b_data(), c.weights, ordered.data());
  encode(p.wei, ordered.data(), b_elements(p), weights.data());
  make_read_only(weights);
  cortex_plan_options options{};
  options.struct_size = sizeof options;
  options.threads = c.threads;
  options.src_layout = api_layout(c.src);
  options.dst_layout = api_layout(c.dst);
  options.weights_layout = api_layout(c.weights);
  options.weights_handling = c.plain ? CORTEX_WEIGHTS_PLAIN : CORTEX_WEIGHTS_PREPACKED;
  if (c.zeros.structure != WeightStructure::dense) {
    options.sparse_weights = weights.data();
    options.sparse_share = c.share;
  }
  cortex_plan* raw_plan = nullptr;
  if (cortex_status s = cortex_plan_create(context, raw_problem, &options, &raw_plan, &message); s) {
    return failed("cortex_plan_create", s, message);
  }
  const std::unique_ptr<cortex_plan, void (*)(cortex_plan*)> plan(raw_plan, cortex_plan_destroy);
  cortex_plan_info info{};
  info.struct_size = sizeof info;
  if (cortex_status s = cortex_plan_query(raw_plan, &info, &message); s)
    return failed("cortex_plan_query", s, message);

  const auto bytes = [](int64_t elements, DataType type) {
    return static_cast<std::size_t>(elements * size_of(type));
  };
  if (static_cast<std::size_t>(info.src_bytes) != bytes(a_elements(p), p.src) ||
      static_cast<std::size_t>(info.weights_bytes) != bytes(b_elements(p), p.wei) ||
      static_cast<std::size_t>(info.dst_bytes) != bytes(c_elements(p), p.dst)) {
    return failed("cortex_plan_query: operand sizes differ from the problem's");
  }
  const GuardedBuffer src(bytes(a_elements(p), p.src), side(0));
  const GuardedBuffer packed(static_cast<std::size_t>(info.packed_weights_bytes), side(2));
  const GuardedBuffer dst(bytes(c_elements(p), p.dst), side(3)), bias(operands->bias.size(), side(4));
  const GuardedBuffer residual(bytes(p.epilogue.residual ? c_elements(p) : 0, p.dst), side(5));
  const GuardedBuffer scale(operands->scale.size(), side(7));
  const GuardedBuffer scratch(static_cast<std::size_t>(round_up(info.scratch_bytes, 64)), side(6));

  const Activation source = source_of(p, info), destination = destination_of(p, info);
  if (!source.is(c.src) || !destination.is(c.dst)) {
    return failed(fmt::format("cortex_plan_query: layouts {} and {} are not those asked for", info.src_layout,
                              info.dst_layout));
  }
  source.to_plan(operands->a_data(), src.data());
  fill_nan(dst);
  fill_nan(scratch);
  if (p.epilogue.bias) std::memcpy(bias.data(), operands->bias.data(), bias.size());
  std::memcpy(scale.data(), operands->scale.data(), scale.size());
  const bool in_place = p.epilogue.residual && c.residual_in_place;
  if (p.epilogue.residual) {
    void* target = in_place ? dst.data() : residual.data();
    destination.to_plan(operands->residual.as<float>(), target);
  }
  for (const GuardedBuffer* input : {&src, &bias, &scale, &residual}) make_read_only(*input);

  const bool use_packed = !c.plain;
  if (use_packed) {
    fill_nan(packed);
    if (cortex_status s = cortex_plan_pack_weights(raw_plan, weights.data(), packed.data(), &message); s) {
      return failed("cortex_plan_pack_weights", s, message);
    }
    make_read_only(packed);
  }
  cortex_execute_args args{};
  args.struct_size = sizeof args;
  args.src = src.data();
  args.weights = use_packed ? packed.data() : weights.data();
  args.bias = p.epilogue.bias ? bias.as<float>() : nullptr;
  args.scale = p.epilogue.scale ? scale.as<float>() : nullptr;
  args.residual = !p.epilogue.residual ? nullptr : in_place ? dst.data() : residual.data();
  args.dst = dst.data();
  args.scratch = info.scratch_bytes > 0 ? scratch.data() : nullptr;
  args.pool = state_->pool(c.threads);
  args.src_bytes = info.src_bytes;
  args.weights_bytes = use_packed ? info.packed_weights_bytes : info.weights_bytes;
  args.dst_bytes = info.dst_bytes;
  args.scratch_bytes = static_cast<int64_t>(scratch.size());
  if (cortex_status s = cortex_plan_execute(raw_plan, &args, &message); s) {
    return failed("cortex_plan_execute", s, message);
  }

  const std::vector<char> elements = destination.to_reference(dst.as<char>());
  if (sum_type(p.src) == DataType::s32) {
    if ((*answer)->integers.empty()) (*answer)->integers = elements;
    if (elements != (*answer)->integers)
      return failed(fmt::format("another instruction set gave other integers; schedule {}", info.schedule));
  }
  std::vector<float> result(static_cast<std::size_t>(c_elements(p)));
  decode(p.dst, elements.data(), c_elements(p), result.data());
  const Verdict verdict = (*answer)->reference->check(result.data());
  if (verdict.ok()) return {true, verdict.error_ratio, {}};
  return {
      false, verdict.error_ratio,
      fmt::format("error ratio {:.3g}: {}; schedule {}", verdict.error_ratio, verdict.where, info.schedule)};
}

}  // namespace cortex::bench
