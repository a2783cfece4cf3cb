#include "generators/compress/kernels.h"

#include <cortex/cortex.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "graph/compress/npy.h"
#include "support/bf16.h"

namespace cortex {
namespace {

struct Destroy {
  void operator()(cortex_context* c) const { cortex_context_destroy(c); }
  void operator()(cortex_problem* p) const { cortex_problem_destroy(p); }
  void operator()(cortex_plan* p) const { cortex_plan_destroy(p); }
};

Error failure(const cortex_message& message) { return invalid_argument(message.text); }

// A matrix is also the weights of a convolution with windows of one point.
Status check_shape(const std::string& text, const Layer& layer) {
  Result<Problem> problem = parse_problem(text);
  if (!problem) return problem.error();
  if (problem->is_conv() && problem->conv().g != 1)
    return unsupported(fmt::format("--problem {}: grouped convolutions have no kernels for zeros", text));
  const Result<Layer> wanted = random_layer(*problem, 0);
  if (!wanted) return wanted.error();
  std::vector<int64_t> have = layer.shape, want = wanted->shape;
  while (have.size() > 2 && have.back() == 1) have.pop_back();
  while (want.size() > 2 && want.back() == 1) want.pop_back();
  if (have == want) return Status::success();
  return invalid_argument(fmt::format("{} has shape [{}], but the weights of --problem {} have [{}]",
                                      layer.name, fmt::join(layer.shape, ", "), text,
                                      fmt::join(wanted->shape, ", ")));
}

// As elements of the type. Of integers, whose scales nobody has given, the zeros alone are right: forecasts
// read no more.
std::vector<char> as_elements(const std::vector<float>& values, DataType type) {
  const auto size = static_cast<std::size_t>(size_of(type));
  std::vector<char> elements(values.size() * size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    char* const to = elements.data() + i * size;
    if (type == DataType::f32) {
      std::memcpy(to, &values[i], 4);
    } else if (type == DataType::bf16) {
      const uint16_t half = to_bf16(values[i]);
      std::memcpy(to, &half, 2);
    } else {
      *to = values[i] != 0.0f;
    }
  }
  return elements;
}

}  // namespace

Result<std::vector<KernelForecast>> forecast_kernels(const std::string& problem, const Layer& layer) {
  if (Status s = check_shape(problem, layer); !s) return s.error();
  cortex_message message;
  cortex_problem* raw_problem = nullptr;
  if (cortex_problem_parse(problem.c_str(), &raw_problem, &message)) return failure(message);
  const std::unique_ptr<cortex_problem, Destroy> parsed(raw_problem);
  cortex_context* raw_context = nullptr;
  if (cortex_context_create(nullptr, &raw_context, &message)) return failure(message);
  const std::unique_ptr<cortex_context, Destroy> context(raw_context);

  const Result<Problem> known = parse_problem(problem);
  const bool is_matmul = known->is_matmul();
  const std::vector<char> weights = as_elements(in_array_order(layer.weights), known->wei);
  std::vector<KernelForecast> all;
  for (const auto& [lists, share] : {std::pair{"1 row", 1},
                                     {"2 rows", 2},
                                     {"4 rows", 4},
                                     {"4 rows by pattern", int{CORTEX_SPARSE_PATTERNS}},
                                     {"bitmap", int{CORTEX_SPARSE_BITMAP}},
                                     {"dense", 0}}) {
    if (share == CORTEX_SPARSE_BITMAP && !is_matmul) continue;
    cortex_plan_options options = cortex_plan_options_init();
    if (is_matmul) options.weights_layout = CORTEX_WEIGHTS_NK;
    if (share) options.sparse_weights = weights.data(), options.sparse_share = share;
    cortex_plan* raw = nullptr;
    const cortex_status status = cortex_plan_create(context.get(), parsed.get(), &options, &raw, &message);
    if (status == CORTEX_UNSUPPORTED && share == CORTEX_SPARSE_PATTERNS) continue;  // of bytes there are none
    if (status) return failure(message);
    const std::unique_ptr<cortex_plan, Destroy> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(plan.get(), &info, nullptr);
    all.push_back({lists, info.kernel, info.predicted_seconds});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const KernelForecast& a, const KernelForecast& b) { return a.seconds < b.seconds; });
  // Lists that leave nothing out do what the dense kernel does, and more: a forecast that is closer than its
  // own error says nothing else.
  if (sparsity(layer.weights) == 0)
    std::stable_partition(all.begin(), all.end(), [](const KernelForecast& k) { return k.lists == "dense"; });
  return all;
}

}  // namespace cortex
