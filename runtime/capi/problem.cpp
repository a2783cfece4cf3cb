#include <fmt/format.h>

#include "runtime/capi/capi.h"
#include "support/checked.h"

using namespace cortex;

namespace {

struct Axis {
  int64_t in, kernel, stride, dilation, begin, end;
  int64_t out = 0, implied_end = 0;
};

int64_t or_one(int64_t value) { return value == 0 ? 1 : value; }

Status output_of(Axis& axis, const char* name) {
  const auto refuse = [&](const char* what, int64_t found) -> Status {
    return invalid_argument(
        fmt::format("cortex_conv_desc: {} of {} is {}, it must be positive", what, name, found));
  };
  if (axis.in < 1) return refuse("in", axis.in);
  if (axis.kernel < 1) return refuse("kernel", axis.kernel);
  if (axis.stride < 1) return refuse("stride", axis.stride);
  if (axis.dilation < 1) return refuse("dilation", axis.dilation);
  const std::optional<int64_t> reach = checked_mul(axis.kernel - 1, axis.dilation);
  const std::optional<int64_t> pads = checked_add(axis.begin, axis.end);
  const std::optional<int64_t> padded = pads ? checked_add(axis.in, *pads) : std::nullopt;
  const std::optional<int64_t> room = reach && padded ? checked_add(*padded, -*reach - 1) : std::nullopt;
  if (!room)
    return overflow_error(fmt::format("cortex_conv_desc: the {} of the window overflows 64 bits", name));
  if (*room < 0) {
    return invalid_argument(
        fmt::format("cortex_conv_desc: the window's {} is {}, the padded input's {}: no output", name,
                    *reach + 1, *padded));
  }
  axis.out = *room / axis.stride + 1;
  axis.implied_end = axis.end - *room % axis.stride;
  return Status::success();
}

Result<Problem> conv_problem(const cortex_conv_desc& d) {
  Axis axes[3];
  const char* names[3] = {"depth", "height", "width"};
  for (int i = 0; i < 3; ++i) {
    axes[i] = {or_one(d.in[i]),       or_one(d.kernel[i]), or_one(d.stride[i]),
               or_one(d.dilation[i]), d.pad_begin[i],      d.pad_end[i]};
    if (Status s = output_of(axes[i], names[i]); !s) return s.error();
  }
  ConvProblem c;
  c.g = or_one(d.groups);
  c.mb = or_one(d.batch);
  c.ic = d.in_channels;
  c.oc = d.out_channels;
  c.id = axes[0].in, c.ih = axes[1].in, c.iw = axes[2].in;
  c.od = axes[0].out, c.oh = axes[1].out, c.ow = axes[2].out;
  c.kd = axes[0].kernel, c.kh = axes[1].kernel, c.kw = axes[2].kernel;
  c.sd = axes[0].stride, c.sh = axes[1].stride, c.sw = axes[2].stride;
  c.pd = axes[0].begin, c.ph = axes[1].begin, c.pw = axes[2].begin;
  c.pd_r = axes[0].implied_end, c.ph_r = axes[1].implied_end, c.pw_r = axes[2].implied_end;
  c.dd = axes[0].dilation - 1, c.dh = axes[1].dilation - 1, c.dw = axes[2].dilation - 1;
  Problem problem;
  problem.op = c;
  return problem;
}

Result<Problem> matmul_problem(const cortex_matmul_desc& d) {
  if (d.batch_dims < 0 || d.batch_dims > CORTEX_MATMUL_MAX_BATCH_DIMS) {
    return invalid_argument(fmt::format("cortex_matmul_desc: {} batch dims, 0 to {} are possible",
                                        d.batch_dims, static_cast<int>(CORTEX_MATMUL_MAX_BATCH_DIMS)));
  }
  MatmulProblem m;
  m.m = d.m, m.n = d.n, m.k = d.k;
  m.a_transposed = d.a_transposed != 0;
  m.b_transposed = d.b_transposed != 0;
  m.batch_a.assign(d.batch_a, d.batch_a + d.batch_dims);
  m.batch_b.assign(d.batch_b, d.batch_b + d.batch_dims);
  Problem problem;
  problem.op = m;
  return problem;
}

cortex_status give(Result<Problem> made, cortex_problem** problem, cortex_message* message) {
  if (!made) return fail(message, made.error());
  if (Status s = validate(*made); !s) return fail(message, s.error());
  made->text = to_string(*made);
  *problem = new cortex_problem{std::move(made).value()};
  return CORTEX_OK;
}

}  // namespace

