#include "polyopt/schedule/loop_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "polyopt/schedule/tokens.h"

namespace cortex {
namespace {

using namespace schedule_text;

constexpr std::string_view grid_letters = "RCDT";  // rows, columns, depth of the thread grid; and one more

std::string letter(int dim) { return std::string(1, static_cast<char>('a' + dim)); }

// The letter's dim, or -1.
int dim_of(char c, const Nest& nest) {
  const int dim = std::tolower(static_cast<unsigned char>(c)) - 'a';
  return dim >= 0 && dim < static_cast<int>(nest.dims.size()) ? dim : -1;
}

Error no_such_letter(const Token& token, std::string_view c, const Nest& nest) {
  return refuse(token, fmt::format("no dim has the letter {}: in nest {}, {}", shown(c), nest.name,
                                   loop_letters(nest)));
}

// "{R:2}" off the front of `s`.
Status take_grid(const Token& token, std::string_view& s, std::size_t& grids, Loop& loop) {
  int64_t threads = 0;
  if (!loop.parallel) return refuse(token, "a thread grid stands after a capital: the loop is sequential");
  if (grids == grid_letters.size()) return refuse(token, "a thread grid has at most 4 loops");
  const std::string open = fmt::format("{{{}:", grid_letters[grids]);
  if (!s.starts_with(open)) {
    return refuse(token, fmt::format("expected {}n}}: grids are R, C, D, T from the outside in", open));
  }
  s.remove_prefix(open.size());
  if (!take_number(s, threads) || threads < 1 || threads > 65536) {
    return refuse(token, "the thread grid is not a number from 1 to 65536");
  }
  if (!s.starts_with("}")) return refuse(token, "no closing brace after the thread grid");
  s.remove_prefix(1);
  ++grids;
  loop.threads = static_cast<int>(threads);
  return Status::success();
}

Status parse_letters(const Token& token, const Nest& nest, Schedule& schedule) {
  if (token.text == "-") return Status::success();
  std::string_view s = token.text;
  std::size_t grids = 0;
  while (!s.empty()) {
    Loop loop;
    loop.dim = dim_of(s[0], nest);
    if (loop.dim < 0) return no_such_letter(token, s.substr(0, 1), nest);
    loop.parallel = std::isupper(static_cast<unsigned char>(s[0])) != 0;
    s.remove_prefix(1);
    if (s.starts_with("{")) {
      if (Status grid = take_grid(token, s, grids, loop); !grid) return grid;
    }
    schedule.loops.push_back(loop);
  }
  return Status::success();
}

// "a=50,6~": the steps of the loops over a, outermost first.
Status parse_sizes(const Token& token, const Nest& nest, std::vector<bool>& seen, Schedule& schedule) {
  std::string_view s = token.text;
  const int dim = s.size() > 2 && s[1] == '=' && std::islower(static_cast<unsigned char>(s[0])) != 0
                      ? dim_of(s[0], nest)
                      : -1;
  if (dim < 0) {
    return refuse(token,
                  fmt::format("expected tile sizes (a=50,6), pack(...)@depth or |; {}", loop_letters(nest)));
  }
  if (seen[dim]) return refuse(token, "its sizes are given twice");
  seen[dim] = true;
  s.remove_prefix(2);
  const auto levels = std::count_if(schedule.loops.begin(), schedule.loops.end(),
                                    [&](const Loop& l) { return l.dim == dim; });
  const auto given = std::count(s.begin(), s.end(), ',') + 1;
  if (given != levels) {
    return refuse(token, fmt::format("{} tile sizes for {} loops over {} ({})", given, levels, letter(dim),
                                     nest.dims[dim].name));
  }
  for (Loop& loop : schedule.loops) {
    if (loop.dim != dim) continue;
    if (!take_number(s, loop.step) || loop.step < 1)
      return refuse(token, "a tile size is not a positive number");
    if (s.starts_with("~")) {
      loop.balanced = true;
      s.remove_prefix(1);
    }
    if (s.starts_with("+")) {
      loop.split = true;
      s.remove_prefix(1);
    }
    if (s.empty()) continue;
    if (!s.starts_with(","))
      return refuse(token, "tile sizes are numbers with commas between them, ~ if balanced, + if split");
    s.remove_prefix(1);
  }
  return Status::success();
}

Result<Pack> parse_placed_pack(const Token& token, const Schedule& schedule) {
  const std::size_t at = token.text.rfind('@');
  if (at == std::string_view::npos) {
    const Result<Pack> pack = parse_pack(token, 0);
    if (!pack) return pack.error();
    if (pack->ahead_of_time) return refuse(token, packed_outside_loops);
    return refuse(token, fmt::format("say where: {}@2 stands inside two loops", token.text));
  }
  std::string_view number = token.text.substr(at + 1);
  int64_t depth = 0;
  if (!take_number(number, depth) || !number.empty() || depth < 0 || depth > std::ssize(schedule.loops)) {
    return refuse(token,
                  fmt::format("the depth after @ is not a number from 0 to {}", schedule.loops.size()));
  }
  return parse_pack({token.text.substr(0, at), token.column}, static_cast<int>(depth));
}

// A dim with one loop of step 1 needs no size.
bool sizes_left_out(const Schedule& schedule, int dim) {
  int levels = 0;
  for (const Loop& loop : schedule.loops) {
    if (loop.dim != dim) continue;
    if (loop.step != 1 || loop.balanced || loop.split || ++levels > 1) return false;
  }
  return true;
}

}  // namespace

std::string loop_letters(const Nest& nest) {
  std::string text;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    text += fmt::format("{}{}={}", d ? " " : "", letter(d), nest.dims[d].name);
  }
  return text;
}

