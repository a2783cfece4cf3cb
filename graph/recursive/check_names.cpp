#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "graph/recursive/check.h"

namespace cortex::recursive {
namespace {

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; };
  const auto good = [&](char c) { return letter(c) || std::isdigit(static_cast<unsigned char>(c)); };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), good);
}

// The name as a message may show it: in one line, not longer than one.
std::string shown(const std::string& name) {
  std::string text = name.substr(0, 40);
  for (char& c : text) {
    if (!std::isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return text;
}

}  // namespace

bool is_reserved(std::string_view name) { return name == "child" || name == "word" || name == "fill"; }

Status check_names(const Model& model) {
  std::string rest = model.name;
  for (std::size_t at; (at = rest.find('-')) != std::string::npos && is_name(rest.substr(0, at));)
    rest = rest.substr(at + 1);
  if (!is_name(rest)) {
    return invalid_argument(fmt::format(
        "model '{}': its name must be words of letters, digits and _, joined by '-'", shown(model.name)));
  }
  std::set<std::string> seen;
  const auto name = [&](const char* what, const std::string& text) -> Status {
    if (!is_name(text) || is_reserved(text)) {
      return invalid_argument(
          fmt::format("model {}: '{}' cannot be the name of a {}: names are letters, digits and _, and not "
                      "child, word or fill",
                      model.name, shown(text), what));
    }
    if (seen.insert(text).second) return {};
    return invalid_argument(fmt::format("model {}: {} {}: the name is taken by another one; choose a new one",
                                        model.name, what, text));
  };
  for (const auto& [text, value] : model.sizes) {
    if (!is_name(text)) {
      return invalid_argument(
          fmt::format("model {}: '{}' cannot be the name of a size: names are letters, digits and _",
                      model.name, shown(text)));
    }
  }
  for (const Parameter& p : model.parameters) {
    if (Status s = name(p.table ? "table" : "parameter", p.name); !s) return s;
  }
  if (model.feature) {
    if (Status s = name("input", model.feature->name); !s) return s;
  }
  for (const State& state : model.states) {
    if (Status s = name("state", state.name); !s) return s;
  }
  std::set<int> outputs;
  for (const int o : model.outputs) {
    if (o < 0 || static_cast<std::size_t>(o) >= model.states.size())
      return invalid_argument(fmt::format("model {}: an output is no state of this model", model.name));
    if (!outputs.insert(o).second) {
      return invalid_argument(fmt::format("model {}: {} is an output twice; name it once", model.name,
                                          model.states[static_cast<std::size_t>(o)].name));
    }
  }
  return {};
}

}  // namespace cortex::recursive
