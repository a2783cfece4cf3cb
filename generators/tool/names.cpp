#include "generators/tool/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace cortex {
namespace {

// Words of C and C++ (ISO C17 6.4.1, ISO C++20 5.11 and 5.5), and the one function a program has of its own.
constexpr std::string_view taken[] = {"alignas",     "alignof",      "and",       "and_eq",
                                      "asm",         "auto",         "bitand",    "bitor",
                                      "bool",        "break",        "case",      "catch",
                                      "char",        "char16_t",     "char32_t",  "char8_t",
                                      "class",       "co_await",     "co_return", "co_yield",
                                      "compl",       "concept",      "const",     "const_cast",
                                      "consteval",   "constexpr",    "constinit", "continue",
                                      "decltype",    "default",      "delete",    "do",
                                      "double",      "dynamic_cast", "else",      "enum",
                                      "explicit",    "export",       "extern",    "false",
                                      "float",       "for",          "friend",    "goto",
                                      "if",          "inline",       "int",       "long",
                                      "main",        "mutable",      "namespace", "new",
                                      "noexcept",    "not",          "not_eq",    "nullptr",
                                      "operator",    "or",           "or_eq",     "private",
                                      "protected",   "public",       "register",  "reinterpret_cast",
                                      "requires",    "restrict",     "return",    "short",
                                      "signed",      "sizeof",       "static",    "static_assert",
                                      "static_cast", "struct",       "switch",    "template",
                                      "this",        "thread_local", "throw",     "true",
                                      "try",         "typedef",      "typeid",    "typename",
                                      "union",       "unsigned",     "using",     "virtual",
                                      "void",        "volatile",     "wchar_t",   "while",
                                      "xor",         "xor_eq"};

}  // namespace

Status check_library_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  bool good = !name.empty() && letter(name[0]);
  for (const char c : name) good = good && (letter(c) || (c >= '0' && c <= '9'));
  if (!good) {
    return invalid_argument(
        fmt::format("--name {}: it becomes a C function: letters, digits and underscores", name));
  }
  if (std::find(std::begin(taken), std::end(taken), name) != std::end(taken)) {
    return invalid_argument(fmt::format(
        "--name {}: it becomes a C function, and {} has a meaning of its own: choose another", name, name));
  }
  return Status::success();
}

}  // namespace cortex
