#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "graph/problem/line.h"

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
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (!std::filesystem::exists(status)) return io_error(fmt::format("{}: no such file", path));
  if (std::filesystem::is_directory(status)) {
    return io_error(fmt::format("{}: is a directory: name a list of problems", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return io_error(fmt::format("{}: reading failed: {}", path, std::strerror(errno)));
  return parse_batch(text.str(), path, op);
}

}  // namespace cortex
