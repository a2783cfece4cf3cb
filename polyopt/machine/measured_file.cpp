#include "polyopt/machine/measured_file.h"

#include <fmt/format.h>

#include "support/fnv.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

std::string checksum(const Json& body) { return fmt::format("{:016x}", fnv1a(body.dump())); }

}  // namespace

Json measured_document(const MeasuredFile& file, const std::string& cpu, Json body) {
  Json json = {
      {"format", file.format}, {"version", CORTEX_VERSION}, {"cpu", cpu}, {"checksum", checksum(body)}};
  json[file.body] = std::move(body);
  return json;
}

Result<Json> parse_measured(const MeasuredFile& file, const std::string& cpu, const std::string& text) {
  const auto refuse = [](const std::string& why) { return invalid_argument(why); };
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return refuse("it is damaged: not valid JSON");
  const auto word = [&](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_string();
    return there ? json[name].get<std::string>() : std::string();
  };
  if (word("format") != file.format) return refuse(fmt::format("it is no {} file", file.format));
  for (const char* member : {"version", "cpu", "checksum"})
    if (word(member).empty()) return refuse(fmt::format("it is damaged: it has no {}", member));
  if (word("version") != CORTEX_VERSION)
    return refuse(fmt::format("it is of version {}, this is {}", word("version"), CORTEX_VERSION));
  if (word("cpu") != cpu)
    return refuse(fmt::format("it was {} on another CPU ({}), this is {}", file.made, word("cpu"), cpu));
  if (!json.contains(file.body) || word("checksum") != checksum(json[file.body]))
    return refuse("it is damaged: its checksum does not match");
  return json;
}

}  // namespace cortex
