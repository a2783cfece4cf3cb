#include "graph/problem/line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "graph/problem/conv_text.h"
#include "graph/problem/matmul_text.h"

namespace cortex {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

// Blanks inside double quotes belong to the token, '#' there starts no comment.
std::vector<Token> split_tokens(std::string_view line) {
  std::vector<Token> tokens;
  size_t pos = 0;
  while (pos < line.size()) {
    if (is_blank(line[pos])) {
      ++pos;
      continue;
    }
    if (line[pos] == '#') break;
    const size_t begin = pos;
    // A quote that is never closed ends with its token, whose reader says so.
    bool in_quotes = false;
    for (; pos < line.size() && (in_quotes || !is_blank(line[pos])); ++pos) {
      if (line[pos] == '"') in_quotes = !in_quotes && line.find('"', pos + 1) != std::string_view::npos;
    }
    tokens.push_back({line.substr(begin, pos - begin), static_cast<int>(begin) + 1});
  }
  return tokens;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Lines of other operators, so that the message can say what they are.
const char* other_operator(Token token) {
  const std::string word = lower_case(token.text);
  if (is_one_of(word, {"lstm", "gru", "lbr_gru", "vanilla_rnn", "vanilla_lstm", "vanilla_gru", "augru",
                       "vanilla_augru", "lbr_augru"}) ||
      (word.size() > 1 && word[0] == 'l' && is_digit(word[1]))) {
    return "recurrent layers";
  }
  if (is_one_of(word, {"treelstm", "treegru", "treefc", "treernn", "mvrnn", "dagrnn"}))
    return "recursive models";
  return nullptr;
}

Result<Problem> read_problem(Token token, OpKind op, const Options& options) {
  Problem problem;
  const Types types = options.types ? *options.types : options.unstated.value_or(Types());
  problem.src = types.src, problem.wei = types.wei, problem.dst = types.dst;
  problem.epilogue = options.post_ops;
  problem.epilogue.scale = options.scale;
  if (!options.types && options.unstated)
    problem.epilogue.scale |= sum_type(types.src) == DataType::s32 && types.dst != DataType::s32;
  problem.epilogue.zero_point = options.dst_zero_point;
  problem.src_zero_point = options.src_zero_point;
  problem.epilogue.bias = options.bias;
  ProblemName name;
  const bool looks_like_matmul = is_digit(token.text[0]);
  if (op != OpKind::any && looks_like_matmul != (op == OpKind::matmul)) {
    return refusal(op == OpKind::conv ? "conv" : "matmul", token, token.column,
                   looks_like_matmul
                       ? "a matmul where a convolution is expected: say --matmul, or --op matmul"
                       : "sizes MxK:KxN are expected: for a convolution say --conv, or --op conv");
  }
  if (looks_like_matmul) {
    auto matmul = parse_matmul(token);
    if (!matmul) return matmul.error();
    if (Status s = apply_layout(options, token, matmul->matmul); !s) return s.error();
    problem.op = std::move(matmul->matmul);
    name = std::move(matmul->name);
  } else {
    auto conv = parse_conv(token, options.mb);
    if (!conv) return conv.error();
    if (Status s = apply_layout(options, token, conv->conv); !s) return s.error();
    problem.op = conv->conv;
    name = std::move(conv->name);
  }
  problem.name = std::move(name.name);
  problem.count = name.count;
  problem.text = std::string(token.text);
  if (Status s = validate(problem); !s) {
    return refusal(problem.is_conv() ? "conv" : "matmul", token, token.column, s.error().message,
                   s.error().code);
  }
  return problem;
}

}  // namespace

Status read_line(std::string_view line, OpKind op, Options& options, std::vector<Problem>& problems) {
  constexpr size_t longest = size_t{1} << 20;
  if (line.size() > longest) {
    return invalid_argument(
        fmt::format("the line has {} bytes, above {}: is this a list of problems?", line.size(), longest));
  }
  if (const size_t nul = line.find('\0'); nul != std::string_view::npos) {
    return invalid_argument(fmt::format("column {}: a NUL byte: is this a text file?", nul + 1));
  }
  const std::vector<Token> tokens = split_tokens(line);
  const size_t first = problems.size();
  for (const Token& token : tokens) {
    if (token.text.substr(0, 2) == "--") {
      if (Status s = apply_option(token, options); !s) return s;
      continue;
    }
    const OpKind kind = op != OpKind::any ? op : options.op;
    if (const char* other = other_operator(token)) {
      return unsupported(
          fmt::format("{}: column {}: {} are not supported yet by this command: conv and matmul are",
                      quoted(token.text), token.column, other));
    }
    auto problem = read_problem(token, kind, options);
    if (!problem) return problem.error();
    problems.push_back(std::move(*problem));
  }
  // A line of one problem is shown with its options.
  if (problems.size() == first + 1 && tokens.size() > 1) {
    const char* begin = tokens.front().text.data();
    const char* end = tokens.back().text.data() + tokens.back().text.size();
    problems.back().text = std::string(begin, end);
  }
  return Status::success();
}

namespace {

Result<Problem> one_problem(std::string_view line, OpKind op, Options options) {
  std::vector<Problem> problems;
  if (Status s = read_line(line, op, options, problems); !s) return s.error();
  if (problems.empty())
    return invalid_argument(fmt::format(
        "no problem in {}: write a conv as ic64ih56oc64kh3ph1 or a matmul as 128x768:768x768", quoted(line)));
  if (problems.size() > 1) {
    return invalid_argument(
        fmt::format("{} problems in {} where one is wanted", problems.size(), quoted(line)));
  }
  return std::move(problems.front());
}

}  // namespace

Result<Problem> parse_problem(std::string_view line, OpKind op) { return one_problem(line, op, Options()); }

Result<Problem> parse_problem(std::string_view line, OpKind op, const Types& unstated) {
  Options options;
  options.unstated = unstated;
  return one_problem(line, op, options);
}

}  // namespace cortex
