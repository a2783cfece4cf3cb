#include "graph/problem/conv_text.h"

#include <fmt/format.h>

#include "graph/problem/conv_shape.h"

namespace cortex {
namespace {

constexpr std::string_view op = "conv";

// The field whose name stands at text[pos], longest name first; -1 when there is none.
int field_at(std::string_view text, size_t pos) {
  for (int f = 0; f < conv_field_count; ++f) {
    const std::string_view name = conv_field_name(f);
    if (text.substr(pos, name.size()) == name) return f;
  }
  return -1;
}

Error unknown_field(Token token, size_t pos) {
  const int column = token.column + static_cast<int>(pos);
  return refusal(
      op, token, column,
      fmt::format("{} begins no dimension: known are g mb ic oc, i o k s p d followed by d, h or w, and "
                  "n\"name\"",
                  quoted(token.text.substr(pos, 8))));
}

}  // namespace

Result<ConvText> parse_conv(Token token, int64_t mb_override) {
  const std::string_view text = token.text;
  ConvFields fields;
  ConvText result;
  size_t pos = 0;
  while (pos < text.size()) {
    if (text[pos] == '_') {
      ++pos;
      continue;
    }
    const int column = token.column + static_cast<int>(pos);
    if (text[pos] == 'n') {
      auto name = read_name(op, token, pos);
      if (!name) return name.error();
      result.name = std::move(*name);
      break;
    }
    const int f = field_at(text, pos);
    if (f < 0) return unknown_field(token, pos);
    ConvField& field = fields[f];
    const std::string_view name = conv_field_name(f);
    if (field.column != 0) {
      return refusal(op, token, column,
                     fmt::format("{} is given twice, first in column {}: leave one", name, field.column));
    }
    field.column = column;
    pos += name.size();
    const auto value = read_number(text, pos);
    if (!value) {
      return refusal(op, token, column, fmt::format("{} {}: correct it", name, value.error().message),
                     value.error().code);
    }
    if (*value > conv_dim_max) {
      return refusal(
          op, token, column,
          fmt::format("{} is {}, above the largest size {}: correct it", name, *value, conv_dim_max),
          ErrorCode::overflow);
    }
    field.value = *value;
  }
  if (mb_override != 0) fields[conv_mb].value = mb_override;
  auto conv = complete_conv(fields, token);
  if (!conv) return conv.error();
  result.conv = *conv;
  return result;
}

}  // namespace cortex
