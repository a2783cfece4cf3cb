#include "runtime/testing/random_problem.h"

namespace cortex::testing {
namespace {

struct Axis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, pad = 0, pad_end = 0, dilation = 0;
};

Axis random_axis(Random& random, int64_t most) {
  for (;;) {
    Axis a;
    a.in = pick(random, 1, most);
    a.kernel = pick(random, 0, 1) ? pick(random, 1, 3) : pick(random, 1, 5);
    a.stride = pick(random, 0, 2) ? 1 : pick(random, 1, 3);
    a.dilation = pick(random, 0, 3) ? 0 : pick(random, 1, 2);
    const int64_t reach = (a.kernel - 1) * (a.dilation + 1) + 1;
    a.pad = pick(random, 0, reach);
    const int64_t wanted_end = pick(random, 0, reach - 1);  // more would be windows on padding alone
    const int64_t room = a.in + a.pad + wanted_end - reach;
    if (room < 0) continue;
    a.out = room / a.stride + 1;
    a.pad_end = (a.out - 1) * a.stride + reach - a.in - a.pad;
    return a;
  }
}

}  // namespace

Epilogue random_epilogue(Random& random) {
  Epilogue e;
  e.bias = pick(random, 0, 1);
  e.residual = pick(random, 0, 2) == 0;
  if (e.residual) {
    e.residual_after_activation = pick(random, 0, 1);
    if (pick(random, 0, 1)) e.residual_scale = 0.5f;
  }
  e.activation = static_cast<Activation>(pick(random, 0, 2) ? pick(random, 0, 6) : 0);
  if (e.activation == Activation::relu && pick(random, 0, 1)) e.alpha = 0.1f;
  if (e.activation == Activation::clip) {
    e.alpha = -0.5f;
    e.beta = 0.75f;
  }
  return e;
}

Problem random_conv(Random& random) {
  ConvProblem c;
  const int kind = static_cast<int>(pick(random, 0, 5));
  c.mb = pick(random, 1, 3);
  if (kind == 0) {  // depthwise
    c.g = c.ic = c.oc = pick(random, 1, 70);
  } else {
    c.g = kind == 1 ? pick(random, 2, 4) : 1;
    const int64_t most = c.g > 1 ? 20 : 80;
    c.ic = c.g * pick(random, 1, most);
    c.oc = c.g * pick(random, 1, most);
  }
  const bool pointwise = kind == 2;
  const Axis h = random_axis(random, 12), w = random_axis(random, 14);
  const Axis d = pick(random, 0, 7) == 0 ? random_axis(random, 4) : Axis{};
  c.id = d.in, c.od = d.out, c.kd = d.kernel, c.sd = d.stride, c.pd = d.pad, c.pd_r = d.pad_end,
  c.dd = d.dilation;
  c.ih = h.in, c.oh = h.out, c.kh = h.kernel, c.sh = h.stride, c.ph = h.pad, c.ph_r = h.pad_end,
  c.dh = h.dilation;
  c.iw = w.in, c.ow = w.out, c.kw = w.kernel, c.sw = w.stride, c.pw = w.pad, c.pw_r = w.pad_end,
  c.dw = w.dilation;
  if (pointwise) {
    const int64_t stride = pick(random, 1, 2);
    c.kd = c.kh = c.kw = 1;
    c.pd = c.ph = c.pw = c.dd = c.dh = c.dw = 0;
    c.sd = 1, c.od = c.id;
    c.sh = c.sw = stride;
    c.oh = (c.ih - 1) / stride + 1;
    c.ow = (c.iw - 1) / stride + 1;
    c.pd_r = 0;
    c.ph_r = (c.oh - 1) * stride + 1 - c.ih;
    c.pw_r = (c.ow - 1) * stride + 1 - c.iw;
  }
  Problem problem;
  problem.op = c;
  problem.epilogue = random_epilogue(random);
  return problem;
}

Problem random_matmul(Random& random) {
  MatmulProblem m;
  const auto size = [&] { return pick(random, 0, 3) ? pick(random, 1, 90) : pick(random, 1, 5); };
  m.m = size();
  m.n = pick(random, 0, 5) ? size() : pick(random, 100, 300);
  m.k = pick(random, 0, 5) ? size() : pick(random, 100, 700);
  m.a_transposed = pick(random, 0, 4) == 0;
  m.b_transposed = pick(random, 0, 4) == 0;
  for (int64_t i = pick(random, 0, 4) == 0 ? pick(random, 1, 2) : 0; i > 0; --i) {
    const int64_t extent = pick(random, 1, 4);
    const int64_t which = pick(random, 0, 2);
    m.batch_a.push_back(which == 1 ? 1 : extent);
    m.batch_b.push_back(which == 2 ? 1 : extent);
  }
  Problem problem;
  problem.op = m;
  problem.epilogue = random_epilogue(random);
  return problem;
}

void random_layouts(const Problem& problem, cortex_layout first, Random& random,
                    cortex_plan_options& options) {
  if (problem.is_conv()) {
    options.src_layout = static_cast<int32_t>(pick(random, first, CORTEX_LAYOUT_NCHW));
    options.dst_layout = static_cast<int32_t>(pick(random, first, CORTEX_LAYOUT_NCHW));
    options.weights_layout = static_cast<int32_t>(pick(random, CORTEX_WEIGHTS_DEFAULT, CORTEX_WEIGHTS_GHWIO));
  } else if (pick(random, 0, 1)) {
    options.weights_layout = static_cast<int32_t>(pick(random, CORTEX_WEIGHTS_KN, CORTEX_WEIGHTS_NK));
  }
}

}  // namespace cortex::testing
