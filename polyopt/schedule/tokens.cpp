#include "polyopt/schedule/tokens.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

#include "graph/problem/text.h"

namespace cortex::schedule_text {
namespace {

const char* form_name(PackForm form) { return form == PackForm::box ? "box" : "panel"; }

Status parse_role(const Token& token, const FindDim& find, KernelTile& tile) {
  const std::size_t eq = token.text.find('=');
  if (eq == std::string_view::npos)
    return refuse(token, "expected m=dim, n=dim, k=dim, rows=dim or batch=dim,dim");
  const std::string_view role = token.text.substr(0, eq);
  std::string_view names = token.text.substr(eq + 1);
  if (role == "batch") {
    while (true) {
      const std::size_t comma = names.find(',');
      const Result<int> dim = find(token, names.substr(0, comma));
      if (!dim) return dim.error();
      tile.batch_dims.push_back(*dim);
      if (comma == std::string_view::npos) return Status::success();
      names.remove_prefix(comma + 1);
    }
  }
  const Result<int> dim = find(token, names);
  if (!dim) return dim.error();
  if (role == "m")
    tile.m_dim = *dim;
  else if (role == "n")
    tile.n_dim = *dim;
  else if (role == "k")
    tile.k_dim = *dim;
  else if (role == "rows")
    tile.rows_dim = *dim;
  else
    return refuse(token, "the roles are m, n, k, rows and batch");
  return Status::success();
}

}  // namespace

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

std::string shown(std::string_view text) { return quoted(text); }

Error refuse(const Token& token, std::string_view why) {
  return invalid_argument(fmt::format("schedule, column {}: {}: {}", token.column, shown(token.text), why));
}

bool take_number(std::string_view& s, int64_t& value) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end == s.data()) return false;
  s.remove_prefix(end - s.data());
  return true;
}

std::string pack_text(const Pack& pack) {
  std::string text = fmt::format("pack({},{}", operand_name(pack.operand), form_name(pack.form));
  if (pack.pitch_pad) text += fmt::format(",+{}", pack.pitch_pad);
  if (pack.ahead_of_time) text += ",ahead";
  return text + ")";
}

Result<Pack> parse_pack(const Token& token, int depth) {
  std::string_view s = token.text;
  s.remove_prefix(5);  // "pack("
  if (const std::size_t close = s.find(')'); close + 1 < s.size() && s[close + 1] == '@') {
    return refuse(
        token, fmt::format("a depth is for packs among the letters and sizes of a loop string: drop \"{}\"",
                           s.substr(close + 1)));
  }
  if (s.empty() || s.back() != ')') return refuse(token, "no closing parenthesis");
  s.remove_suffix(1);
  Pack pack;
  pack.depth = depth;
  int field = 0;
  while (true) {
    const std::size_t comma = s.find(',');
    std::string_view part = s.substr(0, comma);
    if (field == 0) {
      if (part == "A")
        pack.operand = Operand::a;
      else if (part == "B")
        pack.operand = Operand::b;
      else
        return refuse(token, "only A and B can be packed");
    } else if (field == 1) {
      if (part == "box")
        pack.form = PackForm::box;
      else if (part == "panel")
        pack.form = PackForm::panel;
      else
        return refuse(token, "the form is box or panel");
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
  if (pack.ahead_of_time && depth > 0) {
    return refuse(token, packed_outside_loops);
  }
  return pack;
}

std::string kernel_text(const Schedule& schedule, const DimName& name) {
  const KernelTile& tile = schedule.tile;
  std::string text = "| " + tile.kernel;
  if (tile.m_dim >= 0) text += " m=" + name(tile.m_dim);
  if (tile.n_dim >= 0) text += " n=" + name(tile.n_dim);
  if (tile.k_dim >= 0) text += " k=" + name(tile.k_dim);
  if (tile.rows_dim >= 0) text += " rows=" + name(tile.rows_dim);
  std::string batch;
  for (int dim : tile.batch_dims) batch += (batch.empty() ? "" : ",") + name(dim);
  if (!batch.empty()) text += " batch=" + batch;
  for (const Pack& pack : schedule.packs) {
    if (pack.ahead_of_time) text += " " + pack_text(pack);
  }
  return text;
}

Status parse_kernel(const std::vector<Token>& tokens, std::size_t from, const FindDim& find,
                    Schedule& schedule) {
  if (from >= tokens.size()) {
    return invalid_argument("schedule: expected \"| kernel m=.. n=.. k=..\" after the loops");
  }
  schedule.tile.kernel = std::string(tokens[from].text);
  for (std::size_t i = from + 1; i < tokens.size(); ++i) {
    if (tokens[i].text.starts_with("pack(")) {
      Result<Pack> pack = parse_pack(tokens[i], 0);
      if (!pack) return pack.error();
      if (!pack->ahead_of_time)
        return refuse(tokens[i], "only packs done ahead of time stand after the kernel");
      schedule.packs.push_back(*pack);
      continue;
    }
    const Status role = parse_role(tokens[i], find, schedule.tile);
    if (!role) return role.error();
  }
  return Status::success();
}

}  // namespace cortex::schedule_text
