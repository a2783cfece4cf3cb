#include "bench/rank/record.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "support/cpu.h"

namespace cortex::bench {
namespace {

constexpr const char* recorded = "problem,name,isa,threads,plain,place,schedule,ns,spread,samples,finalist";
constexpr std::size_t recorded_fields = 11;
constexpr int levels = 3;  // cache levels with columns of their own; further ones are left out

std::string quoted(const std::string& text) {  // RFC 4180
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string header() {
  std::string text = std::string(recorded) + ",chosen,predicted_ns,cycles,kernel_cycles,pack_cycles";
  for (int level = 1; level <= levels; ++level) {
    text += fmt::format(",traffic{0}_cycles,traffic{0}_footprint", level);
    for (const char* operand : {"a", "b", "c"})
      text += fmt::format(",traffic{0}_read_{1},traffic{0}_write_{1}", level, operand);
  }
  return text + "\n";
}

std::string features(const Prediction& p) {
  std::string text =
      fmt::format("{:.6g},{:.6g},{:.6g},{:.6g}", p.seconds * 1e9, p.cycles, p.kernel_cycles, p.pack_cycles);
  for (std::size_t level = 0; level < levels; ++level) {
    const LevelTraffic traffic = level < p.levels.size() ? p.levels[level] : LevelTraffic{};
    text += fmt::format(",{:.6g},{:.6g}", traffic.cycles, traffic.footprint_bytes);
    for (std::size_t o = 0; o < operand_count; ++o)
      text += fmt::format(",{:.6g},{:.6g}", traffic.read_bytes[o], traffic.write_bytes[o]);
  }
  return text;
}

// Fields of one line; `text` moves past it. False where a quote has no end.
bool take_line(std::string_view& text, std::vector<std::string>& fields) {
  fields.assign(1, "");
  bool quote = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += text[i++];
      } else {
        quote = false;
      }
    } else if (c == '"') {
      quote = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++i;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  text.remove_prefix(i);
  return !quote;
}

template <typename T>
bool number(const std::string& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_csv(const std::vector<Ranking>& rankings) {
  std::string text = header();
  for (const Ranking& r : rankings) {
    for (std::size_t i = 0; i < r.variants.size(); ++i) {
      const Variant& v = r.variants[i];
      text +=
          fmt::format("{},{},{},{},{},{},{},{:.6g},{:.3g},{},{},{},{}\n", quoted(r.problem), quoted(r.name),
                      r.isa, r.threads, int(r.plain), v.place, quoted(v.schedule), v.ns, v.spread, v.samples,
                      int(v.finalist), int(static_cast<int>(i) == r.choice), features(v.prediction));
    }
  }
  return text;
}

Result<std::vector<Ranking>> parse_rankings(const std::string& text, const std::string& source) {
  std::string_view rest = text;
  std::vector<Ranking> rankings;
  std::vector<std::string> fields;
  if (!text.starts_with(std::string(recorded) + ",")) {
    return invalid_argument(fmt::format(
        "{}: not what cortex-bench rank --csv writes: its first line begins \"{}\"", source, recorded));
  }
  take_line(rest, fields);
  for (int line = 2; !rest.empty(); ++line) {
    const bool whole = take_line(rest, fields);
    Ranking r;
    Variant v;
    int plain = 0, finalist = 0;
    if (!whole || fields.size() < recorded_fields || !number(fields[3], r.threads) ||
        !number(fields[4], plain) || !number(fields[5], v.place) || !number(fields[7], v.ns) ||
        !number(fields[8], v.spread) || !number(fields[9], v.samples) || !number(fields[10], finalist) ||
        r.threads < 1 || !parse_isa(fields[2]) || v.samples < 0 || !std::isfinite(v.ns) ||
        (v.samples > 0 && !(v.ns > 0))) {
      return invalid_argument(fmt::format("{}:{}: not a line of cortex-bench rank --csv", source, line));
    }
    r.problem = fields[0];
    r.name = fields[1];
    r.isa = fields[2];
    r.plain = plain != 0;
    v.schedule = fields[6];
    v.finalist = finalist != 0;
    const bool same = !rankings.empty() && rankings.back().problem == r.problem &&
                      rankings.back().threads == r.threads && rankings.back().isa == r.isa &&
                      rankings.back().plain == r.plain;
    if (!same) rankings.push_back(std::move(r));
    rankings.back().variants.push_back(std::move(v));
  }
  return rankings;
}

}  // namespace cortex::bench
