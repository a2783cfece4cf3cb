// The one-line text form of a Schedule: printing and parsing.
#include <fmt/format.h>

#include "polyopt/schedule/loop_string.h"
#include "polyopt/schedule/schedule.h"
#include "polyopt/schedule/tokens.h"

namespace cortex {
namespace {

using namespace schedule_text;

std::string dim_name(const Nest& nest, int dim) {
  return dim >= 0 && dim < static_cast<int>(nest.dims.size()) ? nest.dims[dim].name : "?";
}

Result<int> find_dim(const Token& token, std::string_view name, const Nest& nest) {
  const int dim = nest.dim_index(name);
  if (dim >= 0) return dim;
  std::string known;
  for (const Dim& d : nest.dims) known += (known.empty() ? "" : ", ") + d.name;
  return refuse(token, fmt::format("no dim {} in nest {}: its dims are {}", shown(name), nest.name, known));
}

Result<Loop> parse_loop(const Token& token, const Nest& nest) {
  const std::size_t slash = token.text.find('/');
  if (slash == std::string_view::npos) return refuse(token, "expected dim/step, pack(...) or |");
  Loop loop;
  const Result<int> dim = find_dim(token, token.text.substr(0, slash), nest);
  if (!dim) return dim.error();
  loop.dim = *dim;
  std::string_view rest = token.text.substr(slash + 1);
  if (!take_number(rest, loop.step) || loop.step < 1)
    return refuse(token, "the step is not a positive number");
  if (!rest.empty() && rest[0] == '~') {
    loop.balanced = true;
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest[0] == '+') {
    loop.split = true;
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest[0] == '@') {
    rest.remove_prefix(1);
    int64_t threads = 0;
    if (!take_number(rest, threads) || threads < 1 || threads > 65536) {
      return refuse(token, "the thread grid after @ is not a number from 1 to 65536");
    }
    loop.parallel = true;
    loop.threads = static_cast<int>(threads);
  }
  if (!rest.empty())
    return refuse(token, "unexpected text after the step: write dim/step, then ~, + and @threads");
  return loop;
}

}  // namespace

std::string to_string(const Schedule& schedule, const Nest& nest) {
  std::string text;
  for (std::size_t depth = 0; depth <= schedule.loops.size(); ++depth) {
    for (const Pack& pack : schedule.packs) {
      if (pack.depth == static_cast<int>(depth) && !pack.ahead_of_time) text += pack_text(pack) + " ";
    }
    if (depth == schedule.loops.size()) break;
    const Loop& loop = schedule.loops[depth];
    text += fmt::format("{}/{}{}{}{} ", dim_name(nest, loop.dim), loop.step, loop.balanced ? "~" : "",
                        loop.split ? "+" : "", loop.parallel ? fmt::format("@{}", loop.threads) : "");
  }
  return text + kernel_text(schedule, [&](int dim) { return dim_name(nest, dim); });
}

Result<Schedule> parse_schedule(std::string_view text, const Nest& nest) {
  if (is_loop_string(text)) return parse_loop_string(text, nest);
  Schedule schedule;
  const std::vector<Token> tokens = split(text);
  std::size_t i = 0;
  for (; i < tokens.size() && tokens[i].text != "|"; ++i) {
    if (tokens[i].text.starts_with("pack(")) {
      Result<Pack> pack = parse_pack(tokens[i], static_cast<int>(schedule.loops.size()));
      if (!pack) return pack.error();
      schedule.packs.push_back(*pack);
      continue;
    }
    const Result<Loop> loop = parse_loop(tokens[i], nest);
    if (!loop) return loop.error();
    schedule.loops.push_back(*loop);
  }
  const FindDim find = [&](const Token& token, std::string_view name) { return find_dim(token, name, nest); };
  if (Status kernel = parse_kernel(tokens, i + 1, find, schedule); !kernel) return kernel.error();
  return schedule;
}

}  // namespace cortex
