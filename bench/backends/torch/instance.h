// What the two ways of running share: batches in a loop, results by node.
#pragma once

#include <c10/core/InferenceMode.h>

#include "bench/backends/torch/model.h"
#include "bench/measure/clock.h"

namespace cortex::bench::torch_peer {

// Derived runs a batch and says where a node's states are.
template <typename Derived>
class RecursiveInstance : public Instance {
 public:
  RecursiveInstance(const RecursiveRequest& request, const char* layout, bool tried)
      : request_(request), model_(make_model(request, tried)) {
    info_.layout = layout;
    info_.isa = isa_of_torch();
    info_.kernel = "aten";
  }

  void execute() override {
    const c10::InferenceMode inference;
    for (const Structures& batch : request_.operands->batches) derived().run(batch);
  }
  void prepare_output() override {}
  Status read_result(float* out) override {
    const c10::InferenceMode inference;
    for (const Structures& batch : request_.operands->batches) {
      derived().run(batch);
      const int64_t nodes = batch.node_count(), h = model_.h, second = model_.second;
      float* more = out + nodes * h;
      for (int32_t v = 0; v < nodes; ++v) {
        copy(derived().h_of(v), out + v * h, h);
        if (second) copy(derived().second_of(v), more + v * second, second);
      }
      out += nodes * (h + second);
    }
    return Status::success();
  }
  std::span<const std::byte> weights() const override {
    return bytes(request_.problem->model == RecursiveModel::treefc ||
                         request_.problem->model == RecursiveModel::mvrnn
                     ? "W"
                     : "U");
  }
  std::vector<std::span<const std::byte>> operands() const override { return {weights(), bytes("X")}; }

 protected:
  const RecursiveRequest request_;
  const Model model_;
  Order order_;

 private:
  Derived& derived() { return static_cast<Derived&>(*this); }
  Model make_model(const RecursiveRequest& request, bool tried) {
    const c10::InferenceMode inference;
    const double start = now_ns();
    Model model(*request.problem, *request.operands, tried);
    info_.create_ns = now_ns() - start;
    return model;
  }
  static void copy(const at::Tensor& from, float* to, int64_t count) {
    at::from_blob(to, {count}).copy_(from.reshape({count}));
  }
  std::span<const std::byte> bytes(const char* name) const {
    const RecursiveParameter& p = request_.operands->parameter(name);
    return {reinterpret_cast<const std::byte*>(p.data()),
            static_cast<std::size_t>(p.count()) * sizeof(float)};
  }
};

}  // namespace cortex::bench::torch_peer
