#include <fmt/format.h>
#include <libxsmm.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "bench/backends/buffer.h"
#include "bench/backends/epilogue.h"
#include "bench/backends/team.h"
#include "bench/backends/trial.h"
#include "bench/backends/xsmm_internal.h"
#include "bench/reference/shapes.h"

namespace cortex::bench::xsmm {
namespace {

// Offsets of a logical index (sum over dims) in the reference layout, by dim type: where an element of a
// LIBXSMM tensor lives on our side.
struct ReferenceStrides {
  int64_t n = 0, c = 0, h = 0, w = 0, k = 0, r = 0, s = 0;
  int64_t extent_h = 0, extent_w = 0;  // 0: no padding to look out for
  int64_t pad_h = 0, pad_w = 0;        // physical, in the LIBXSMM tensor
};

struct LayoutDeleter {
  void operator()(libxsmm_dnn_tensor_datalayout* p) const { libxsmm_dnn_destroy_tensor_datalayout(p); }
};
using Layout = std::unique_ptr<libxsmm_dnn_tensor_datalayout, LayoutDeleter>;

// Calls visit(offset in LIBXSMM's tensor, offset in the reference layout or -1 in padding) for all elements.
template <typename Visit>
void for_each_element(const libxsmm_dnn_tensor_datalayout& layout, const ReferenceStrides& strides,
                      Visit visit) {
  struct Axis {
    int64_t size, stride, h, w;
  };
  std::vector<Axis> axes;
  int64_t seen[LIBXSMM_DNN_TENSOR_DIMTYPE_X + 1];
  std::fill(std::begin(seen), std::end(seen), 1);
  for (unsigned i = 0; i < layout.num_dims;
       ++i) {  // fastest first; a repeated type is the same axis in blocks
    const auto type = layout.dim_type[i];
    const int64_t block = seen[type];
    int64_t stride = 0;
    switch (type) {
      case LIBXSMM_DNN_TENSOR_DIMTYPE_N:
        stride = strides.n;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_C:
        stride = strides.c;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_H:
        stride = strides.h;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_W:
        stride = strides.w;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_K:
        stride = strides.k;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_R:
        stride = strides.r;
        break;
      case LIBXSMM_DNN_TENSOR_DIMTYPE_S:
        stride = strides.s;
        break;
      default:
        break;
    }
    axes.push_back({layout.dim_size[i], stride * block, type == LIBXSMM_DNN_TENSOR_DIMTYPE_H ? block : 0,
                    type == LIBXSMM_DNN_TENSOR_DIMTYPE_W ? block : 0});
    seen[type] *= layout.dim_size[i];
  }
  std::vector<int64_t> index(axes.size(), 0);
  const int64_t shift = -strides.pad_h * strides.h - strides.pad_w * strides.w;
  for (int64_t offset = 0;;) {
    int64_t reference = shift, h = -strides.pad_h, w = -strides.pad_w;
    for (std::size_t i = 1; i < axes.size(); ++i) {
      reference += index[i] * axes[i].stride;
      h += index[i] * axes[i].h;
      w += index[i] * axes[i].w;
    }
    const bool inside = (strides.extent_h == 0 || (h >= 0 && h < strides.extent_h)) &&
                        (strides.extent_w == 0 || (w >= 0 && w < strides.extent_w));
    for (int64_t j = 0; j < axes[0].size; ++j) visit(offset++, inside ? reference + j * axes[0].stride : -1);
    std::size_t i = 1;
    while (i < axes.size() && ++index[i] == axes[i].size) index[i++] = 0;
    if (i == axes.size()) return;
  }
}

class ConvInstance : public Instance {
 public:
  ConvInstance(const Request& request, const Operands& operands)
      : problem_(*request.problem), c_(problem_.conv()), operands_(operands), threads_(request.threads) {}
  ConvInstance(const ConvInstance&) = delete;
  ~ConvInstance() override {
    for (libxsmm_dnn_tensor* tensor : {src_tensor_, weights_tensor_, dst_tensor_}) {
      if (tensor) libxsmm_dnn_destroy_tensor(tensor);
    }
    if (layer_) libxsmm_dnn_destroy_conv_layer(layer_);
  }

