// benchdnn's options before problems, as far as they say what is computed. They persist from line to
// line of a batch until --reset.
#pragma once

#include <optional>

#include "graph/problem/problem.h"
#include "graph/problem/text.h"
#include "graph/problem/typed.h"

namespace cortex {

struct Options {
  OpKind op = OpKind::any;        // --conv, --matmul
  std::optional<Types> types;     // --dt, --cfg
  std::optional<Types> unstated;  // in their place, from elsewhere: --reset leaves them
  bool bias = false;  // --dir=FWD_B, --bia_dt=f32. Unlike benchdnn's, a convolution has none unless told
  int bias_mask = 0;  // matmul, 0: not given
  Epilogue post_ops;  // without bias and scale
  bool scale = false;
  int32_t src_zero_point = 0, dst_zero_point = 0;
  int64_t mb = 0;                // 0: the problem's
  std::string stag, wtag, dtag;  // "": default
};

// Takes "--name=value". A refusal names the option.
Status apply_option(Token token, Options& options);

// "sum:0.5+relu:0.1" -> the epilogue's residual and activation.
Result<Epilogue> parse_post_ops(Token token, std::string_view value);

// "src:common:3+dst:common:-5"
struct ZeroPoints {
  int32_t src = 0, dst = 0;
};
Result<ZeroPoints> parse_zero_points(Token token, std::string_view value);

// Types as benchdnn combines them: "f32", "bf16:bf16:f32", "u8s8s32". `text` may list 1 to 3 types.
Result<Types> parse_types(Token token, std::string_view value);

// Transposition and bias mask, which need the problem's rank.
Status apply_layout(const Options& options, Token problem, MatmulProblem& matmul);
Status apply_layout(const Options& options, Token problem, const ConvProblem& conv);

}  // namespace cortex
