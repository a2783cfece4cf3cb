// Values that no option takes: none, `--json=`, `--json ''`, `--verify=`, which is no option left out; and
// numbers that are none.
#pragma once

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <string>
#include <string_view>

#include "support/tools/list_option.h"

namespace cortex {

namespace option_values {

inline bool has_check(CLI::Option& option, const std::string& name) {
  try {
    return option.get_validator(name) != nullptr;
  } catch (const CLI::OptionNotFound&) {
    return false;
  }
}

inline bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

inline void check_options(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (is_flag(*option) || has_check(*option, "not empty") || has_check(*option, "list")) continue;
    option->check(not_empty(option->get_positional() ? "a value, or leave it out"
                                                     : "a value, or leave the option out"));
    if (const std::string type = option->get_type_name(); type == "INT" || type == "UINT") {
      option->check(CLI::Validator(
          [type](const std::string& text) { return fault_of_number(text, type == "INT"); }, "", "number"));
    }
  }
}

}  // namespace option_values

// Once all options are added, before they are parsed. Throws CLI::ValidationError for flags.
inline void check_option_values(CLI::App& app, int argc, const char* const* argv) {
  CLI::App* command = nullptr;
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    option_values::check_options(*sub);
    if (argc > 1 && sub->check_name(argv[1])) command = sub;
  }
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--") || word.find('=') != word.size() - 1) continue;
    const std::string name(word.substr(0, word.size() - 1));
    for (CLI::App* of : {&app, command}) {
      const CLI::Option* option = of ? of->get_option_no_throw(name) : nullptr;
      if (option && option_values::is_flag(*option))
        throw CLI::ValidationError(fmt::format("{}: takes no value: leave out the '='", name));
    }
  }
}

}  // namespace cortex
