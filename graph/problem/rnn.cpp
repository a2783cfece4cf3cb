#include "graph/problem/rnn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "graph/problem/text.h"
#include "support/text_file.h"

namespace cortex {
namespace {

struct Settings {
  std::optional<RnnCell> cell;
  RnnDirection direction = RnnDirection::left2right;
};

std::string upper_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::optional<RnnCell> find_cell(std::string_view word) {
  const std::string name = upper_case(word);
  if (name == "LSTM" || name == "VANILLA_LSTM") return RnnCell::lstm;
  if (name == "GRU" || name == "VANILLA_GRU") return RnnCell::gru;
  if (name == "LBR_GRU") return RnnCell::lbr_gru;
  if (name == "VANILLA_RNN" || name == "RNN") return RnnCell::vanilla_rnn;
  return std::nullopt;
}

Error refuse(Token token, size_t pos, std::string_view what) {
  return {ErrorCode::invalid_argument, fmt::format("rnn {}: column {}: {}", quoted(token.text),
                                                   token.column + static_cast<int>(pos), what)};
}

Status apply(Token token, Settings& settings) {
  const size_t equals = token.text.find('=');
  const std::string_view option = token.text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : token.text.substr(equals + 1);
  const size_t at = equals == std::string_view::npos ? token.text.size() : equals + 1;
  if (option == "--rnn") return Status::success();
  if (option == "--alg") {
    settings.cell = find_cell(value);
    if (settings.cell) return Status::success();
    return refuse(token, at, "the cell is not one of LSTM, GRU, LBR_GRU, VANILLA_RNN");
  }
  if (option == "--direction") {
    for (RnnDirection d :
         {RnnDirection::left2right, RnnDirection::right2left, RnnDirection::concat, RnnDirection::sum}) {
      if (value != rnn_direction_name(d)) continue;
      settings.direction = d;
      return Status::success();
    }
    return refuse(token, at, "the direction is not one of left2right, right2left, concat, sum");
  }
  if (option == "--prop") {
    if (value == "FWD_I" || value == "FWD_D") return Status::success();
    return refuse(token, at, "only the forward pass (FWD_I) is supported");
  }
  if (option == "--activation") {
    if (upper_case(value) == "TANH") return Status::success();
    return refuse(token, at, "only TANH is supported");
  }
  if (option == "--cfg") {
    if (value == "f32") return Status::success();
    return refuse(token, at, "only f32 is supported");
  }
  if (option == "--reset") {
    settings = {};
    return Status::success();
  }
  return refuse(token, 0, "this option is not supported");
}

// The descriptor's fields; 0: not given.
struct Fields {
  int64_t l = 0, t = 0, mb = 0, sic = 0, slc = 0, dhc = 0, dic = 0;
};

Result<RnnProblem> read_descriptor(Token token, const Settings& settings) {
  const std::string_view text = token.text;
  RnnProblem p;
  Fields f;
  const std::array<std::pair<std::string_view, int64_t*>, 7> fields = {{{"mb", &f.mb},
                                                                        {"sic", &f.sic},
                                                                        {"slc", &f.slc},
                                                                        {"dhc", &f.dhc},
                                                                        {"dic", &f.dic},
                                                                        {"l", &f.l},
                                                                        {"t", &f.t}}};
  for (size_t pos = 0; pos < text.size();) {
    if (text[pos] == '_') {
      ++pos;
      continue;
    }
    if (text[pos] == 'n') {
      auto name = read_name("rnn", token, pos);
      if (!name) return name.error();
      p.name = std::move(name->name);
      p.count = name->count;
      break;
    }
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& candidate) {
      return text.substr(pos, candidate.first.size()) == candidate.first;
    });
    if (field == fields.end()) {
      return refuse(
          token, pos,
          fmt::format("{} is not one of l, t, mb, sic, slc, dhc, dic, n\"name\"", quoted(text.substr(pos))));
    }
    if (*field->second) return refuse(token, pos, fmt::format("{} is given twice", field->first));
    size_t after = pos + field->first.size();
    const auto number = read_number(text, after);
    if (!number) return refuse(token, pos, fmt::format("{} {}", field->first, number.error().message));
    if (*number < 1 || *number > 1 << 24) {
      return refuse(token, pos, fmt::format("{} {} is not between 1 and {}", field->first, *number, 1 << 24));
    }
    *field->second = *number;
    pos = after;
  }
  if (!settings.cell)
    return refuse(token, 0, "its cell is missing: write LSTM, GRU, LBR_GRU or VANILLA_RNN before it");
  if (!f.sic) return refuse(token, 0, "sic is missing: the channels of the state");
  if (!f.dhc) f.dhc = f.sic;
  if (!f.dic) f.dic = f.dhc;
  if (f.dhc != f.sic || f.dic != f.dhc) {
    return {{ErrorCode::unsupported,
             fmt::format(
                 "rnn {}: column {}: sic {}, dhc {} and dic {} differ: a projected state is not supported",
                 quoted(text), token.column, f.sic, f.dhc, f.dic)}};
  }
  p.cell = *settings.cell;
  p.direction = settings.direction;
  p.layers = std::max<int64_t>(1, f.l);
  p.steps = std::max<int64_t>(1, f.t);
  p.batch = f.mb ? f.mb : 2;
  p.slc = f.slc ? f.slc : f.sic;
  p.hidden = f.sic;
  if (p.layers > 1 && p.slc != p.hidden) {
    return refuse(token, 0,
                  fmt::format("slc {} and dhc {} differ: layers after the first share their shape only "
                              "when they agree",
                              p.slc, p.hidden));
  }
  p.text = std::string(text);
  return p;
}

