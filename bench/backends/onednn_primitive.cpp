#include "bench/backends/onednn_primitive.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "bench/measure/clock.h"

namespace cortex::bench::onednn {
namespace {

dnnl::memory bind(Device& device, const Desc& desc, BenchBuffer& buffer, int colour) {
  buffer = BenchBuffer(desc.get_size(), colour);
  if (!buffer.data()) throw std::bad_alloc();
  return dnnl::memory(desc, device.engine, buffer.data());
}

}  // namespace

const char* effective_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    default:
      return "avx512_core_bf16 or newer";
  }
}

dnnl::primitive_attr epilogue_attributes(const Epilogue& e) {
  dnnl::post_ops ops;
  const auto residual = [&] {
    if (e.residual) ops.append_sum(e.residual_scale);
  };
  if (!e.residual_after_activation) residual();
  switch (e.activation) {
    case Activation::none:
      break;
    case Activation::relu:
      append_eltwise(ops, dnnl::algorithm::eltwise_relu, e.alpha, 0);
      break;
    case Activation::clip:
      append_eltwise(ops, dnnl::algorithm::eltwise_clip, e.alpha, e.beta);
      break;
    case Activation::sigmoid:
      append_eltwise(ops, dnnl::algorithm::eltwise_logistic, 0, 0);
      break;
    case Activation::tanh:
      append_eltwise(ops, dnnl::algorithm::eltwise_tanh, 0, 0);
      break;
    case Activation::gelu_erf:
      append_eltwise(ops, dnnl::algorithm::eltwise_gelu_erf, 0, 0);
      break;
    case Activation::gelu_tanh:
      append_eltwise(ops, dnnl::algorithm::eltwise_gelu_tanh, 0, 0);
      break;
  }
  if (e.residual_after_activation) residual();
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  return attr;
}

Desc strided(const Dims& dims, const Dims& strides) {
  return Desc(dims, dnnl::memory::data_type::f32, strides);
}

Desc with_any_layout(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return Desc(desc.get_dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
#else
  return Desc(desc.dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
#endif
}

Bound::Bound(Device& device, const dnnl::primitive& primitive, const Tensors& user, const Desc& src,
             const Desc& weights, const Desc& dst, const Problem& problem, const Operands& operands)
    : device_(device), primitive_(primitive), user_(user), problem_(problem), operands_(operands) {
  src_memory_ = bind(device, src, src_, 0);
  weights_memory_ = bind(device, weights, weights_, 1);
  dst_memory_ = bind(device, dst, dst_, 2);
  reorder(dnnl::memory(user.src, device.engine, operands.a.data()), src_memory_);
  const double start = now_ns();
  reorder(dnnl::memory(user.weights, device.engine, operands.b.data()), weights_memory_);
  pack_ns_ = now_ns() - start;
  args_ = {{DNNL_ARG_SRC, src_memory_.get()},
           {DNNL_ARG_WEIGHTS, weights_memory_.get()},
           {DNNL_ARG_DST, dst_memory_.get()}};
  if (problem.epilogue.bias) {
    bias_memory_ = bind(device, user.bias, bias_, 3);
    std::memcpy(bias_.data(), operands.bias.data(), bias_.bytes());
    args_.push_back({DNNL_ARG_BIAS, bias_memory_.get()});
  }
}

void Bound::reorder(dnnl::memory from, dnnl::memory to) {
  dnnl::reorder(from, to).execute(device_.stream, from, to);
  device_.stream.wait();
}

// Through the C API: building the C++ argument map would be measured too.
void Bound::execute() {
  dnnl_primitive_execute(primitive_.get(), device_.stream.get(), static_cast<int>(args_.size()),
                         args_.data());
  dnnl_stream_wait(device_.stream.get());
}

void Bound::prepare_output() {
  float* values = dst_.floats();
  std::fill(values, values + dst_.bytes() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
  if (problem_.epilogue.residual) {
    reorder(dnnl::memory(user_.dst, device_.engine, operands_.residual.data()), dst_memory_);
  }
}

void Bound::read_result(float* out) { reorder(dst_memory_, dnnl::memory(user_.dst, device_.engine, out)); }

std::vector<std::span<const std::byte>> Bound::operands() const {
  std::vector<std::span<const std::byte>> all = {src_.range(), weights_.range(), dst_.range()};
  if (bias_.data()) all.push_back(bias_.range());
  return all;
}

}  // namespace cortex::bench::onednn
