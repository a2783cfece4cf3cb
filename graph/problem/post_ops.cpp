// --attr-post-ops: "sum[:scale]" and one activation "name[:alpha[:beta[:1]]]", in either order.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "graph/problem/options.h"

namespace cortex {
namespace {

struct ActivationName {
  std::string_view name;
  Activation activation;
  int arguments;  // alpha, beta that mean something
};
constexpr ActivationName activation_names[] = {
    {"relu", Activation::relu, 1},         {"clip", Activation::clip, 2},
    {"clip_v2", Activation::clip, 2},      {"logistic", Activation::sigmoid, 0},
    {"sigmoid", Activation::sigmoid, 0},   {"tanh", Activation::tanh, 0},
    {"gelu_erf", Activation::gelu_erf, 0}, {"gelu_tanh", Activation::gelu_tanh, 0},
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

class PostOps {
 public:
  explicit PostOps(Token token) : token_(token) {}

  Status add(std::string_view step) {
    const auto parts = split(step, ':');
    if (parts[0] == "sum") return add_sum(parts);
    if (parts[0] == "add") return add_binary(parts);
    for (const ActivationName& a : activation_names) {
      if (parts[0] == a.name) return add_activation(a, parts);
    }
    return refuse(
        fmt::format("step {} is not supported: known are sum, add:f32:per_tensor, relu, clip, logistic, "
                    "tanh, gelu_erf, gelu_tanh",
                    quoted(step)),
        ErrorCode::unsupported);
  }

  const Epilogue& result() const { return epilogue_; }

 private:
  Error refuse(std::string_view what, ErrorCode code = ErrorCode::invalid_argument) const {
    return refusal("option", token_, token_.column, what, code);
  }

  Result<float> number(std::string_view text) const {
    float value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
      return refuse(fmt::format("{} is not a finite number", quoted(text)));
    }
    return value;
  }

  Status set_residual(float scale) {
    if (epilogue_.residual) return refuse("one sum is supported, not several", ErrorCode::unsupported);
    epilogue_.residual = true;
    epilogue_.residual_scale = scale;
    epilogue_.residual_after_activation = epilogue_.activation != Activation::none;
    return Status::success();
  }

  Status add_sum(const std::vector<std::string_view>& parts) {
    if (parts.size() > 2 &&
        (parts.size() > 4 || parts[2] != "0" || (parts.size() == 4 && parts[3] != "f32"))) {
      return refuse("sum takes a scale; a zero point or another type is not supported",
                    ErrorCode::unsupported);
    }
    if (parts.size() == 1) return set_residual(1.0f);
    const auto scale = number(parts[1]);
    if (!scale) return scale.error();
    return set_residual(*scale);
  }

  // A tensor like the destination, added: what sum is, with its own memory.
  Status add_binary(const std::vector<std::string_view>& parts) {
    if (parts.size() != 3 || parts[1] != "f32" || parts[2] != "per_tensor") {
      return refuse("add is supported as add:f32:per_tensor", ErrorCode::unsupported);
    }
    return set_residual(1.0f);
  }

  Status add_activation(const ActivationName& a, const std::vector<std::string_view>& parts) {
    if (epilogue_.activation != Activation::none) {
      return refuse("one activation is supported, not several", ErrorCode::unsupported);
    }
    if (parts.size() > 4) return refuse(fmt::format("{} has too many arguments", parts[0]));
    float arguments[3] = {0.0f, 0.0f, 1.0f};
    for (size_t i = 1; i < parts.size(); ++i) {
      const auto value = number(parts[i]);
      if (!value) return value.error();
      arguments[i - 1] = *value;
    }
    if (arguments[2] != 1.0f)
      return refuse("a scale of the activation is not supported", ErrorCode::unsupported);
    epilogue_.activation = a.activation;
    if (a.arguments >= 1) epilogue_.alpha = arguments[0];
    if (a.arguments >= 2) epilogue_.beta = arguments[1];
    if (a.activation == Activation::clip && arguments[0] > arguments[1]) {
      return refuse("clip's lower bound is above its upper bound: write clip:lower:upper");
    }
    return Status::success();
  }

  Token token_;
  Epilogue epilogue_;
};

}  // namespace

Result<Epilogue> parse_post_ops(Token token, std::string_view value) {
  PostOps post_ops(token);
  if (value.empty()) return Epilogue();
  for (std::string_view step : split(value, '+')) {
    if (Status s = post_ops.add(step); !s) return s.error();
  }
  return post_ops.result();
}

}  // namespace cortex
