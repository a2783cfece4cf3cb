#include <fmt/format.h>

#include "graph/problem/line.h"
#include "support/text_file.h"

namespace cortex {

Result<std::vector<Problem>> parse_batch(std::string_view text, std::string_view source, OpKind op) {
  Options options;
  std::vector<Problem> problems;
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // byte order mark
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (Status s = read_line(line, op, options, problems); !s) {
      return Error{s.error().code, fmt::format("{}:{}: {}", source, number, s.error().message)};
    }
  }
  if (problems.empty()) {
    return invalid_argument(
        fmt::format("{}: no problem in the list: write one a line, '#' starts a comment", source));
  }
  return problems;
}

Result<std::vector<Problem>> read_batch(const std::string& path, OpKind op) {
  const Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  return parse_batch(*text, path, op);
}

}  // namespace cortex