bool is_loop_string(std::string_view text) {
  const std::vector<Token> tokens = split(text);
  if (tokens.empty()) return false;
  const std::string_view first = tokens[0].text;
  return first != "|" && !first.starts_with("pack(") && first.find('/') == std::string_view::npos;
}

std::string to_loop_string(const Schedule& schedule, const Nest& nest) {
  std::string letters, sizes;
  std::size_t grids = 0;
  for (const Loop& loop : schedule.loops) {
    const char c = letter(loop.dim)[0];
    letters += loop.parallel ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    if (loop.parallel && loop.threads > 1 && grids < grid_letters.size()) {
      letters += fmt::format("{{{}:{}}}", grid_letters[grids++], loop.threads);
    }
  }
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (sizes_left_out(schedule, d)) continue;
    std::string list;
    for (const Loop& loop : schedule.loops) {
      if (loop.dim != d) continue;
      list += fmt::format("{}{}{}{}", list.empty() ? "" : ",", loop.step, loop.balanced ? "~" : "",
                          loop.split ? "+" : "");
    }
    sizes += fmt::format(" {}={}", letter(d), list);
  }
  std::string packs;
  for (const Pack& pack : schedule.packs) {
    if (!pack.ahead_of_time) packs += fmt::format(" {}@{}", pack_text(pack), pack.depth);
  }
  return fmt::format("{}{}{} {}", letters.empty() ? "-" : letters, sizes, packs,
                     kernel_text(schedule, letter));
}

Result<Schedule> parse_loop_string(std::string_view text, const Nest& nest) {
  if (nest.dims.size() > 26) return unsupported("schedule: a loop string has letters for 26 dims");
  const std::vector<Token> tokens = split(text);
  if (tokens.empty()) return invalid_argument("schedule: expected a loop string");
  Schedule schedule;
  if (Status letters = parse_letters(tokens[0], nest, schedule); !letters) return letters.error();
  std::vector<bool> seen(nest.dims.size());
  std::size_t i = 1;
  for (; i < tokens.size() && tokens[i].text != "|"; ++i) {
    if (tokens[i].text.starts_with("pack(")) {
      const Result<Pack> pack = parse_placed_pack(tokens[i], schedule);
      if (!pack) return pack.error();
      schedule.packs.push_back(*pack);
    } else if (Status sizes = parse_sizes(tokens[i], nest, seen, schedule); !sizes) {
      return sizes.error();
    }
  }
  for (const Loop& loop : schedule.loops) {
    const auto levels = std::count_if(schedule.loops.begin(), schedule.loops.end(),
                                      [&](const Loop& l) { return l.dim == loop.dim; });
    if (levels > 1 && !seen[loop.dim]) {
      return refuse(tokens[0], fmt::format("{} loops over {} and no tile sizes: add {}=..,..", levels,
                                           nest.dims[loop.dim].name, letter(loop.dim)));
    }
  }
  const FindDim find = [&](const Token& token, std::string_view name) -> Result<int> {
    if (name.size() == 1 && std::islower(static_cast<unsigned char>(name[0])) && dim_of(name[0], nest) >= 0) {
      return dim_of(name[0], nest);
    }
    return no_such_letter(token, name, nest);
  };
  if (Status kernel = parse_kernel(tokens, i + 1, find, schedule); !kernel) return kernel.error();
  return schedule;
}

}  // namespace cortex
