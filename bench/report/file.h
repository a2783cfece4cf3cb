// Files that appear whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex::bench {

// Can `path` be written? Asked before a long run rather than after it. Leaves no trace.
Status check_writable(const std::string& path, std::string_view option);

// Writes beside `path`, flushes to disk, renames.
Status write_file_atomically(const std::string& path, std::string_view content);

Result<std::string> read_file(const std::string& path);

}  // namespace cortex::bench
