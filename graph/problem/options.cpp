#include "graph/problem/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace cortex {
namespace {

Error refuse(Token token, std::string_view what, ErrorCode code = ErrorCode::invalid_argument) {
  return refusal("option", token, token.column, what, code);
}

// benchdnn takes several values, separated by commas, and runs all combinations; here one is one.
bool several(std::string_view value) { return value.find(',') != std::string_view::npos; }

std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

Status set_direction(Token token, std::string_view value, Options& options) {
  if (equal_ignoring_case(value, "FWD_B")) {
    options.bias = true;
  } else if (equal_ignoring_case(value, "FWD_D") || equal_ignoring_case(value, "FWD_I")) {
    options.bias = false;
  } else if (value.substr(0, 4) == "BWD_" || value.substr(0, 4) == "bwd_") {
    return refuse(token, "backward passes are not supported: use FWD_B (with bias), FWD_D or FWD_I",
                  ErrorCode::unsupported);
  } else {
    return refuse(token, "not a direction: use FWD_B (with bias), FWD_D or FWD_I");
  }
  return Status::success();
}

Status set_bias_type(Token token, std::string_view value, Options& options) {
  if (value == "f32") {
    options.bias = true;
  } else if (value == "undef") {
    options.bias = false;
  } else {
    return refuse(token, "bias is f32 or undef (none); other types are not supported",
                  ErrorCode::unsupported);
  }
  return Status::success();
}

Result<int64_t> number_value(Token token, std::string_view value) {
  size_t pos = 0;
  const auto number = read_number(value, pos);
  if (!number && number.error().code == ErrorCode::overflow)
    return refuse(token, "the value does not fit in 64 bits", ErrorCode::overflow);
  if (!number || pos != value.size()) return refuse(token, "the value is not a whole number");
  return *number;
}

// Options that choose how benchdnn measures or what it compares with, and those of other operators.
struct Refused {
  std::string_view name, why;
};
constexpr Refused refused[] = {
    {"attr-scales", "scales are not supported"},
    {"strides", "explicit strides are not supported: use --stag and --wtag"},
    {"runtime_dims_masks", "sizes known only at run time are not supported"},
    {"encoding", "sparse encodings are not supported in problem lines"},
    {"deconv", "deconvolution is not supported"},
    {"rnn", "recurrent layers are not supported yet by this command"},
    {"batch", "a list inside a list is not supported: name each list on the command line"},
};

constexpr std::string_view known_options[] = {
    "reset",  "conv",        "matmul",        "dir",         "dt",
    "cfg",    "bia_dt",      "bia_mask",      "bia-dt",      "bia-mask",
    "mb",     "stag",        "wtag",          "dtag",        "alg",
    "engine", "attr-fpmath", "attr-post-ops", "attr-oscale", "attr-zero-points"};

Status refuse_unknown(Token token, std::string_view name) {
  for (const Refused& r : refused) {
    if (name == r.name) return refuse(token, r.why, ErrorCode::unsupported);
  }
  return refuse(
      token,
      "unknown option: known are --conv --matmul --reset --dir --dt --cfg --bia_dt --bia_mask --mb --stag "
      "--wtag --dtag --alg --engine --attr-post-ops --attr-oscale --attr-zero-points --attr-fpmath",
      ErrorCode::unsupported);
}

Status must_be(Token token, std::string_view value, std::initializer_list<std::string_view> allowed) {
  for (std::string_view a : allowed) {
    if (equal_ignoring_case(value, a)) return Status::success();
  }
  return refuse(token, fmt::format("not supported: leave it out or use {}", fmt::join(allowed, ", ")),
                ErrorCode::unsupported);
}

}  // namespace

bool begins_with_problem_options(std::string_view argument) {
  if (argument.substr(0, 2) != "--" || argument.find_first_of(" \t") == std::string_view::npos) return false;
  const std::string_view name = argument.substr(2, argument.find_first_of("= \t") - 2);
  const auto is = [&](std::string_view known) { return name == known; };
  if (name == "batch") return false;  // a tool's own: a path may hold blanks
  return std::any_of(std::begin(known_options), std::end(known_options), is) ||
         std::any_of(std::begin(refused), std::end(refused), [&](const Refused& r) { return is(r.name); });
}

