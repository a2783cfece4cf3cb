// Text files that people write, line by line, with "<source>:<line>: " before what a reader refuses.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex {

// Refuses what is missing, a folder, or cannot be read, with one line that begins with the path.
inline Result<std::string> read_text_file(const std::string& path) {
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (!std::filesystem::exists(status)) return io_error(fmt::format("{}: no such file", path));
  if (std::filesystem::is_directory(status))
    return io_error(fmt::format("{}: is a directory: name a file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return io_error(fmt::format("{}: reading failed: {}", path, std::strerror(errno)));
  return text.str();
}

// Calls read_line(line) -> Status for every line that is more than blanks and a comment.
template <typename ReadLine>
Status for_each_line(std::string_view text, std::string_view source, ReadLine&& read_line) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // byte order mark
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    if (Status s = read_line(line); !s) {
      return Error{s.error().code, fmt::format("{}:{}: {}", source, number, s.error().message)};
    }
  }
  return Status::success();
}

}  // namespace cortex
