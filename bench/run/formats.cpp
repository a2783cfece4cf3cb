#include "bench/run/formats.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/reference/prune.h"

namespace cortex::bench {
namespace {

Error bad(std::string message) { return invalid_argument(std::move(message)); }

}  // namespace

Result<DataTypes> parse_dt(const std::string& text) {
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
  if (types.size() == 1) return std::array{types[0], types[0], types[0]};
  if (types.size() == 2 && types[0] == DataType::bf16 && types[1] == DataType::f32) {
    return std::array{types[0], types[0], types[1]};
  }
  return std::array{types[0], types[1], types.size() == 3 ? types[2] : types[0]};
}

Status apply_dts(const std::vector<std::string>& dts, std::vector<RunProblem>& problems) {
  if (dts.empty()) return Status::success();
  std::vector<RunProblem> all;
  for (const std::string& dt : dts) {
    const Result<DataTypes> types = parse_dt(dt);
    if (!types) return types.error();
    for (RunProblem problem : problems) {
      Problem* p = std::get_if<Problem>(&problem.what);
      if (!p && dt != "f32") return bad(fmt::format("--dt {}: '{}' runs in f32 alone", dt, problem.text()));
      if (p && p->src == DataType::f32) {
        p->src = (*types)[0], p->wei = (*types)[1], p->dst = (*types)[2];
        p->epilogue.scale = sum_type(p->src) == DataType::s32 && p->dst != DataType::s32;
        if (Status s = validate(*p); !s) return bad(fmt::format("--dt {}: {}", dt, s.error().message));
      }
      all.push_back(std::move(problem));
    }
  }
  problems = std::move(all);
  return Status::success();
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
