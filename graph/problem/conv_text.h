// benchdnn's convolution descriptor: g mb ic id ih iw oc od oh ow kd kh kw sd sh sw pd ph pw dd dh dw
// n"name*count", every token at most once, '_' allowed between them.
#pragma once

#include "graph/problem/problem.h"
#include "graph/problem/text.h"

namespace cortex {

struct ConvText {
  ConvProblem conv;
  ProblemName name;
};

// mb_override replaces the descriptor's mb unless it is 0.
Result<ConvText> parse_conv(Token token, int64_t mb_override);

}  // namespace cortex
