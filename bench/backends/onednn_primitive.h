// One oneDNN primitive with its memory: what the convolution and the matmul backend share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/backends/backend.h"
#include "bench/backends/buffer.h"
#include "bench/backends/onednn_compat.h"

namespace cortex::bench::onednn {

// User tensors in the reference layout, described by strides.
struct Tensors {
  Desc src, weights, bias, dst;  // bias: zero descriptor when the problem has none
};

struct Device {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

// Refuses products of bytes where there is no VNNI: oneDNN adds pairs of them in 16 bits there, which
// saturate (its developer guide, "Nuances of int8 Computations"). What comes out is another result.
Status has_exact_products(const Problem& problem, Isa isa);

dnnl::primitive_attr epilogue_attributes(const Epilogue& epilogue);
dnnl::primitive_attr attributes(const Problem& problem, const Operands& operands);
dnnl::memory::data_type type_of(DataType type);
Desc with_any_layout(const Desc& desc, DataType type);
Desc strided(const Dims& dims, const Dims& strides, DataType type = DataType::f32);

// A primitive bound to buffers in the layouts it chose. Construction may throw dnnl::error.
class Bound {
 public:
  Bound(Device& device, const dnnl::primitive& primitive, const Tensors& user, const Desc& src,
        const Desc& weights, const Desc& dst, const Problem& problem, const Operands& operands);

  void execute();
  void prepare_output();
  void read_result(float* out);
  std::span<const std::byte> weights() const { return weights_.range(); }
  std::vector<std::span<const std::byte>> operands() const;
  double pack_ns() const { return pack_ns_; }

 private:
  void reorder(dnnl::memory from, dnnl::memory to);

  Device& device_;
  dnnl::primitive primitive_;
  Tensors user_;
  const Problem& problem_;
  const Operands& operands_;
  BenchBuffer src_, weights_, bias_, scale_, src_zero_, dst_zero_, dst_;
  dnnl::memory src_memory_, weights_memory_, bias_memory_, scale_memory_, src_zero_memory_, dst_zero_memory_,
      dst_memory_;
  std::vector<dnnl_exec_arg_t> args_;
  double pack_ns_ = 0;
};

// Such a primitive as a way to run a problem.
class PrimitiveInstance : public Instance {
 public:
  PrimitiveInstance(std::unique_ptr<Bound> bound, InstanceInfo info) : bound_(std::move(bound)) {
    info_ = std::move(info);
  }
  void execute() override { bound_->execute(); }
  void prepare_output() override { bound_->prepare_output(); }
  Status read_result(float* out) override {
    bound_->read_result(out);
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return bound_->weights(); }
  std::vector<std::span<const std::byte>> operands() const override { return bound_->operands(); }
  void describe_trial(std::string text) { info_.schedule = std::move(text); }

 private:
  std::unique_ptr<Bound> bound_;
};

const char* effective_isa();  // what oneDNN generates code for

Result<std::unique_ptr<Instance>> create_conv(Device& device, const Request& request,
                                              const Operands& operands);
Result<std::unique_ptr<Instance>> create_matmul(Device& device, const Request& request,
                                                const Operands& operands);
Result<std::unique_ptr<Instance>> create_rnn(Device& device, const RnnRequest& request);

}  // namespace cortex::bench::onednn
