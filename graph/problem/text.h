// What the readers of problem text share: tokens that know their column, and refusals that show them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex {

// A stretch of a line without blanks. Columns count bytes of the line from 1.
struct Token {
  std::string_view text;
  int column = 1;
};

// Text as it may stand in a message: control bytes escaped, long text cut.
std::string quoted(std::string_view text);

// `conv "mb1ic64...": column 9: <what>`
Error refusal(std::string_view op, Token token, int column, std::string_view what,
              ErrorCode code = ErrorCode::invalid_argument);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Valid UTF-8 without control characters: what may stand in a report and in a comment.
bool is_printable_utf8(std::string_view text);

// The decimal number at text[pos...], pos moving behind it. Refuses what has no digit there or does not
// fit; the message is a bare phrase ("is not a number").
Result<int64_t> read_number(std::string_view text, size_t& pos);

// n"name*count", n"name"*count or nname*count; pos stands on the 'n' and moves to the end of the token.
struct ProblemName {
  std::string name;
  int64_t count = 1;
};
Result<ProblemName> read_name(std::string_view op, Token token, size_t pos);

}  // namespace cortex
