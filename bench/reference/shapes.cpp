#include "bench/reference/shapes.h"

#include <fmt/format.h>

#include <algorithm>

namespace cortex::bench {
namespace {

int64_t product(const std::vector<int64_t>& values) {
  int64_t p = 1;
  for (int64_t v : values) p *= v;
  return p;
}

// Row-major offset of the output batch index in an operand whose unit dims broadcast.
int64_t broadcast_index(int64_t flat, const std::vector<int64_t>& out, const std::vector<int64_t>& operand) {
  int64_t offset = 0, stride = 1;
  for (std::size_t i = out.size(); i-- > 0;) {
    const int64_t index = flat % out[i];
    flat /= out[i];
    if (operand[i] != 1) offset += index * stride;
    stride *= operand[i];
  }
  return offset;
}

std::string spatial(int64_t d, int64_t h, int64_t w) {
  if (d > 1) return fmt::format("{}x{}x{}", d, h, w);
  return fmt::format("{}x{}", h, w);
}

}  // namespace

std::string dt_name(const Problem& problem) {
  if (problem.src == problem.wei && problem.wei == problem.dst) return dtype_name(problem.src);
  return fmt::format("{}{}{}", dtype_name(problem.src), dtype_name(problem.wei), dtype_name(problem.dst));
}

int64_t a_elements(const Problem& problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    return c.mb * c.id * c.ih * c.iw * c.ic;
  }
  const MatmulProblem& m = problem.matmul();
  return product(m.batch_a) * m.m * m.k;
}

int64_t b_elements(const Problem& problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    return c.kd * c.kh * c.kw * c.ic / c.g * c.oc;
  }
  const MatmulProblem& m = problem.matmul();
  return product(m.batch_b) * m.k * m.n;
}

int64_t c_elements(const Problem& problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    return c.mb * c.od * c.oh * c.ow * c.oc;
  }
  const MatmulProblem& m = problem.matmul();
  return matmul_batches(m).count * m.m * m.n;
}

int64_t bias_elements(const Problem& problem) {
  return problem.is_conv() ? problem.conv().oc : problem.matmul().n;
}

int64_t reduction_length(const Problem& problem) {
  if (problem.is_matmul()) return problem.matmul().k;
  const ConvProblem& c = problem.conv();
  return c.kd * c.kh * c.kw * c.ic / c.g;
}

double flop_count(const Problem& problem) { return 2.0 * static_cast<double>(multiply_adds(problem)); }

MatmulBatches matmul_batches(const MatmulProblem& matmul) {
  MatmulBatches b;
  for (std::size_t i = 0; i < matmul.batch_a.size(); ++i) {
    b.dims.push_back(std::max(matmul.batch_a[i], matmul.batch_b[i]));
    b.count *= b.dims.back();
  }
  for (int64_t i = 0; i < b.count; ++i) {
    b.index_a.push_back(broadcast_index(i, b.dims, matmul.batch_a));
    b.index_b.push_back(broadcast_index(i, b.dims, matmul.batch_b));
  }
  return b;
}

std::string short_shape(const Problem& problem) {
  if (problem.is_matmul()) {
    const MatmulProblem& m = problem.matmul();
    std::string text;
    for (int64_t d : matmul_batches(m).dims) text += fmt::format("{}*", d);
    text += fmt::format("{}x{}x{}", m.m, m.n, m.k);
    if (m.a_transposed) text += " At";
    if (m.b_transposed) text += " Bt";
    return text;
  }
  const ConvProblem& c = problem.conv();
  std::string text = fmt::format("{}x{} > {}x{} k{}", c.ic, spatial(c.id, c.ih, c.iw), c.oc,
                                 spatial(c.od, c.oh, c.ow), spatial(c.kd, c.kh, c.kw));
  if (c.sh != 1 || c.sw != 1 || c.sd != 1) text += fmt::format(" s{}", std::max({c.sd, c.sh, c.sw}));
  if (c.dd || c.dh || c.dw) text += fmt::format(" d{}", std::max({c.dd, c.dh, c.dw}) + 1);
  if (c.g != 1) text += fmt::format(" g{}", c.g);
  if (c.mb != 1) text = fmt::format("{}*{}", c.mb, text);
  return text;
}

}  // namespace cortex::bench
