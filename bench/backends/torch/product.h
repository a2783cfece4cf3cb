// Rows times a matrix, bias added: as torch::nn::Linear does it, or by whichever of torch's ways is fastest
// for that many rows.
#pragma once

#include <ATen/ATen.h>

#include <array>

namespace cortex::bench::torch_peer {

class Product {
 public:
  Product() = default;
  // weight [out][in], as torch::nn::Linear keeps it; bias [out] or undefined. `tried`: every way is tried at
  // 1, 2, 4
  // ... 512 rows; else linear runs.
  Product(at::Tensor weight, at::Tensor bias, bool tried);

  at::Tensor operator()(const at::Tensor& rows) const;  // [n][in] -> [n][out]

 private:
  enum Way { linear, mm, mv, ways };
  at::Tensor run(Way way, const at::Tensor& rows) const;

  at::Tensor weight_, transposed_, bias_;
  std::array<Way, 10> best_{};
};

}  // namespace cortex::bench::torch_peer
