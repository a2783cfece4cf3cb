// The one-line text form of a Schedule: printing and parsing.
#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "polyopt/schedule/schedule.h"

namespace cortex {
namespace {

const char* form_name(PackForm form) { return form == PackForm::box ? "box" : "panel"; }

std::string pack_text(const Pack& pack) {
  std::string text = fmt::format("pack({},{}", operand_name(pack.operand), form_name(pack.form));
  if (pack.pitch_pad) text += fmt::format(",+{}", pack.pitch_pad);
  if (pack.ahead_of_time) text += ",ahead";
  return text + ")";
}

std::string dim_name(const Nest& nest, int dim) {
  return dim >= 0 && dim < static_cast<int>(nest.dims.size()) ? nest.dims[dim].name : "?";
}

struct Token {
  std::string_view text;
  std::size_t column;  // 1-based
};

std::vector<Token> split(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t i = 0;
  while (i < text.size()) {
    if (std::isspace(static_cast<unsigned char>(text[i]))) {
      ++i;
      continue;
    }
    std::size_t j = i;
    while (j < text.size() && !std::isspace(static_cast<unsigned char>(text[j]))) ++j;
    tokens.push_back({text.substr(i, j - i), i + 1});
    i = j;
  }
  return tokens;
}

Error refuse(const Token& token, std::string_view why) {
  return invalid_argument(fmt::format("schedule, column {}: \"{}\": {}", token.column, token.text, why));
}

bool take_number(std::string_view& s, int64_t& value) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end == s.data()) return false;
  s.remove_prefix(end - s.data());
  return true;
}

Result<int> find_dim(const Token& token, std::string_view name, const Nest& nest) {
  const int dim = nest.dim_index(name);
  if (dim >= 0) return dim;
  std::string known;
  for (const Dim& d : nest.dims) known += (known.empty() ? "" : ", ") + d.name;
  return refuse(token, fmt::format("no dim \"{}\" in nest {}: its dims are {}", name, nest.name, known));
}

Result<Loop> parse_loop(const Token& token, const Nest& nest) {
  const std::size_t slash = token.text.find('/');
  if (slash == std::string_view::npos) return refuse(token, "expected dim/step, pack(...) or |");
  Loop loop;
  const Result<int> dim = find_dim(token, token.text.substr(0, slash), nest);
  if (!dim) return dim.error();
  loop.dim = *dim;
  std::string_view rest = token.text.substr(slash + 1);
  if (!take_number(rest, loop.step) || loop.step < 1) return refuse(token, "the step is not a positive number");
  if (!rest.empty() && rest[0] == '~') {
    loop.balanced = true;
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
  if (!rest.empty()) return refuse(token, "unexpected text after the step: write dim/step, then ~ and @threads");
  return loop;
}

Result<Pack> parse_pack(const Token& token, int depth) {
  std::string_view s = token.text;
  s.remove_prefix(5);  // "pack("
  if (s.empty() || s.back() != ')') return refuse(token, "no closing parenthesis");
  s.remove_suffix(1);
  Pack pack;
  pack.depth = depth;
  int field = 0;
  while (true) {
    const std::size_t comma = s.find(',');
    std::string_view part = s.substr(0, comma);
    if (field == 0) {
      if (part == "A") pack.operand = Operand::a;
      else if (part == "B") pack.operand = Operand::b;
      else return refuse(token, "only A and B can be packed");
    } else if (field == 1) {
      if (part == "box") pack.form = PackForm::box;
      else if (part == "panel") pack.form = PackForm::panel;
      else return refuse(token, "the form is box or panel");
    } else if (part == "ahead") {
      pack.ahead_of_time = true;
    } else if (!part.empty() && part[0] == '+') {
      part.remove_prefix(1);
      if (!take_number(part, pack.pitch_pad) || !part.empty() || pack.pitch_pad < 0) {
        return refuse(token, "the pitch pad is not a number");
      }
    } else {
      return refuse(token, "expected +pad or ahead");
    }
    ++field;
    if (comma == std::string_view::npos) break;
    s.remove_prefix(comma + 1);
  }
  if (field < 2) return refuse(token, "expected pack(operand,form)");
  return pack;
}

Status parse_role(const Token& token, const Nest& nest, KernelTile& tile) {
  const std::size_t eq = token.text.find('=');
  if (eq == std::string_view::npos) return refuse(token, "expected m=dim, n=dim, k=dim or batch=dim,dim");
  const std::string_view role = token.text.substr(0, eq);
  std::string_view names = token.text.substr(eq + 1);
  if (role == "batch") {
    while (true) {
      const std::size_t comma = names.find(',');
      const Result<int> dim = find_dim(token, names.substr(0, comma), nest);
      if (!dim) return dim.error();
      tile.batch_dims.push_back(*dim);
      if (comma == std::string_view::npos) return Status::success();
      names.remove_prefix(comma + 1);
    }
  }
  const Result<int> dim = find_dim(token, names, nest);
  if (!dim) return dim.error();
  if (role == "m") tile.m_dim = *dim;
  else if (role == "n") tile.n_dim = *dim;
  else if (role == "k") tile.k_dim = *dim;
  else return refuse(token, "the roles are m, n, k and batch");
  return Status::success();
}

}  // namespace

std::string to_string(const Schedule& schedule, const Nest& nest) {
  std::string text;
  auto put = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  for (std::size_t depth = 0; depth <= schedule.loops.size(); ++depth) {
    for (const Pack& pack : schedule.packs) {
      if (pack.depth == static_cast<int>(depth) && !pack.ahead_of_time) put(pack_text(pack));
    }
    if (depth == schedule.loops.size()) break;
    const Loop& loop = schedule.loops[depth];
    put(fmt::format("{}/{}{}{}", dim_name(nest, loop.dim), loop.step, loop.balanced ? "~" : "",
                    loop.parallel ? fmt::format("@{}", loop.threads) : ""));
  }
  put("|");
  put(schedule.tile.kernel);
  if (schedule.tile.m_dim >= 0) put("m=" + dim_name(nest, schedule.tile.m_dim));
  if (schedule.tile.n_dim >= 0) put("n=" + dim_name(nest, schedule.tile.n_dim));
  if (schedule.tile.k_dim >= 0) put("k=" + dim_name(nest, schedule.tile.k_dim));
  std::string batch;
  for (int dim : schedule.tile.batch_dims) batch += (batch.empty() ? "" : ",") + dim_name(nest, dim);
  if (!batch.empty()) put("batch=" + batch);
  for (const Pack& pack : schedule.packs) {
    if (pack.ahead_of_time) put(pack_text(pack));
  }
  return text;
}

Result<Schedule> parse_schedule(std::string_view text, const Nest& nest) {
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
  if (i + 1 >= tokens.size()) {
    return invalid_argument("schedule: expected \"| kernel m=.. n=.. k=..\" after the loops");
  }
  schedule.tile.kernel = std::string(tokens[++i].text);
  for (++i; i < tokens.size(); ++i) {
    if (tokens[i].text.starts_with("pack(")) {
      Result<Pack> pack = parse_pack(tokens[i], 0);
      if (!pack) return pack.error();
      if (!pack->ahead_of_time) return refuse(tokens[i], "only packs done ahead of time stand after the kernel");
      schedule.packs.push_back(*pack);
      continue;
    }
    const Status role = parse_role(tokens[i], nest, schedule.tile);
    if (!role) return role.error();
  }
  return schedule;
}

}  // namespace cortex
