// Plain text chores of the emitter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cortex {

// Every line with "// " before it, broken at 110 columns between words.
std::string as_comment(const std::string& text, const std::string& indent);

// head, the numbers, tail; broken at 110 columns.
std::string wrap_list(const std::string& head, const std::vector<int64_t>& values, const std::string& tail);

// One line of code, broken at 110 columns after a comma or before an operator; continued 4 columns deeper.
std::string wrap_code(const std::string& text, int indent);

std::string c_string(std::string_view text);  // quoted and escaped

// Letters, digits and single underscores; runs of anything else become one underscore.
std::string identifier_of(std::string_view text);

}  // namespace cortex
