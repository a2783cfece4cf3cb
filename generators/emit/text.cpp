#include "generators/emit/text.h"

#include <fmt/format.h>

#include <cctype>

namespace cortex {
namespace {

constexpr std::size_t columns = 110;

}  // namespace

std::string as_comment(const std::string& text, const std::string& indent) {
  std::string out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = indent + "// ";
    const std::string hang = indent + "//     ";
    for (std::size_t at = begin; at < end;) {
      const std::size_t space = std::min(text.find(' ', at + 1), end);
      const std::string word = text.substr(at, space - at);
      if (line.size() + word.size() > columns && line.size() > hang.size()) {
        out += line + "\n";
        line = hang + (word[0] == ' ' ? word.substr(1) : word);
      } else {
        line += word;
      }
      at = space;
    }
    out += line + "\n";
    begin = end + 1;
  }
  return out;
}

std::string wrap_list(const std::string& head, const std::vector<int64_t>& values, const std::string& tail) {
  std::string out, line = head;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string item = fmt::format("{}{}", values[i], i + 1 < values.size() ? "," : tail);
    const bool first = i == 0;
    if (line.size() + item.size() + 1 > columns) {
      out += line + "\n";
      line = "      " + item;
    } else {
      line += (first ? "" : " ") + item;
    }
  }
  return out + line + (values.empty() ? tail : "") + "\n";
}

std::string wrap_code(const std::string& text, int indent) {
  std::string margin(static_cast<std::size_t>(indent), ' '), out;
  std::string_view rest = text;
  while (margin.size() + rest.size() > columns) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < columns - margin.size(); ++i) {
      const std::string_view here = rest.substr(i);
      if (rest[i - 1] == ' ' &&
          (rest.substr(0, i).ends_with(", ") || here.starts_with("+ ") || here.starts_with("- ") ||
           here.starts_with("&& ") || here.starts_with("|| "))) {
        best = i;
      }
    }
    if (best == 0) break;
    out += margin + std::string(rest.substr(0, best - 1)) + "\n";
    rest.remove_prefix(best);
    margin = std::string(static_cast<std::size_t>(indent) + 4, ' ');
  }
  return out + margin + std::string(rest) + "\n";
}

std::string c_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string identifier_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += c;
    else if (!out.empty() && out.back() != '_')
      out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

}  // namespace cortex
