// Rows times a matrix, bias added, by whichever of torch's ways is fastest for that many rows.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace cortex::bench::torch_peer {

class Product {
 public:
  Product() = default;
  // weight [out][in], as torch::nn::Linear keeps it; bias [out] or undefined. Tries every way at 1, 2, 4, ...
  // 512 rows.
  Product(at::Tensor weight, at::Tensor bias);

  at::Tensor operator()(const at::Tensor& rows) const;  // [n][in] -> [n][out]

 private:
  enum Way { linear, mm, mv, ways };
  at::Tensor run(Way way, const at::Tensor& rows) const;

  at::Tensor weight_, transposed_, bias_;
  std::array<Way, 10> best_{};
};

}  // namespace cortex::bench::torch_peer
