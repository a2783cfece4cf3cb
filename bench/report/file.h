// Files that appear whole or not at all.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace cortex::bench {

struct NamedFile {
  const char* option;
  std::string path;  // empty: left out
  bool written = true;
};

// Those that are written: can they be, and to a file of their own, not one that is read? Asked before a long
// run rather than after it. Leaves no trace.
Status check_outputs(const std::vector<NamedFile>& files);
// Adds those of an option that are files; others are names of shipped ones.
void add_read(std::vector<NamedFile>& files, const char* option, const std::vector<std::string>& paths);
Status check_writable(const std::string& path, std::string_view option);

// A JSON document as text. Bytes of file names that are no UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& document, int indent);

// Writes beside `path`, flushes to disk, renames.
Status write_file_atomically(const std::string& path, std::string_view content);

}  // namespace cortex::bench