  Status create() {
    libxsmm_dnn_conv_desc desc;
    std::memset(&desc, 0, sizeof desc);
    desc.N = static_cast<int>(c_.mb);
    desc.C = static_cast<int>(c_.ic);
    desc.H = static_cast<int>(c_.ih);
    desc.W = static_cast<int>(c_.iw);
    desc.K = static_cast<int>(c_.oc);
    desc.R = static_cast<int>(c_.kh);
    desc.S = static_cast<int>(c_.kw);
    desc.u = static_cast<int>(c_.sh);
    desc.v = static_cast<int>(c_.sw);
    desc.pad_h = desc.pad_h_in = static_cast<int>(c_.ph);  // the input comes padded: the fast path
    desc.pad_w = desc.pad_w_in = static_cast<int>(c_.pw);
    desc.threads = threads_;
    desc.datatype_in = desc.datatype_out = LIBXSMM_DNN_DATATYPE_F32;
    desc.buffer_format = desc.filter_format = LIBXSMM_DNN_TENSOR_FORMAT_LIBXSMM;
    desc.algo = LIBXSMM_DNN_CONV_ALGO_DIRECT;
    desc.options = LIBXSMM_DNN_CONV_OPTION_OVERWRITE;
    desc.fuse_ops = LIBXSMM_DNN_CONV_FUSE_NONE;
    const double start = now_ns();
    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    layer_ = libxsmm_dnn_create_conv_layer(desc, &status);
    info_.create_ns = now_ns() - start;
    if (!layer_ || (status != LIBXSMM_DNN_SUCCESS && status != LIBXSMM_DNN_WARN_FALLBACK)) {
      return unsupported(fmt::format("LIBXSMM refuses the convolution: {}", libxsmm_dnn_get_error(status)));
    }
    info_.isa = libxsmm_get_target_arch();
    info_.kernel = status == LIBXSMM_DNN_WARN_FALLBACK ? "dnn conv (fallback)" : "dnn conv";
    info_.layout = "blocked";
    return bind_tensors();
  }