std::vector<std::string> command_line_words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 0; i < argc; ++i) {
    std::string word = argv[i];
    if (!words.empty() && words.back() == "--problem") {
      words.back() += "=" + word;
      continue;
    }
    if (begins_with_problem_options(word)) {
      words.push_back("--problem=" + word);
      continue;
    }
    // "--name=" has an empty value: not the word after it.
    const bool empty = word.starts_with("--") && word.find('=') == word.size() - 1;
    words.push_back(empty ? word.substr(0, word.size() - 1) : word);
    if (empty) words.emplace_back();
  }
  return words;
}

Status apply_option(Token token, Options& options) {
  const std::string_view text = token.text.substr(2);
  const size_t equals = text.find('=');
  std::string name(text.substr(0, equals));
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? unquoted(text.substr(equals + 1)) : std::string_view();
  if (name == "bia-dt" || name == "bia-mask") name[3] = '_';

  if (name == "reset" || name == "conv" || name == "matmul") {
    if (has_value) return refuse(token, fmt::format("--{} takes no value", name));
    const OpKind op = name == "conv" ? OpKind::conv : name == "matmul" ? OpKind::matmul : options.op;
    if (name == "reset") {
      const std::optional<Types> unstated = options.unstated;
      options = Options();
      options.unstated = unstated;
    }
    options.op = op;
    return Status::success();
  }
  const auto is = [&](std::string_view known) { return name == known; };
  if (std::none_of(std::begin(known_options), std::end(known_options), is))
    return refuse_unknown(token, name);
  if (!has_value) return refuse(token, fmt::format("--{} needs a value: write --{}=...", name, name));
  if (several(value)) return refuse(token, "several values at once are not supported: write a line for each");

  if (name == "dir") return set_direction(token, value, options);
  if (name == "bia_dt") return set_bias_type(token, value, options);
  if (name == "alg") return must_be(token, value, {"direct", "auto"});
  if (name == "engine") return must_be(token, value, {"cpu"});
  if (name == "attr-fpmath") return must_be(token, value, {"strict"});
  if (name == "stag") options.stag = value;
  if (name == "wtag") options.wtag = value;
  if (name == "dtag") options.dtag = value;
  if (name == "dt" || name == "cfg") {
    const auto types = parse_types(token, value);
    if (!types) return types.error();
    options.types = *types;
  }
  if (name == "mb" || name == "bia_mask") {
    const auto number = number_value(token, value);
    if (!number) return number.error();
    if (*number > 2147483647) return refuse(token, "the value is above 2147483647", ErrorCode::overflow);
    if (name == "mb") options.mb = *number;
    if (name == "bia_mask") options.bias_mask = static_cast<int>(*number);
  }
  if (name == "attr-post-ops") {
    const auto post_ops = parse_post_ops(token, value);
    if (!post_ops) return post_ops.error();
    options.post_ops = *post_ops;
  }
  if (name == "attr-zero-points") {
    const auto points = parse_zero_points(token, value);
    if (!points) return points.error();
    options.src_zero_point = points->src, options.dst_zero_point = points->dst;
  }
  if (name == "attr-oscale") {
    if (value.substr(0, 6) != "per_oc" || (value.size() > 6 && value[6] != ':')) {
      return refuse(token, "not supported: scales are per_oc, their values are given with the operands",
                    ErrorCode::unsupported);
    }
    options.scale = true;
  }
  return Status::success();
}

Result<ZeroPoints> parse_zero_points(Token token, std::string_view value) {
  ZeroPoints points;
  std::string seen;  // first letters of the operands
  for (bool more = true; more;) {
    const std::size_t plus = value.find('+');
    std::string_view entry = value.substr(0, plus);
    more = plus != std::string_view::npos;
    if (more) value.remove_prefix(plus + 1);
    const std::string_view operand = entry.substr(0, 4);
    int32_t number = 0;
    bool good = operand == "src:" || operand == "dst:";
    if (good) entry.remove_prefix(4);
    good = good && entry.substr(0, 7) == "common:";
    if (good) {
      entry.remove_prefix(7);
      const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), number);
      good = error == std::errc() && end == entry.data() + entry.size();
    }
    if (good && seen.find(operand[0]) != std::string::npos)
      return refuse(token, fmt::format("{} is given twice", operand.substr(0, 3)));
    if (!good) {
      return refuse(token,
                    "not supported: write src:common:NUMBER, dst:common:NUMBER, or both with a + between",
                    ErrorCode::unsupported);
    }
    seen += operand[0];
    (operand == "src:" ? points.src : points.dst) = number;
  }
  return points;
}

