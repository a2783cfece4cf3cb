// Options that take comma-separated lists, `--dt bf16,u8s8`, once or several times. For tools: it needs
// CLI11, whose own lists (delimiter) pass over empty entries, and take the next word where all are empty.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/result.h"

namespace cortex {

// Why a text is no whole number of 64 bits; empty where it is one. CLI11 takes what is too large for the
// largest.
inline std::string fault_of_number(const std::string& text, bool negative_too) {
  const std::size_t digits = text.find_first_not_of("+-");
  char* end = nullptr;
  errno = 0;
  if (negative_too)
    std::strtoll(text.c_str(), &end, 0);
  else
    std::strtoull(text.c_str(), &end, 0);
  if (digits == std::string::npos || !std::isdigit(static_cast<unsigned char>(text[digits])) || *end)
    return fmt::format("'{}' is not a whole number", text);
  if (errno == ERANGE) return fmt::format("'{}' is too large", text);
  return !negative_too && text[0] == '-' ? fmt::format("'{}' must not be negative", text) : std::string();
}

namespace list_option {

template <typename T>
T convert(const std::string& option, const std::string& entry, const std::string& list) {
  if (entry.empty()) {
    throw CLI::ValidationError(
        fmt::format("{}: '{}' has an empty entry: write values with one comma between them", option, list));
  }
  if constexpr (std::is_integral_v<T>) {
    if (const std::string fault = fault_of_number(entry, std::is_signed_v<T>); !fault.empty())
      throw CLI::ValidationError(option + ": " + fault);
  }
  T value{};
  if (!CLI::detail::lexical_cast(entry, value)) throw CLI::ConversionError(entry, option);
  return value;
}

}  // namespace list_option

// What is given replaces `values`, which must outlive the parsing.
template <typename T>
CLI::Option* add_list_option(CLI::App& app, const std::string& option, std::vector<T>& values,
                             std::string help) {
  const auto read = [option, &values](const std::vector<std::string>& words) {
    values.clear();
    for (const std::string& word : words) {
      for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
        end = word.find(',', begin);
        values.push_back(list_option::convert<T>(option, word.substr(begin, end - begin), word));
      }
    }
  };
  CLI::Option* added = app.add_option_function<std::vector<std::string>>(option, read, std::move(help));
  if (!values.empty()) added->default_str(fmt::format("{}", fmt::join(values, ",")));
  if (std::is_integral_v<T>) added->type_name("INT");
  // Known by that name as one that refuses empty entries itself.
  added->check(CLI::Validator([](std::string&) { return std::string(); }, "", "list"));
  return added->allow_extra_args(false);
}

// A refusal of the file that an option names, with the option.
inline Error named(const char* option, const Error& error) {
  return Error{error.code, fmt::format("{}: {}", option, error.message)};
}

// For texts that mean nothing when empty: an option that is left out says nothing, an empty one is a mistake.
inline CLI::Validator not_empty(const std::string& what) {
  return CLI::Validator(
      [what](const std::string& text) {
        return text.find_first_not_of(" \t\n") == std::string::npos ? "is empty: give " + what
                                                                    : std::string();
      },
      "", "not empty");
}

}  // namespace cortex
