#include "graph/problem/text.h"

#include <fmt/format.h>

#include <charconv>

namespace cortex {

std::string quoted(std::string_view text) {
  constexpr size_t longest = 80;
  std::string out = "\"";
  for (char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  if (text.size() > longest) out += "...";
  return out + "\"";
}

bool is_printable_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(i);
    if (lead < 0x20 || lead == 0x7f) return false;
    const size_t length = lead < 0x80       ? 1
                          : lead >> 5 == 6  ? 2
                          : lead >> 4 == 14 ? 3
                          : lead >> 3 == 30 ? 4
                                            : 0;
    if (length == 0 || length > text.size() - i) return false;
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      if (byte(i + k) >> 6 != 2) return false;
      point = point << 6 | (byte(i + k) & 0x3f);
    }
    // The shortest form only, no surrogates, nothing above Unicode, no C1 controls (RFC 3629).
    constexpr char32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    i += length;
  }
  return true;
}

Error refusal(std::string_view op, Token token, int column, std::string_view what, ErrorCode code) {
  return {code, fmt::format("{} {}: column {}: {}", op, quoted(token.text), column, what)};
}

Result<int64_t> read_number(std::string_view text, size_t& pos) {
  int64_t value = 0;
  if (pos >= text.size() || !is_digit(text[pos])) return invalid_argument("is not followed by a number");
  const auto [end, ec] = std::from_chars(text.data() + pos, text.data() + text.size(), value);
  if (ec != std::errc()) return overflow_error("does not fit in 64 bits");
  pos = static_cast<size_t>(end - text.data());
  return value;
}

Result<ProblemName> read_name(std::string_view op, Token token, size_t pos) {
  const std::string_view text = token.text;
  const int column = token.column + static_cast<int>(pos);
  ProblemName result;
  std::string_view name = text.substr(pos + 1), count;
  if (!name.empty() && name[0] == '"') {
    const size_t close = name.rfind('"');
    if (close == 0) return refusal(op, token, column + 1, "the name's quote is not closed: add a \"");
    count = name.substr(close + 1);
    name = name.substr(1, close - 1);
    if (!count.empty() && (count.size() == 1 || count[0] != '*')) {
      return refusal(op, token, column + 2 + static_cast<int>(close),
                     fmt::format("{} follows the name: only *count may", quoted(count)));
    }
    if (!count.empty()) count.remove_prefix(1);
  }
  if (count.empty()) {
    // n"layer*3": the digits behind the last star. A star before anything else belongs to the name.
    const size_t star = name.rfind('*');
    if (star != std::string_view::npos && star + 1 < name.size() &&
        name.find_first_not_of("0123456789", star + 1) == std::string_view::npos) {
      count = name.substr(star + 1);
      name = name.substr(0, star);
    }
  }
  if (!count.empty()) {
    size_t at = 0;
    const auto number = read_number(count, at);
    if (!number || at != count.size()) {
      return refusal(op, token, column,
                     fmt::format("the count {} is not a number that fits: correct it", quoted(count)));
    }
    if (*number < 1) return refusal(op, token, column, "the count is 0: a layer occurs at least once");
    result.count = *number;
  }
  if (!is_printable_utf8(name)) {
    return refusal(op, token, column,
                   fmt::format("the name {} is not plain UTF-8 text: correct it", quoted(name)));
  }
  result.name = std::string(name);
  return result;
}

}  // namespace cortex
