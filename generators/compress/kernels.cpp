#include "generators/compress/kernels.h"

#include <cortex/cortex.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "graph/compress/npy.h"

namespace cortex {
namespace {

struct Destroy {
  void operator()(cortex_context* c) const { cortex_context_destroy(c); }
  void operator()(cortex_problem* p) const { cortex_problem_destroy(p); }
  void operator()(cortex_plan* p) const { cortex_plan_destroy(p); }
};

Error failure(const cortex_message& message) { return invalid_argument(message.text); }

}  // namespace

Result<std::vector<KernelForecast>> forecast_kernels(const std::string& problem, const Layer& layer) {
  cortex_message message;
  cortex_problem* raw_problem = nullptr;
  if (cortex_problem_parse(problem.c_str(), &raw_problem, &message)) return failure(message);
  const std::unique_ptr<cortex_problem, Destroy> parsed(raw_problem);
  cortex_context* raw_context = nullptr;
  if (cortex_context_create(nullptr, &raw_context, &message)) return failure(message);
  const std::unique_ptr<cortex_context, Destroy> context(raw_context);

  const std::vector<float> weights = in_array_order(layer.weights);
  std::vector<KernelForecast> all;
  for (const auto& [lists, share] : {std::pair{"1 row", 1}, {"2 rows", 2}, {"4 rows", 4}, {"dense", 0}}) {
    cortex_plan_options options = cortex_plan_options_init();
    if (layer.shape.size() == 2) options.weights_layout = CORTEX_WEIGHTS_NK;
    if (share) options.sparse_weights = weights.data(), options.sparse_share = share;
    cortex_plan* raw = nullptr;
    // Dense first tells the size that sparse plans read.
    if (all.empty()) {
      if (cortex_plan_create(context.get(), parsed.get(), nullptr, &raw, &message)) return failure(message);
      const std::unique_ptr<cortex_plan, Destroy> sized(raw);
      cortex_plan_info info = cortex_plan_info_init();
      cortex_plan_query(sized.get(), &info, nullptr);
      if (info.weights_bytes != static_cast<int64_t>(weights.size() * sizeof(float)))
        return invalid_argument(fmt::format("{}: {} weights, but --problem {} has {}", layer.name,
                                            weights.size(), problem, info.weights_bytes / 4));
      raw = nullptr;
    }
    if (cortex_plan_create(context.get(), parsed.get(), &options, &raw, &message)) return failure(message);
    const std::unique_ptr<cortex_plan, Destroy> plan(raw);
    cortex_plan_info info = cortex_plan_info_init();
    cortex_plan_query(plan.get(), &info, nullptr);
    all.push_back({lists, info.kernel, info.predicted_seconds});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const KernelForecast& a, const KernelForecast& b) { return a.seconds < b.seconds; });
  return all;
}

}  // namespace cortex
