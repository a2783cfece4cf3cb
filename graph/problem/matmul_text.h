// benchdnn's matmul descriptor: d0x..xMxK:d0x..xKxN[:d0x..xMxN][n"name*count"].
#pragma once

#include "graph/problem/problem.h"
#include "graph/problem/text.h"

namespace cortex {

struct MatmulText {
  MatmulProblem matmul;  // transposition comes from --stag, --wtag
  ProblemName name;
};

Result<MatmulText> parse_matmul(Token token);

}  // namespace cortex
