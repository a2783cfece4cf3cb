#include "bench/reference/rows.h"

#include <algorithm>
#include <cmath>

namespace cortex::bench {
namespace {

// The two loops that all the time goes to, compiled twice: the reference of a large network would take
// minutes with SSE2 alone.
#define CORTEX_BENCH_AXPY_BODY                            \
  for (int64_t j = 0; j < n; ++j) {                       \
    const double product = x * static_cast<double>(b[j]); \
    sum[j] += product;                                    \
    magnitude[j] += std::abs(product);                    \
  }

void axpy_portable(double x, const float* b, int64_t n, double* sum, double* magnitude) {
  CORTEX_BENCH_AXPY_BODY
}

__attribute__((target("avx2,fma"))) void axpy_avx2(double x, const float* b, int64_t n, double* sum,
                                                   double* magnitude) {
  CORTEX_BENCH_AXPY_BODY
}

#undef CORTEX_BENCH_AXPY_BODY

void axpy(double x, const float* b, int64_t n, double* sum, double* magnitude) {
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  (avx2 ? axpy_avx2 : axpy_portable)(x, b, n, sum, magnitude);
}

void axpy_projected(double x, const double* b, const double* bound, int64_t n, double* sum,
                    double* magnitude) {
  for (int64_t j = 0; j < n; ++j) {
    sum[j] += x * b[j];
    magnitude[j] += std::abs(x) * bound[j];
  }
}

void axpy_strided(double x, const float* b, int64_t stride, int64_t n, double* sum, double* magnitude) {
  for (int64_t j = 0; j < n; ++j) {
    const double product = x * static_cast<double>(b[j * stride]);
    sum[j] += product;
    magnitude[j] += std::abs(product);
  }
}

}  // namespace

Rows::Rows(const Problem& problem) : problem_(problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    width_ = c.oc / c.g;
    count_ = c.mb * c.od * c.oh * c.ow * c.g;
    b_rows_ = c.g * c.kd * c.kh * c.kw * (c.ic / c.g);
  } else {
    const MatmulProblem& m = problem.matmul();
    batches_ = matmul_batches(m);
    width_ = m.n;
    count_ = batches_.count * m.m;
    b_rows_ = b_elements(problem) / m.n;
  }
}

// Groups of a position are adjacent in C, as are the rows of a matmul: rows tile C in order.
int64_t Rows::offset(int64_t row) const { return row * width_; }

int64_t Rows::first_column(int64_t row) const {
  return problem_.is_conv() ? row % problem_.conv().g * width_ : 0;
}

int64_t Rows::b_offset(int64_t b_row, int64_t column) const {
  if (problem_.is_matmul() && problem_.matmul().b_transposed) {
    const int64_t k = problem_.matmul().k;
    return b_row / k * k * width_ + column * k + b_row % k;
  }
  return b_row * width_ + column;
}

void Rows::compute(int64_t row, const float* a, const Columns& columns, double* sum,
                   double* magnitude) const {
  std::fill(sum, sum + columns.width, 0.0);
  std::fill(magnitude, magnitude + columns.width, 0.0);
  problem_.is_conv() ? conv_row(row, a, columns, sum, magnitude)
                     : matmul_row(row, a, columns, sum, magnitude);
}

void Rows::conv_row(int64_t row, const float* a, const Columns& columns, double* sum,
                    double* magnitude) const {
  const ConvProblem& c = problem_.conv();
  const int64_t icg = c.ic / c.g;
  const int64_t g = row % c.g, position = row / c.g;
  const int64_t ow = position % c.ow, oh = position / c.ow % c.oh;
  const int64_t od = position / (c.ow * c.oh) % c.od, n = position / (c.ow * c.oh * c.od);
  for (int64_t kd = 0; kd < c.kd; ++kd) {
    const int64_t id = od * c.sd - c.pd + kd * (c.dd + 1);
    if (id < 0 || id >= c.id) continue;
    for (int64_t kh = 0; kh < c.kh; ++kh) {
      const int64_t ih = oh * c.sh - c.ph + kh * (c.dh + 1);
      if (ih < 0 || ih >= c.ih) continue;
      for (int64_t kw = 0; kw < c.kw; ++kw) {
        const int64_t iw = ow * c.sw - c.pw + kw * (c.dw + 1);
        if (iw < 0 || iw >= c.iw) continue;
        const float* pixel = a + (((n * c.id + id) * c.ih + ih) * c.iw + iw) * c.ic + g * icg;
        const int64_t b_row = (((g * c.kd + kd) * c.kh + kh) * c.kw + kw) * icg;
        for (int64_t ic = 0; ic < icg; ++ic) {
          const int64_t at = (b_row + ic) * columns.width;
          if (columns.plain) {
            axpy(pixel[ic], columns.plain + at, columns.width, sum, magnitude);
          } else {
            axpy_projected(pixel[ic], columns.projected + at, columns.bound + at, columns.width, sum,
                           magnitude);
          }
        }
      }
    }
  }
}

void Rows::matmul_row(int64_t row, const float* a, const Columns& columns, double* sum,
                      double* magnitude) const {
  const MatmulProblem& m = problem_.matmul();
  const int64_t batch = row / m.m, i = row % m.m;
  const float* a_batch = a + batches_.index_a[batch] * m.m * m.k;
  const int64_t b_first = batches_.index_b[batch] * m.k;
  for (int64_t k = 0; k < m.k; ++k) {
    const double x = a_batch[m.a_transposed ? k * m.m + i : i * m.k + k];
    const int64_t at = (b_first + k) * columns.width;
    if (!columns.plain) {
      axpy_projected(x, columns.projected + at, columns.bound + at, columns.width, sum, magnitude);
    } else if (m.b_transposed) {
      axpy_strided(x, columns.plain + b_offset(b_first + k, 0), m.k, columns.width, sum, magnitude);
    } else {
      axpy(x, columns.plain + at, columns.width, sum, magnitude);
    }
  }
}

std::vector<int64_t> Rows::corner_rows() const {
  std::vector<int64_t> rows;
  if (problem_.is_matmul()) {
    const int64_t m = problem_.matmul().m;
    rows = {0, m - 1, count_ - m, count_ - 1};
  } else {
    const ConvProblem& c = problem_.conv();
    for (int64_t n : {int64_t{0}, c.mb - 1}) {
      for (int64_t d : {int64_t{0}, c.od - 1}) {
        for (int64_t h : {int64_t{0}, c.oh - 1}) {
          for (int64_t w : {int64_t{0}, c.ow - 1}) {
            for (int64_t g : {int64_t{0}, c.g - 1}) {
              rows.push_back((((n * c.od + d) * c.oh + h) * c.ow + w) * c.g + g);
            }
          }
        }
      }
    }
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace cortex::bench
