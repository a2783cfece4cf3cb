// For tests: random convolutions and matmuls with random tiled schedules around nothing.
#pragma once

#include <algorithm>

#include "polyopt/analysis/testing.h"

namespace cortex::testing {

// Small enough to walk; windows, strides, dilation, padding, groups and row padding all occur.
inline Nest random_nest(Random& random) {
  if (uniform(random, 0, 4) == 0) {
    Nest nest = matmul_nest(uniform(random, 1, 7), uniform(random, 1, 6), uniform(random, 1, 7));
    if (uniform(random, 0, 1) == 1) nest[Operand::b].tensor.strides = {1, nest.dims[2].extent};
    return nest;
  }
  ConvShape s{.n = uniform(random, 1, 2),
              .ic = uniform(random, 1, 4),
              .oc = uniform(random, 1, 4),
              .oh = uniform(random, 1, 5),
              .ow = uniform(random, 1, 5),
              .kh = uniform(random, 1, 3),
              .kw = uniform(random, 1, 3),
              .stride = uniform(random, 1, 4),
              .dilation = uniform(random, 1, 3)};
  const int64_t reach = std::min((s.oh - 1) * s.stride + (s.kh - 1) * s.dilation,
                                 (s.ow - 1) * s.stride + (s.kw - 1) * s.dilation);
  s.pad = uniform(random, 0, std::min<int64_t>(2, reach / 2));
  if (uniform(random, 0, 2) == 0) s.groups = uniform(random, 2, 3);
  if (uniform(random, 0, 1) == 1) s.row_pitch = uniform(random, 1, 9);
  return conv_nest(s);
}

// A loop or two over most dims; what has none is left to the kernel whole.
inline Schedule random_schedule(const Nest& nest, Random& random) {
  Schedule schedule;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    for (int64_t levels = uniform(random, 0, 2); levels > 0; --levels) {
      schedule.loops.push_back({.dim = d,
                                .step = uniform(random, 1, std::max<int64_t>(1, nest.dims[d].extent / 2 + 1)),
                                .balanced = uniform(random, 0, 2) == 0});
    }
  }
  std::shuffle(schedule.loops.begin(), schedule.loops.end(), random);
  if (schedule.loops.size() > 7) schedule.loops.resize(7);
  return schedule;
}

}  // namespace cortex::testing
