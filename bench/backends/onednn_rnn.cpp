// Recurrent layers: the layouts of weights that oneDNN chooses, states from zero, all steps kept.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bench/backends/onednn_primitive.h"
#include "bench/measure/clock.h"
#include "bench/recursive/rnn.h"

namespace cortex::bench::onednn {
namespace {

using Tag = dnnl::memory::format_tag;
constexpr auto f32 = dnnl::memory::data_type::f32;

// Our order of gates (i f u o; r z g) by oneDNN's place (i f c~ o; update reset candidate).
int64_t our_gate(RnnCell cell, int64_t place) {
  const bool gru = cell == RnnCell::gru || cell == RnnCell::lbr_gru;
  return gru && place < 2 ? 1 - place : place;
}

dnnl::rnn_direction direction_of(RnnDirection direction) {
  switch (direction) {
    case RnnDirection::right2left:
      return dnnl::rnn_direction::unidirectional_right2left;
    case RnnDirection::concat:
      return dnnl::rnn_direction::bidirectional_concat;
    case RnnDirection::sum:
      return dnnl::rnn_direction::bidirectional_sum;
    default:
      return dnnl::rnn_direction::unidirectional_left2right;
  }
}

// Desc of what the primitive reads, by its own choice of layout.
struct Described {
  dnnl::primitive primitive;
  Desc src, weights_layer, weights_iter, bias, dst, workspace;
  std::string impl;
};

template <typename Pd>
Described described(const Pd& pd, const dnnl::primitive& primitive) {
  return {primitive,      pd.src_layer_desc(), pd.weights_layer_desc(), pd.weights_iter_desc(),
          pd.bias_desc(), pd.dst_layer_desc(), pd.workspace_desc(),     pd.impl_info_str()};
}

// oneDNN 3 passes to the primitive descriptor what oneDNN 2 passes to an operation descriptor before it.
template <typename Cell, typename... Args>
Described make(const dnnl::engine& engine, const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  const typename Cell::primitive_desc pd(engine, args...);
#else
  const typename Cell::desc desc(args...);
  const typename Cell::primitive_desc pd(desc, engine);
#endif
  return described(pd, Cell(pd));
}

Described describe(const dnnl::engine& engine, const RnnProblem& p) {
  const auto kind = dnnl::prop_kind::forward_inference;
  const int64_t d = p.both_directions() ? 2 : 1, g = rnn_gates(p.cell), h = p.hidden;
  const int64_t width = rnn_output_width(p);
  const Desc src({p.steps, p.batch, p.slc}, f32, Tag::tnc), none, bias({p.layers, d, g, h}, f32, Tag::ldgo);
  const Desc layer({p.layers, d, p.slc, g, h}, f32, Tag::any), iter({p.layers, d, h, g, h}, f32, Tag::any);
  const Desc dst({p.steps, p.batch, width}, f32, Tag::tnc);
  const auto direction = direction_of(p.direction);
  switch (p.cell) {
    case RnnCell::lstm:
      return make<dnnl::lstm_forward>(engine, kind, direction, src, none, none, layer, iter, bias, dst, none,
                                      none);
    case RnnCell::gru:
      return make<dnnl::gru_forward>(engine, kind, direction, src, none, layer, iter, bias, dst, none);
    case RnnCell::lbr_gru: {
      const Desc two({p.layers, d, g + 1, h}, f32, Tag::ldgo);
      return make<dnnl::lbr_gru_forward>(engine, kind, direction, src, none, layer, iter, two, dst, none);
    }
    default:
      return make<dnnl::vanilla_rnn_forward>(engine, kind, dnnl::algorithm::eltwise_tanh, direction, src,
                                             none, layer, iter, bias, dst, none);
  }
}

class RnnInstance : public Instance {
 public:
  RnnInstance(Device& device, const RnnRequest& request) : device_(device), problem_(*request.problem) {
    const double start = now_ns();
    const Described d = describe(device.engine, problem_);
    info_.create_ns = now_ns() - start;
    info_.isa = effective_isa();
    info_.kernel = d.impl;
    info_.layout = "tnc";
    primitive_ = d.primitive;
    const dnnl::memory src = bind(d.src, src_, 0), layer = bind(d.weights_layer, layer_, 1);
    const dnnl::memory iter = bind(d.weights_iter, iter_, 2), bias = bind(d.bias, bias_, 3),
                       dst = bind(d.dst, dst_, 0);
    args_ = {{DNNL_ARG_SRC_LAYER, src},
             {DNNL_ARG_WEIGHTS_LAYER, layer},
             {DNNL_ARG_WEIGHTS_ITER, iter},
             {DNNL_ARG_BIAS, bias},
             {DNNL_ARG_DST_LAYER, dst}};
    if (d.workspace.get_size() > 0) args_[DNNL_ARG_WORKSPACE] = bind(d.workspace, workspace_, 3);
    fill_input(*request.operands);
    const double pack = now_ns();
    fill_weights(*request.operands, layer, iter);
    info_.pack_ns = now_ns() - pack;
    for (auto& [index, memory] : args_) c_args_.push_back({index, memory.get()});
  }

