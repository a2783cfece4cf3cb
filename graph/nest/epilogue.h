// What happens to a finished element of C. The order of steps is fixed and is that of
// cortex_epilogue in include/cortex/microkernels.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace cortex {

// Values match cortex_activation in include/cortex/microkernels.h.
enum class Activation : int32_t { none, relu, clip, sigmoid, tanh, gelu_erf, gelu_tanh };
inline constexpr std::string_view activation_names[] = {"none", "relu",     "clip",     "sigmoid",
                                                        "tanh", "gelu_erf", "gelu_tanh"};
constexpr std::string_view activation_name(Activation a) { return activation_names[static_cast<int>(a)]; }

struct Epilogue {
  bool bias = false;      // one value per output channel / per column of a matmul
  bool residual = false;  // C-shaped tensor, same layout as C; may be C itself
  bool residual_after_activation = false;
  float residual_scale = 1.0f;
  Activation activation = Activation::none;
  float alpha = 0.0f;  // relu: slope below zero; clip: lower bound
  float beta = 0.0f;   // clip: upper bound
  // Of integer sums: one s32 per output channel is added to them, then they are multiplied with one f32 each.
  bool compensation = false, scale = false;
  int32_t zero_point = 0;  // of an integer C, added to what is rounded

  bool empty() const {
    return !bias && !residual && activation == Activation::none && !compensation && !scale;
  }
  // What every tile's body does on the way: at most bias and ReLU.
  bool light() const {
    const bool relu = activation == Activation::relu && alpha == 0.0f;
    return !residual && (activation == Activation::none || relu) && !compensation && !scale;
  }
  // Whether a step takes one value per output channel.
  bool per_channel() const { return bias || compensation || scale; }
  bool operator==(const Epilogue&) const = default;
};

}  // namespace cortex