Result<Types> parse_types(Token token, std::string_view value) {
  std::vector<DataType> types;
  std::string_view rest = value;
  while (!rest.empty()) {
    const size_t before = rest.size();
    for (std::string_view t : {"f32", "bf16", "u8", "s8", "s32"}) {
      if (rest.substr(0, t.size()) == t) {
        types.push_back(*parse_dtype(t));
        rest.remove_prefix(t.size());
        break;
      }
    }
    if (rest.size() == before || types.size() > 3) {
      return refuse(token, "not supported: types are f32, bf16, u8, s8, s32, one for all or src:wei:dst",
                    ErrorCode::unsupported);
    }
    if (!rest.empty() && rest.front() == ':' && rest.size() > 1) rest.remove_prefix(1);
  }
  if (types.empty()) return refuse(token, "no type: write f32, or src:wei:dst");
  if (types.size() == 1) return Types{types[0], types[0], types[0]};
  const bool integers = types[1] == DataType::s8;
  return Types{types[0], types[1], types.size() == 3 ? types[2] : integers ? DataType::s32 : DataType::f32};
}

namespace {

// Position of each letter: "acb" -> true if the last two of `rank` are swapped; no value if neither.
Result<bool> swapped(Token problem, std::string_view option, const std::string& tag, size_t rank) {
  if (tag.empty() || tag == "any" || tag == "undef") return false;
  std::string plain;
  for (size_t i = 0; i < rank; ++i) plain += static_cast<char>('a' + i);
  std::string transposed = plain;
  std::swap(transposed[rank - 1], transposed[rank - 2]);
  if (tag == plain) return false;
  if (tag == transposed && option != "dtag") return true;
  return refusal("matmul", problem, problem.column,
                 fmt::format("--{}={} does not fit its {} dimensions: use {}{}", option, tag, rank, plain,
                             option == "dtag" ? "" : " or " + transposed));
}

}  // namespace

Status apply_layout(const Options& options, Token problem, MatmulProblem& matmul) {
  const size_t rank = matmul.batch_a.size() + 2;
  const auto a = swapped(problem, "stag", options.stag, rank);
  if (!a) return a.error();
  const auto b = swapped(problem, "wtag", options.wtag, rank);
  if (!b) return b.error();
  const auto c = swapped(problem, "dtag", options.dtag, rank);
  if (!c) return c.error();
  matmul.a_transposed = *a;
  matmul.b_transposed = *b;
  if (options.bias && options.bias_mask != 0 && options.bias_mask != 1 << (rank - 1)) {
    return refusal("matmul", problem, problem.column,
                   fmt::format("--bia_mask={} is not supported: bias has one value per column, --bia_mask={}",
                               options.bias_mask, 1 << (rank - 1)),
                   ErrorCode::unsupported);
  }
  if (options.mb != 0) {
    return refusal(
        "matmul", problem, problem.column,
        fmt::format("--mb={} does not apply to a matmul: take it out with --mb=0 or --reset", options.mb));
  }
  return Status::success();
}

Status apply_layout(const Options& options, Token problem, const ConvProblem&) {
  const auto check = [&](std::string_view option, const std::string& tag,
                         std::initializer_list<std::string_view> allowed) -> Status {
    if (tag.empty() || std::find(allowed.begin(), allowed.end(), tag) != allowed.end())
      return Status::success();
    return refusal("conv", problem, problem.column,
                   fmt::format("--{}={} is not supported: leave it out or use {}", option, tag,
                               fmt::join(allowed, ", ")),
                   ErrorCode::unsupported);
  };
  if (Status s = check("stag", options.stag, {"any", "axb", "nhwc", "nwc", "ndhwc", "acb", "acdb", "acdeb"});
      !s)
    return s;
  if (Status s = check("dtag", options.dtag, {"any", "axb", "nhwc", "nwc", "ndhwc", "acb", "acdb", "acdeb"});
      !s)
    return s;
  return check("wtag", options.wtag, {"any"});
}

}  // namespace cortex