  void execute() override {
    dnnl_primitive_execute(primitive_.get(), device_.stream.get(), static_cast<int>(c_args_.size()),
                           c_args_.data());
    dnnl_stream_wait(device_.stream.get());
  }
  void prepare_output() override {
    std::fill(dst_.floats(), dst_.floats() + dst_.bytes() / sizeof(float),
              std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    const int64_t width = rnn_output_width(problem_);
    for (int64_t t = 0; t < problem_.steps; ++t) {
      for (int64_t n = 0; n < problem_.batch; ++n) {
        std::copy_n(dst_.floats() + (t * problem_.batch + n) * width, width,
                    out + (n * problem_.steps + t) * width);
      }
    }
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return iter_.range(); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {src_.range(), layer_.range(), iter_.range(), bias_.range(), dst_.range()};
  }

 private:
  dnnl::memory bind(const Desc& desc, BenchBuffer& buffer, int colour) {
    buffer = BenchBuffer(desc.get_size(), colour);
    if (!buffer.data()) throw std::bad_alloc();
    return dnnl::memory(desc, device_.engine, buffer.data());
  }

  void fill_input(const RnnOperands& operands) {
    for (int64_t t = 0; t < problem_.steps; ++t) {
      for (int64_t n = 0; n < problem_.batch; ++n) {
        std::copy_n(operands.x() + (n * problem_.steps + t) * problem_.slc, problem_.slc,
                    src_.floats() + (t * problem_.batch + n) * problem_.slc);
      }
    }
  }

  // [gates][out][in] to oneDNN's [layer][direction][in][gate][out], then to the layout of its choice.
  void fill_weights(const RnnOperands& operands, dnnl::memory layer, dnnl::memory iter) {
    const int64_t d = problem_.both_directions() ? 2 : 1, g = rnn_gates(problem_.cell), h = problem_.hidden;
    const bool two_biases = problem_.cell == RnnCell::lbr_gru;
    std::vector<float> w(size_t(problem_.layers * d * problem_.slc * g * h)),
        u(size_t(problem_.layers * d * h * g * h));
    for (int64_t i = 0; i < problem_.layers * d; ++i) {
      const RnnOperands::Layer& from = operands.layers[size_t(i)];
      for (int64_t place = 0; place < g; ++place) {
        const int64_t gate = our_gate(problem_.cell, place);
        for (int64_t o = 0; o < h; ++o) {
          for (int64_t k = 0; k < from.in; ++k) {
            w[size_t(((i * problem_.slc + k) * g + place) * h + o)] =
                from.w.as<float>()[(gate * h + o) * from.in + k];
          }
          for (int64_t k = 0; k < h; ++k) {
            u[size_t(((i * h + k) * g + place) * h + o)] = from.u.as<float>()[(gate * h + o) * h + k];
          }
          bias_.floats()[(i * (g + two_biases) + place) * h + o] = from.b.as<float>()[gate * h + o];
        }
      }
    }
    reorder(w.data(), {problem_.layers, d, problem_.slc, g, h}, layer);
    reorder(u.data(), {problem_.layers, d, h, g, h}, iter);
  }
  void reorder(float* values, const Dims& dims, dnnl::memory to) {
    dnnl::memory from(Desc(dims, f32, Tag::ldigo), device_.engine, values);
    dnnl::reorder(from, to).execute(device_.stream, from, to);
    device_.stream.wait();
  }

  Device& device_;
  const RnnProblem& problem_;
  dnnl::primitive primitive_;
  BenchBuffer src_, layer_, iter_, bias_, dst_, workspace_;
  std::unordered_map<int, dnnl::memory> args_;
  std::vector<dnnl_exec_arg_t> c_args_;
};

}  // namespace

Result<std::unique_ptr<Instance>> create_rnn(Device& device, const RnnRequest& request) {
  if (request.problem->direction == RnnDirection::concat && request.problem->layers > 1) {
    return unsupported("oneDNN's weights have one width for all layers: concat doubles the second layer's");
  }
  try {
    return std::unique_ptr<Instance>(std::make_unique<RnnInstance>(device, request));
  } catch (const dnnl::error& e) {
    return unsupported(fmt::format("oneDNN refuses the layer: {}", e.what()));
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::out_of_memory, "out of memory for the operands"};
  }
}

}  // namespace cortex::bench::onednn
