#include <fmt/format.h>

#include "graph/problem/line.h"
#include "support/text_file.h"

namespace cortex {
namespace {

Result<std::vector<Problem>> read_lines(std::string_view text, std::string_view source, OpKind op,
                                        Options options) {
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

Result<std::vector<Problem>> read_file(const std::string& path, OpKind op, const Options& options) {
  const Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  return read_lines(*text, path, op, options);
}

}  // namespace

Result<std::vector<Problem>> parse_batch(std::string_view text, std::string_view source, OpKind op) {
  return read_lines(text, source, op, Options());
}

Result<std::vector<Problem>> read_batch(const std::string& path, OpKind op) {
  return read_file(path, op, Options());
}

Result<std::vector<Problem>> read_batch(const std::string& path, OpKind op, const Types& unstated) {
  Options options;
  options.unstated = unstated;
  return read_file(path, op, options);
}

}  // namespace cortex