extern "C" cortex_status cortex_problem_parse(const char* text, cortex_problem** problem,
                                              cortex_message* message) {
  return guarded(message, [&] {
    if (!text || !problem)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_problem_parse: NULL argument");
    return give(parse_problem(text), problem, message);
  });
}

extern "C" cortex_status cortex_problem_create_conv(const cortex_conv_desc* desc, cortex_problem** problem,
                                                    cortex_message* message) {
  return guarded(message, [&] {
    if (!desc || !problem)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_problem_create_conv: NULL argument");
    cortex_conv_desc d;
    if (!read_struct(desc, &d, message, "cortex_conv_desc")) return CORTEX_INVALID_ARGUMENT;
    return give(conv_problem(d), problem, message);
  });
}

extern "C" cortex_status cortex_problem_create_matmul(const cortex_matmul_desc* desc,
                                                      cortex_problem** problem, cortex_message* message) {
  return guarded(message, [&] {
    if (!desc || !problem) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_problem_create_matmul: NULL argument");
    }
    cortex_matmul_desc d;
    if (!read_struct(desc, &d, message, "cortex_matmul_desc")) return CORTEX_INVALID_ARGUMENT;
    return give(matmul_problem(d), problem, message);
  });
}

extern "C" cortex_status cortex_problem_set_epilogue(cortex_problem* problem,
                                                     const cortex_epilogue_desc* desc,
                                                     cortex_message* message) {
  return guarded(message, [&] {
    if (!problem || !desc) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_problem_set_epilogue: NULL argument");
    }
    cortex_epilogue_desc d;
    if (!read_struct(desc, &d, message, "cortex_epilogue_desc")) return CORTEX_INVALID_ARGUMENT;
    if (d.activation < CORTEX_ACTIVATION_NONE || d.activation > CORTEX_ACTIVATION_GELU_TANH) {
      return fail(message, CORTEX_INVALID_ARGUMENT,
                  fmt::format("cortex_epilogue_desc: activation {} is unknown", d.activation));
    }
    Problem changed = problem->value;
    Epilogue& e = changed.epilogue;
    const Epilogue of_integers = e;  // the problem states it, the struct has no field for it
    e = {};
    e.scale = of_integers.scale;
    e.zero_point = of_integers.zero_point;
    e.bias = d.bias != 0;
    e.residual = d.residual != 0;
    if (e.residual) {
      e.residual_after_activation = d.residual_after_activation != 0;
      e.residual_scale = d.residual_scale == 0.0f ? 1.0f : d.residual_scale;
    }
    e.activation = static_cast<Activation>(d.activation);
    if (e.activation == Activation::relu || e.activation == Activation::clip) e.alpha = d.alpha;
    if (e.activation == Activation::clip) e.beta = d.beta;
    if (Status s = validate(changed); !s) return fail(message, s.error());
    changed.text = to_string(changed);
    problem->value = std::move(changed);
    return CORTEX_OK;
  });
}

extern "C" const char* cortex_problem_text(const cortex_problem* problem) {
  return problem ? problem->value.text.c_str() : "";
}

extern "C" double cortex_problem_flops(const cortex_problem* problem) {
  return problem ? 2.0 * static_cast<double>(multiply_adds(problem->value)) : 0.0;
}

extern "C" void cortex_problem_destroy(cortex_problem* problem) { delete problem; }
