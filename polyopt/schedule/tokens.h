// What the two text forms of a Schedule share: tokens, packs, the kernel's roles.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "polyopt/schedule/schedule.h"

namespace cortex::schedule_text {

struct Token {
  std::string_view text;
  std::size_t column;  // 1-based
};

std::vector<Token> split(std::string_view text);
std::string shown(std::string_view text);  // in quotes, as it may stand in a message
Error refuse(const Token& token, std::string_view why);
bool take_number(std::string_view& s, int64_t& value);  // off the front; false: there is none

// "m" or "c" to the nest's dim; a refusal names `token`.
using FindDim = std::function<Result<int>(const Token& token, std::string_view name)>;
using DimName = std::function<std::string(int dim)>;

// Why a pack ahead of time is refused where it stands.
inline constexpr std::string_view packed_outside_loops =
    "what is packed ahead of time stands inside no loop: write it after the kernel and its roles";

std::string pack_text(const Pack& pack);
Result<Pack> parse_pack(const Token& token, int depth);

// "| kernel m=.. n=.. k=.. batch=.. pack(B,panel,ahead)"
std::string kernel_text(const Schedule& schedule, const DimName& name);
// The same from the token after "|" on.
Status parse_kernel(const std::vector<Token>& tokens, std::size_t from, const FindDim& find,
                    Schedule& schedule);

}  // namespace cortex::schedule_text
