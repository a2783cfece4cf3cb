// Files that appear whole or not at all.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex::bench {

struct NamedFile {
  const char* option;
  std::string path;  // empty: left out
  bool written = true;
};

// Those that are written: can they be, and to a file of their own? Asked before a long run rather than after
// it. Leaves no trace.
Status check_outputs(std::initializer_list<NamedFile> files);
Status check_writable(const std::string& path, std::string_view option);

// A JSON document as text. Bytes of file names that are no UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& document, int indent);

// Writes beside `path`, flushes to disk, renames.
Status write_file_atomically(const std::string& path, std::string_view content);

}  // namespace cortex::bench
