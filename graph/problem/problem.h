// Problems as people write them: benchdnn descriptors. A Problem is a plain value; equal problems
// have equal keys whatever their spelling.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/nest/dtype.h"
#include "graph/nest/epilogue.h"
#include "support/result.h"

namespace cortex {

// Convolution, 1 to 3 spatial dimensions (unused ones have extent 1). Activations are NHWC (NDHWC),
// weights are [g][kd][kh][kw][ic/g][oc/g] to the Nest, whatever the user holds them as.
struct ConvProblem {
  int64_t g = 1, mb = 1, ic = 1, oc = 1;
  int64_t id = 1, ih = 1, iw = 1;
  int64_t od = 1, oh = 1, ow = 1;
  int64_t kd = 1, kh = 1, kw = 1;
  int64_t sd = 1, sh = 1, sw = 1;
  int64_t pd = 0, ph = 0, pw = 0;        // front, top, left
  int64_t pd_r = 0, ph_r = 0, pw_r = 0;  // back, bottom, right: what the output size implies; may be negative
  int64_t dd = 0, dh = 0, dw = 0;        // benchdnn's dilation: 0 is dense
  bool operator==(const ConvProblem&) const = default;
};

// C[batch][M][N] = A[batch or 1][M][K] * B[batch or 1][K][N], row-major unless transposed.
struct MatmulProblem {
  std::vector<int64_t> batch_a, batch_b;  // leading dims, equal length; 1 broadcasts
  int64_t m = 1, n = 1, k = 1;
  bool a_transposed = false;  // A held as [K][M]
  bool b_transposed = false;  // B held as [N][K]
  bool operator==(const MatmulProblem&) const = default;
};

struct Problem {
  std::variant<ConvProblem, MatmulProblem> op;
  DataType src = DataType::f32, wei = DataType::f32, dst = DataType::f32;
  int32_t src_zero_point = 0;  // what stands for zero in an integer source; padding counts as it
  Epilogue epilogue;
  std::string name;   // of n"name*count", without the count
  int64_t count = 1;  // times the layer occurs in its network
  std::string text;   // the line as written, for reports

  bool is_conv() const { return std::holds_alternative<ConvProblem>(op); }
  bool is_matmul() const { return std::holds_alternative<MatmulProblem>(op); }
  const ConvProblem& conv() const { return std::get<ConvProblem>(op); }
  const MatmulProblem& matmul() const { return std::get<MatmulProblem>(op); }
};

enum class OpKind { any, conv, matmul };  // any: told apart by syntax

// One problem line, options (--bia_dt=f32, --dir=FWD_B, --attr-post-ops=sum+relu, --stag/--wtag for
// matmul, ...) allowed before it. Unlike benchdnn's, a convolution has no bias unless --dir=FWD_B or
// --bia_dt=f32 says so. The message of a refusal names the token, its column and the rule.
Result<Problem> parse_problem(std::string_view line, OpKind op = OpKind::any);

// A command-line argument that is a problem line beginning with options ("--bia_dt=f32 64x64:64x64"), which
// a reader of command lines would take for an option of the tool.
bool begins_with_problem_options(std::string_view argument);
// The words of a command line with every such argument, and what follows a lone "--problem", as one word
// "--problem=...", and "--name=", which has an empty value, as "--name" and "".
std::vector<std::string> command_line_words(int argc, const char* const* argv);

// A batch file: one problem a line (more are taken), '#' comments, options persist to later lines, --reset
// clears them. Messages begin with "<source>:<line>: ".
Result<std::vector<Problem>> parse_batch(std::string_view text, std::string_view source,
                                         OpKind op = OpKind::any);
Result<std::vector<Problem>> read_batch(const std::string& path, OpKind op = OpKind::any);

// Replayable canonical text (parses back to an equal problem), with options, without the name.
std::string to_string(const Problem& problem);

// Sizes positive, output shape consistent with strides/pads/dilation, no size or byte count
// overflows, the tensors fit the address space. parse_problem calls it; C API descriptors pass here too.
Status validate(const Problem& problem);

// 2x this is the flop count reported. As benchdnn counts: taps that fall into padding are no work.
int64_t multiply_adds(const Problem& problem);

// Identity of what is computed (not name, count, text): for the kernel table and wisdom.
std::string problem_key(const Problem& problem);

}  // namespace cortex
