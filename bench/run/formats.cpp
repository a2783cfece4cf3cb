#include "bench/run/formats.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/reference/prune.h"

namespace cortex::bench {
namespace {

Error bad(std::string message) { return invalid_argument(std::move(message)); }

}  // namespace

Result<Types> parse_dt(const std::string& text) {
  std::vector<DataType> types;
  std::string_view rest = text;
  while (!rest.empty() && types.size() < 3) {
    std::size_t length = std::min<std::size_t>(rest.size(), 4);
    while (length > 0 && !parse_dtype(rest.substr(0, length))) --length;
    if (length == 0) break;
    types.push_back(*parse_dtype(rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  if (types.empty() || !rest.empty()) {
    return bad(
        fmt::format("--dt: '{}' is not a data type: f32, bf16, bf16f32, u8s8, s8s8, u8s8s32, u8s8f32", text));
  }
  Problem problem;  // are they types of a problem?
  problem.op = MatmulProblem{};
  problem.src = types[0], problem.wei = types.size() > 1 ? types[1] : types[0], problem.dst = types.back();
  if (types.size() == 2) {
    const bool sums = types[0] == DataType::bf16 && types[1] == DataType::f32;
    (sums ? problem.wei : problem.dst) = types[0];
  }
  if (Status s = validate(problem); !s) return bad(fmt::format("--dt {}: {}", text, s.error().message));
  return Types{problem.src, problem.wei, problem.dst};
}

Status apply_weights(const std::vector<std::string>& formats, double sparsity,
                     std::vector<RunProblem>& problems) {
  // Written so that nan is refused too.
  if (!(sparsity >= 0 && sparsity < 1)) return bad("--sparsity: at least 0 and below 1");
  if (formats.empty()) return Status::success();
  std::vector<RunProblem> all;
  for (const std::string& text : formats) {
    const Result<WeightFormat> format = parse_weight_format(text);
    if (!format) return bad("--weights: " + format.error().message);
    const bool dense = format->structure == WeightStructure::dense;
    if (!dense && format->structure != WeightStructure::nm && sparsity == 0)
      return bad(fmt::format("--weights {}: say how many weights are zero with --sparsity", text));
    for (RunProblem problem : problems) {
      if (!dense) {
        const Problem* p = problem.dense();
        if (!p) return bad(fmt::format("--weights {}: for conv and matmul, not '{}'", text, problem.text()));
        if (Status s = check_prunable(*p); !s) return bad("--weights: " + s.error().message);
      }
      problem.weights = to_string(*format);
      all.push_back(std::move(problem));
    }
  }
  problems = std::move(all);
  return Status::success();
}

}  // namespace cortex::bench
