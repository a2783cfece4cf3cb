// Text files that people write, line by line, with "<source>:<line>: " before what a reader refuses.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex {

// The bytes of a file, device or pipe. Refuses what is missing, a folder, cannot be read or has more than
// `limit` bytes (a device may have no end), with one line that begins with the path.
inline constexpr std::size_t text_file_limit = std::size_t{256} << 20;
Result<std::string> read_text_file(const std::string& path, std::size_t limit = text_file_limit);

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
