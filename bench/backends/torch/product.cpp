#include "bench/backends/torch/product.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "bench/backends/trial.h"

namespace cortex::bench::torch_peer {

Product::Product(at::Tensor weight, at::Tensor bias, bool tried)
    : weight_(std::move(weight)), transposed_(weight_.t().contiguous()), bias_(std::move(bias)) {
  best_.fill(linear);
  if (!tried) return;
  for (std::size_t i = 0; i < best_.size(); ++i) {
    const int64_t rows = int64_t{1} << i;
    const at::Tensor input = at::ones({rows, weight_.size(1)});
    double best_ns = 1e300;
    for (int way = 0; way < ways; ++way) {
      if (way == mv && rows > 8) continue;
      const double took = trial_ns([&] { run(static_cast<Way>(way), input); });
      if (took < best_ns) {
        best_ns = took;
        best_[i] = static_cast<Way>(way);
      }
    }
  }
}

// addmm and linear take the bias along; a row at a time, matrix times vector, adds it to a vector that is in
// cache.
at::Tensor Product::run(Way way, const at::Tensor& rows) const {
  switch (way) {
    case mm:
      return bias_.defined() ? at::addmm(bias_, rows, transposed_) : at::mm(rows, transposed_);
    case mv: {
      if (rows.size(0) == 1) {
        const at::Tensor row = rows.select(0, 0);
        return (bias_.defined() ? at::addmv(bias_, weight_, row) : at::mv(weight_, row)).unsqueeze(0);
      }
      at::Tensor out = at::empty({rows.size(0), weight_.size(0)});
      for (int64_t i = 0; i < rows.size(0); ++i) {
        at::Tensor result = out.select(0, i);
        if (bias_.defined()) {
          at::addmv_out(result, bias_, weight_, rows.select(0, i));
        } else {
          at::mv_out(result, weight_, rows.select(0, i));
        }
      }
      return out;
    }
    default:
      return bias_.defined() ? at::linear(rows, weight_, bias_) : at::linear(rows, weight_);
  }
}

at::Tensor Product::operator()(const at::Tensor& rows) const {
  const auto n = static_cast<std::uint64_t>(std::max<int64_t>(1, rows.size(0)));
  // The nearest power of two below or at n, except that matrix-vector products stop where they were tried.
  const auto i = std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(n)) - 1, best_.size() - 1);
  Way way = best_[i];
  if (way == mv && i + 1 < best_.size() && best_[i + 1] != mv && n * 4 > (std::uint64_t{1} << i) * 5)
    way = best_[i + 1];
  return run(way, rows);
}

}  // namespace cortex::bench::torch_peer