  void execute() override {
    run_on_team(threads_, [&](int t) { libxsmm_dnn_execute_st(layer_, LIBXSMM_DNN_COMPUTE_KIND_FWD, 0, t); });
  }
  void prepare_output() override {
    std::fill(dst_.floats(), dst_.floats() + dst_.bytes() / sizeof(float),
              std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    const float* from = dst_.floats();
    for_each_element(*dst_layout_, output_strides(), [&](int64_t at, int64_t reference) {
      if (reference >= 0) out[reference] = from[at];
    });
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return weights_.range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {src_.range(), weights_.range(), dst_.range()};
  }

 private:
  ReferenceStrides input_strides() const {
    return {.n = c_.ih * c_.iw * c_.ic,
            .c = 1,
            .h = c_.iw * c_.ic,
            .w = c_.ic,
            .extent_h = c_.ih,
            .extent_w = c_.iw,
            .pad_h = c_.ph,
            .pad_w = c_.pw};
  }
  ReferenceStrides output_strides() const {  // LIBXSMM calls the output's channels C or K
    return {.n = c_.oh * c_.ow * c_.oc, .c = 1, .h = c_.ow * c_.oc, .w = c_.oc, .k = 1};
  }
  ReferenceStrides filter_strides() const {
    return {.c = c_.oc, .k = 1, .r = c_.kw * c_.ic * c_.oc, .s = c_.ic * c_.oc};
  }

  Status bind_one(libxsmm_dnn_tensor_type type, int64_t elements, int colour, BenchBuffer& buffer,
                  Layout& layout, libxsmm_dnn_tensor*& tensor) {
    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    layout.reset(libxsmm_dnn_create_tensor_datalayout(layer_, type, &status));
    if (!layout) return internal_error(fmt::format("LIBXSMM: {}", libxsmm_dnn_get_error(status)));
    if (libxsmm_dnn_get_tensor_elements(layout.get(), &status) != elements) {
      return unsupported("LIBXSMM's convolution pads these channel counts");
    }
    buffer = BenchBuffer(libxsmm_dnn_get_tensor_size(layout.get(), &status), colour);
    if (!buffer.data()) return Error{ErrorCode::out_of_memory, "LIBXSMM: out of memory for the operands"};
    tensor = libxsmm_dnn_link_tensor(layout.get(), buffer.data(), &status);
    if (tensor) status = libxsmm_dnn_bind_tensor(layer_, tensor, type);
    if (!tensor || status != LIBXSMM_DNN_SUCCESS) {
      return internal_error(fmt::format("LIBXSMM: {}", libxsmm_dnn_get_error(status)));
    }
    return Status::success();
  }

  Status bind_tensors() {
    Layout src_layout, weights_layout;
    const int64_t padded = c_.mb * c_.ic * (c_.ih + 2 * c_.ph) * (c_.iw + 2 * c_.pw);
    if (Status s = bind_one(LIBXSMM_DNN_REGULAR_INPUT, padded, 0, src_, src_layout, src_tensor_); !s)
      return s;
    if (Status s = bind_one(LIBXSMM_DNN_REGULAR_FILTER, b_elements(problem_), 1, weights_, weights_layout,
                            weights_tensor_);
        !s)
      return s;
    if (Status s =
            bind_one(LIBXSMM_DNN_REGULAR_OUTPUT, c_elements(problem_), 2, dst_, dst_layout_, dst_tensor_);
        !s)
      return s;
    fill_from(*src_layout, input_strides(), operands_.a_data(), src_);
    const double start = now_ns();
    fill_from(*weights_layout, filter_strides(), operands_.b_data(), weights_);
    info_.pack_ns = now_ns() - start;

    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    const std::size_t bytes = libxsmm_dnn_get_scratch_size(layer_, LIBXSMM_DNN_COMPUTE_KIND_FWD, &status);
    if (bytes > 0) {
      scratch_ = BenchBuffer(bytes, 3);
      if (!scratch_.data()) return Error{ErrorCode::out_of_memory, "LIBXSMM: out of memory for its scratch"};
      libxsmm_dnn_bind_scratch(layer_, LIBXSMM_DNN_COMPUTE_KIND_FWD, scratch_.data());
    }
    return Status::success();
  }

  static void fill_from(const libxsmm_dnn_tensor_datalayout& layout, const ReferenceStrides& strides,
                        const float* values, const BenchBuffer& buffer) {
    float* to = buffer.floats();
    for_each_element(layout, strides, [&](int64_t at, int64_t reference) {
      to[at] = reference >= 0 ? values[reference] : 0.0f;
    });
  }

  const Problem& problem_;
  const ConvProblem& c_;
  const Operands& operands_;
  int threads_;
  libxsmm_dnn_layer* layer_ = nullptr;
  BenchBuffer src_, weights_, dst_, scratch_;
  Layout dst_layout_;
  libxsmm_dnn_tensor* src_tensor_ = nullptr;
  libxsmm_dnn_tensor* weights_tensor_ = nullptr;
  libxsmm_dnn_tensor* dst_tensor_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Instance>> create_conv(const Request& request, const Operands& operands) {
  const ConvProblem& c = request.problem->conv();
  if (c.id > 1 || c.kd > 1 || c.od > 1)
    return unsupported("LIBXSMM's convolution has two spatial dimensions");
  if (c.g > 1) return unsupported("LIBXSMM's convolution has no groups");
  if (c.dh || c.dw) return unsupported("LIBXSMM's convolution has no dilation");
  if (!request.problem->epilogue.empty()) return unsupported("LIBXSMM's convolution has no such epilogue");
  if ((c.ih + 2 * c.ph - c.kh) / c.sh + 1 != c.oh || (c.iw + 2 * c.pw - c.kw) / c.sw + 1 != c.ow) {
    return unsupported("LIBXSMM's convolution pads both ends alike");
  }
  if (std::max({a_elements(*request.problem), b_elements(*request.problem), c_elements(*request.problem)}) >
      std::numeric_limits<int>::max()) {
    return unsupported("LIBXSMM's convolution takes 32-bit sizes");
  }
  auto instance = std::make_unique<ConvInstance>(request, operands);
  if (Status s = instance->create(); !s) return s.error();
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace cortex::bench::xsmm
