// Files that appear whole or not at all.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex::bench {

// Can `path` be written? Asked before a long run rather than after it. Leaves no trace.
Status check_writable(const std::string& path, std::string_view option);

// A JSON document as text. Bytes of file names that are no UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& document, int indent);

// Writes beside `path`, flushes to disk, renames.
Status write_file_atomically(const std::string& path, std::string_view content);

}  // namespace cortex::bench
