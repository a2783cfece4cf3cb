#include "bench/backends/onednn_primitive.h"

#include <fmt/format.h>

#include <cstring>
#include <new>

#include "bench/measure/clock.h"
#include "bench/reference/shapes.h"

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

Status has_exact_products(const Problem& problem, Isa isa) {
  const bool vnni = isa == Isa::avx2vnni || isa >= Isa::avx512vnni;
  if (vnni || size_of(problem.wei) != 1) return Status::success();
  return unsupported(
      fmt::format("oneDNN's products of bytes saturate with {}, which has no VNNI", isa_name(isa)));
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

Desc strided(const Dims& dims, const Dims& strides, DataType type) {
  return Desc(dims, type_of(type), strides);
}

dnnl::memory::data_type type_of(DataType type) {
  using oneDnn = dnnl::memory::data_type;
  switch (element_of(type)) {
    case DataType::bf16:
      return oneDnn::bf16;
    case DataType::u8:
      return oneDnn::u8;
    case DataType::s8:
      return oneDnn::s8;
    case DataType::s32:
      return oneDnn::s32;
    default:
      return oneDnn::f32;
  }
}

// Scales of integer sums and zero points are part of the primitive in oneDNN 2, arguments of it in oneDNN 3.
dnnl::primitive_attr attributes(const Problem& problem, const Operands& operands) {
  dnnl::primitive_attr attr = epilogue_attributes(problem.epilogue);
  const std::pair<int, int32_t> zeros[] = {{DNNL_ARG_SRC, problem.src_zero_point},
                                           {DNNL_ARG_DST, problem.epilogue.zero_point}};
  for (const auto& [operand, zero] : zeros) {
    if (zero == 0) continue;
#if DNNL_VERSION_MAJOR >= 3
    attr.set_zero_points_mask(operand, 0);
#else
    attr.set_zero_points(operand, 0, {zero});
#endif
  }
  if (!problem.epilogue.scale) return attr;
  const auto count = static_cast<std::size_t>(bias_elements(problem));
  const float* scale = operands.scale.as<float>();
#if DNNL_VERSION_MAJOR >= 3
  (void)scale, (void)count;
  attr.set_scales_mask(DNNL_ARG_WEIGHTS, problem.is_conv() && problem.conv().g > 1 ? 3
                                         : problem.is_conv()                       ? 1
                                                                                   : 2);
#else
  const int last = problem.is_conv() ? 1 : static_cast<int>(problem.matmul().batch_a.size()) + 1;
  attr.set_output_scales(1 << last, std::vector<float>(scale, scale + count));
#endif
  return attr;
}

Desc with_any_layout(const Desc& desc, DataType type) {
#if DNNL_VERSION_MAJOR >= 3
  return Desc(desc.get_dims(), type_of(type), dnnl::memory::format_tag::any);
#else
  return Desc(desc.dims(), type_of(type), dnnl::memory::format_tag::any);
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
#if DNNL_VERSION_MAJOR < 3
    // oneDNN 2 scales the bias too.
    const auto count = static_cast<std::size_t>(bias_.bytes() / sizeof(float));
    for (std::size_t i = 0; problem.epilogue.scale && i < count; ++i) {
      bias_.floats()[i] /= operands.scale.as<float>()[i];
    }
#endif
    args_.push_back({DNNL_ARG_BIAS, bias_memory_.get()});
  }
#if DNNL_VERSION_MAJOR >= 3
  if (problem.epilogue.scale) {
    const auto count = static_cast<int64_t>(operands.scale.size() / sizeof(float));
    scale_memory_ = bind(device, strided({count}, {1}), scale_, 3);
    std::memcpy(scale_.data(), operands.scale.data(), scale_.bytes());
    args_.push_back({DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, scale_memory_.get()});
  }
  const auto zero_point = [&](int operand, int32_t zero, BenchBuffer& buffer, dnnl::memory& memory) {
    if (zero == 0) return;
    memory = bind(device, strided({1}, {1}, DataType::s32), buffer, 3);
    std::memcpy(buffer.data(), &zero, sizeof zero);
    args_.push_back({DNNL_ARG_ATTR_ZERO_POINTS | operand, memory.get()});
  };
  zero_point(DNNL_ARG_SRC, problem.src_zero_point, src_zero_, src_zero_memory_);
  zero_point(DNNL_ARG_DST, problem.epilogue.zero_point, dst_zero_, dst_zero_memory_);
#endif
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
  std::memset(dst_.data(), 0xff, dst_.bytes());  // NaN
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
