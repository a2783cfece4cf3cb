#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "graph/problem/conv_shape.h"
#include "support/checked.h"

namespace cortex {
namespace {

constexpr int64_t bytes_max = int64_t{1} << 46;  // a quarter of a 48-bit address space: three tensors fit
constexpr int64_t multiply_adds_max = int64_t{1} << 62;

// Product of sizes, refused above a limit.
Result<int64_t> product(std::string_view what, std::initializer_list<int64_t> sizes, int64_t limit) {
  int64_t value = 1;
  for (int64_t size : sizes) {
    const auto next = checked_mul(value, size);
    if (!next || *next > limit) {
      return overflow_error(fmt::format("{} exceeds 2^{}: make the problem smaller", what,
                                        std::bit_width(static_cast<uint64_t>(limit)) - 1));
    }
    value = *next;
  }
  return value;
}

struct AxisView {
  char letter;
  int64_t in, out, kernel, stride, pad, pad_behind, dilation;
};

Status validate_axis(const AxisView& a) {
  const auto refuse = [&](std::string what) {
    return invalid_argument(fmt::format("axis {}: {}", a.letter, what));
  };
  for (auto [prefix, value] : {std::pair{'i', a.in}, {'o', a.out}, {'k', a.kernel}, {'s', a.stride}}) {
    if (value < 1 || value > conv_dim_max) {
      return refuse(fmt::format("{}{} is {}: it must be 1 to {}", prefix, a.letter, value, conv_dim_max));
    }
  }
  for (auto [prefix, value] : {std::pair{'p', a.pad}, {'d', a.dilation}}) {
    if (value < 0 || value > conv_dim_max) {
      return refuse(fmt::format("{}{} is {}: it must be 0 to {}", prefix, a.letter, value, conv_dim_max));
    }
  }
  const int64_t span = (a.kernel - 1) * (a.dilation + 1) + 1;
  const int64_t needed = (a.out - 1) * a.stride - a.in + span;
  if (a.pad_behind != needed - a.pad) {
    return refuse(
        fmt::format("the padding behind is {} but input {}, output {}, kernel {}, stride {}, dilation {} and "
                    "padding {} in front need {}",
                    a.pad_behind, a.in, a.out, a.kernel, a.stride, a.dilation, a.pad, needed - a.pad));
  }
  if (a.pad_behind <= -a.stride) {
    return refuse(
        fmt::format("{} elements of input are unused behind the last window, a stride of {} or more: output "
                    "is too small",
                    -a.pad_behind, a.stride));
  }
  return Status::success();
}

Status validate_conv(const Problem& problem) {
  const ConvProblem& p = problem.conv();
  for (auto [name, value] : {std::pair{"g", p.g}, {"mb", p.mb}, {"ic", p.ic}, {"oc", p.oc}}) {
    if (value < 1 || value > conv_dim_max) {
      return invalid_argument(fmt::format("{} is {}: it must be 1 to {}", name, value, conv_dim_max));
    }
  }
  if (p.ic % p.g != 0 || p.oc % p.g != 0) {
    return invalid_argument(fmt::format("ic {} and oc {} must be multiples of g {}", p.ic, p.oc, p.g));
  }
  for (const AxisView& axis : {AxisView{'d', p.id, p.od, p.kd, p.sd, p.pd, p.pd_r, p.dd},
                               AxisView{'h', p.ih, p.oh, p.kh, p.sh, p.ph, p.ph_r, p.dh},
                               AxisView{'w', p.iw, p.ow, p.kw, p.sw, p.pw, p.pw_r, p.dw}}) {
    if (Status s = validate_axis(axis); !s) return s;
  }
  const int64_t icg = p.ic / p.g;
  const Result<int64_t> checks[] = {
      product("the source's size in bytes", {p.mb, p.id, p.ih, p.iw, p.ic, size_of(problem.src)}, bytes_max),
      product("the weights' size in bytes", {p.oc, icg, p.kd, p.kh, p.kw, size_of(problem.wei)}, bytes_max),
      product("the destination's size in bytes", {p.mb, p.od, p.oh, p.ow, p.oc, size_of(problem.dst)},
              bytes_max),
      product("the number of multiply-adds", {p.mb, p.od, p.oh, p.ow, p.oc, icg, p.kd, p.kh, p.kw},
              multiply_adds_max),
  };
  for (const auto& check : checks) {
    if (!check) return check.error();
  }
  return Status::success();
}

Status validate_matmul(const Problem& problem) {
  const MatmulProblem& p = problem.matmul();
  if (p.batch_a.size() != p.batch_b.size()) {
    return invalid_argument(
        fmt::format("the source has {} batch dimensions and the weights {}: give both the same",
                    p.batch_a.size(), p.batch_b.size()));
  }
  if (p.batch_a.size() > 10) {
    return invalid_argument(fmt::format("{} batch dimensions: at most 10", p.batch_a.size()));
  }
  for (auto [name, value] : {std::pair{"M", p.m}, {"N", p.n}, {"K", p.k}}) {
    if (value < 1) return invalid_argument(fmt::format("{} is {}: it must be at least 1", name, value));
  }
  int64_t batch = 1, a = size_of(problem.src), b = size_of(problem.wei);
  for (size_t i = 0; i < p.batch_a.size(); ++i) {
    const int64_t da = p.batch_a[i], db = p.batch_b[i];
    if (da < 1 || db < 1 || (da != db && da != 1 && db != 1)) {
      return invalid_argument(
          fmt::format("batch dimension {} is {} in the source and {} in the weights: equal sizes, "
                      "or 1 to broadcast",
                      i, da, db));
    }
    const auto batches = product("the number of matrices", {batch, std::max(da, db)}, bytes_max);
    if (!batches) return batches.error();
    batch = *batches;
    a = product("", {a, da}, bytes_max).ok() ? a * da : bytes_max;
    b = product("", {b, db}, bytes_max).ok() ? b * db : bytes_max;
  }
  const Result<int64_t> checks[] = {
      product("the source's size in bytes", {a, p.m, p.k}, bytes_max),
      product("the weights' size in bytes", {b, p.k, p.n}, bytes_max),
      product("the destination's size in bytes", {batch, p.m, p.n, size_of(problem.dst)}, bytes_max),
      product("the number of multiply-adds", {batch, p.m, p.n, p.k}, multiply_adds_max),
  };
  for (const auto& check : checks) {
    if (!check) return check.error();
  }
  return Status::success();
}

Status validate_types(const Problem& p) {
  using enum DataType;
  const bool floats = p.src == f32 && p.wei == f32 && p.dst == f32;
  const bool bf16s = p.src == bf16 && p.wei == bf16 && (p.dst == bf16 || p.dst == f32);
  const bool integers = (p.src == u8 || p.src == s8) && p.wei == s8 && p.dst != bf16;
  if (floats || bf16s || integers) return Status::success();
  return unsupported(
      fmt::format("types {}:{}:{} are not supported: use f32:f32:f32, bf16:bf16:f32 (or bf16), or u8 or "
                  "s8 with s8 weights",
                  dtype_name(p.src), dtype_name(p.wei), dtype_name(p.dst)));
}

Status validate_zero_point(const char* operand, DataType type, int32_t point) {
  if (point == 0) return Status::success();
  const int32_t low = type == DataType::u8 ? 0 : -128, high = type == DataType::u8 ? 255 : 127;
  if (type != DataType::u8 && type != DataType::s8) {
    return invalid_argument(
        fmt::format("zero point {} of {}: it is {}, zero points are of u8 and s8: state "
                    "types such as --dt=u8:s8:u8",
                    point, operand, dtype_name(type)));
  }
  if (point >= low && point <= high) return Status::success();
  return invalid_argument(
      fmt::format("zero point {} of {}: {} holds {} to {}", point, operand, dtype_name(type), low, high));
}

Status validate_epilogue(const Epilogue& e) {
  if (!std::isfinite(e.residual_scale) || !std::isfinite(e.alpha) || !std::isfinite(e.beta)) {
    return invalid_argument("a number of the epilogue is not finite");
  }
  if (e.compensation) return invalid_argument("compensation belongs to nests, not to problems");
  if (e.activation < Activation::none || e.activation > Activation::gelu_tanh) {
    return invalid_argument(fmt::format("activation {} is unknown", static_cast<int>(e.activation)));
  }
  return Status::success();
}

}  // namespace

Status validate(const Problem& problem) {
  if (problem.count < 1) return invalid_argument(fmt::format("count is {}: at least 1", problem.count));
  if (Status s = validate_types(problem); !s) return s;
  if (Status s = validate_epilogue(problem.epilogue); !s) return s;
  if (problem.epilogue.scale && (sum_type(problem.src) != DataType::s32 || problem.dst == DataType::s32)) {
    return invalid_argument("scales are for integer sums that become f32, u8 or s8");
  }
  if (Status s = validate_zero_point("src", problem.src, problem.src_zero_point); !s) return s;
  if (Status s = validate_zero_point("dst", problem.dst, problem.epilogue.zero_point); !s) return s;
  return problem.is_conv() ? validate_conv(problem) : validate_matmul(problem);
}

}  // namespace cortex
