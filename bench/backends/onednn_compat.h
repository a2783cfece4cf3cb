// oneDNN 2 and 3 differ in how primitives are described; the backend is written once against this.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace cortex::bench::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

struct ConvGeometry {
  Dims strides, dilates, pad_begin, pad_end;
};

inline dnnl::convolution_forward::primitive_desc describe_conv(const dnnl::engine& engine, const Desc& src,
                                                               const Desc& weights, const Desc& bias,
                                                               const Desc& dst, const ConvGeometry& geometry,
                                                               const dnnl::primitive_attr& attr) {
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine,
          kind,
          algorithm,
          src,
          weights,
          bias,
          dst,
          geometry.strides,
          geometry.dilates,
          geometry.pad_begin,
          geometry.pad_end,
          attr};
#else
  const dnnl::convolution_forward::desc desc(kind, algorithm, src, weights, bias, dst, geometry.strides,
                                             geometry.dilates, geometry.pad_begin, geometry.pad_end);
  return {desc, attr, engine};
#endif
}

inline dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine, const Desc& a, const Desc& b,
                                                    const Desc& bias, const Desc& c,
                                                    const dnnl::primitive_attr& attr) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, bias, c, attr};
#else
  const dnnl::matmul::desc desc(a, b, bias, c);
  return {desc, attr, engine};
#endif
}

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, alpha, beta);
#else
  ops.append_eltwise(1.0f, algorithm, alpha, beta);
#endif
}

}  // namespace cortex::bench::onednn
