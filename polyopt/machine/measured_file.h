// JSON files that hold what was measured on one CPU by one version: wisdom, trained rankers. A header says
// whose they are and carries a checksum of the body.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/result.h"

namespace cortex {

struct MeasuredFile {
  const char* format;  // "cortex-wisdom-1"
  const char* body;    // the member that holds the measurements
  const char* made;    // how they came about: "measured", "trained"
};

// A document with the header and `body`; more members may be added.
nlohmann::ordered_json measured_document(const MeasuredFile& file, const std::string& cpu,
                                         nlohmann::ordered_json body);

// The document that `text` holds, or why it is not one of this version and CPU: a sentence without an end,
// to which the caller adds the file's name and what to do.
Result<nlohmann::ordered_json> parse_measured(const MeasuredFile& file, const std::string& cpu,
                                              const std::string& text);

}  // namespace cortex