Status read_line(std::string_view line, Settings& settings, std::vector<RnnProblem>& problems) {
  const size_t before = problems.size();
  size_t first = std::string_view::npos, end = 0;
  for (size_t pos = 0; pos < line.size();) {
    if (line[pos] == ' ' || line[pos] == '\t' || line[pos] == '\r' || line[pos] == '\n') {
      ++pos;
      continue;
    }
    if (line[pos] == '#') break;
    const size_t begin = pos;
    while (pos < line.size() && line[pos] != ' ' && line[pos] != '\t' && line[pos] != '\r' &&
           line[pos] != '\n')
      ++pos;
    const Token token = {line.substr(begin, pos - begin), static_cast<int>(begin) + 1};
    first = std::min(first, begin);
    end = pos;
    if (token.text.substr(0, 2) == "--") {
      if (Status s = apply(token, settings); !s) return s;
    } else if (const auto cell = find_cell(token.text)) {
      settings.cell = cell;
    } else {
      auto problem = read_descriptor(token, settings);
      if (!problem) return problem.error();
      problems.push_back(std::move(*problem));
    }
  }
  if (problems.size() == before + 1) problems.back().text = std::string(line.substr(first, end - first));
  return Status::success();
}

}  // namespace

const char* rnn_cell_name(RnnCell cell) {
  switch (cell) {
    case RnnCell::lstm:
      return "LSTM";
    case RnnCell::gru:
      return "GRU";
    case RnnCell::lbr_gru:
      return "LBR_GRU";
    case RnnCell::vanilla_rnn:
      return "VANILLA_RNN";
  }
  return "?";
}

const char* rnn_direction_name(RnnDirection direction) {
  switch (direction) {
    case RnnDirection::left2right:
      return "left2right";
    case RnnDirection::right2left:
      return "right2left";
    case RnnDirection::concat:
      return "concat";
    case RnnDirection::sum:
      return "sum";
  }
  return "?";
}

int rnn_gates(RnnCell cell) { return cell == RnnCell::lstm ? 4 : cell == RnnCell::vanilla_rnn ? 1 : 3; }

Result<std::vector<RnnProblem>> parse_rnn(std::string_view line) {
  Settings settings;
  std::vector<RnnProblem> problems;
  if (Status s = read_line(line, settings, problems); !s) return s.error();
  if (problems.empty()) {
    return invalid_argument(fmt::format("no problem in {}: write one as LSTM l1t30mb10sic256", quoted(line)));
  }
  return problems;
}

Result<std::vector<RnnProblem>> read_rnn_batch(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  Settings settings;
  std::vector<RnnProblem> problems;
  Status s =
      for_each_line(*text, path, [&](std::string_view line) { return read_line(line, settings, problems); });
  if (!s) return s.error();
  if (problems.empty())
    return invalid_argument(fmt::format("{}: no problem in the list: write one a line", path));
  return problems;
}

std::string to_string(const RnnProblem& p) {
  return fmt::format("--direction={} {} l{}t{}mb{}sic{}slc{}dhc{}dic{}", rnn_direction_name(p.direction),
                     rnn_cell_name(p.cell), p.layers, p.steps, p.batch, p.hidden, p.slc, p.hidden, p.hidden);
}

double rnn_multiply_adds(const RnnProblem& p) {
  const double gates = rnn_gates(p.cell), directions = p.both_directions() ? 2 : 1;
  const auto h = static_cast<double>(p.hidden);
  double total = 0;
  for (int64_t layer = 0; layer < p.layers; ++layer) {
    // A later layer reads what the one below writes: both directions side by side under concat.
    const double in = layer == 0 ? double(p.slc) : p.direction == RnnDirection::concat ? 2 * h : h;
    total += directions * gates * h * (in * double(p.steps) + h * double(p.steps - 1));
  }
  return total * double(p.batch);
}

}  // namespace cortex
