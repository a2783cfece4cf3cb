#include "graph/problem/recursive.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "graph/problem/text.h"
#include "support/text_file.h"

namespace cortex {
namespace {

constexpr std::array<std::pair<RecursiveModel, const char*>, 10> models = {{
    {RecursiveModel::treefc, "treefc"},
    {RecursiveModel::treernn, "treernn"},
    {RecursiveModel::treegru, "treegru"},
    {RecursiveModel::treelstm, "treelstm"},
    {RecursiveModel::treelstm_nary, "treelstm-nary"},
    {RecursiveModel::mvrnn, "mvrnn"},
    {RecursiveModel::dagrnn, "dagrnn"},
    {RecursiveModel::seqrnn, "seqrnn"},
    {RecursiveModel::seqlstm, "seqlstm"},
    {RecursiveModel::seqgru, "seqgru"},
}};

struct Shape {
  StructureKind kind;
  const char* word;
  int64_t largest;
};
constexpr std::array<Shape, 8> shapes = {{
    {StructureKind::trees, "trees", 0},
    {StructureKind::perfect, "perfect", 20},
    {StructureKind::sequence, "seq", 1 << 24},
    {StructureKind::chain, "chain", 1 << 24},
    {StructureKind::star, "star", 1 << 24},
    {StructureKind::grid, "grid", 4096},
    {StructureKind::random_tree, "tree", 1 << 20},
    {StructureKind::dag, "dag", 1 << 20},
}};

std::optional<RecursiveModel> find_model(std::string_view word) {
  for (const auto& [model, name] : models) {
    if (word == name) return model;
  }
  return std::nullopt;
}

StructureSpec usual_structure(RecursiveModel model) {
  if (model == RecursiveModel::treefc) return {StructureKind::perfect, 7, 0};
  if (model == RecursiveModel::dagrnn) return {StructureKind::grid, 10, 10};
  if (runs_over_sequences(model)) return {StructureKind::sequence, 100, 0};
  return {};
}

Error refuse(Token token, int column, std::string_view what) {
  return {ErrorCode::invalid_argument,
          fmt::format("recursive {}: column {}: {}", quoted(token.text), column, what)};
}

// The number that must end a token, within 1 ... largest.
Result<int64_t> size_after(Token token, size_t prefix, int64_t largest) {
  size_t pos = prefix;
  const auto number = read_number(token.text, pos);
  const int column = token.column + static_cast<int>(prefix);
  if (!number)
    return refuse(token, column,
                  fmt::format("{} {}", quoted(token.text.substr(0, prefix)), number.error().message));
  if (pos != token.text.size()) {
    return refuse(token, token.column + static_cast<int>(pos),
                  fmt::format("{} follows the number", quoted(token.text.substr(pos))));
  }
  if (*number < 1 || *number > largest) {
    return refuse(token, column, fmt::format("{} is not between 1 and {}", *number, largest));
  }
  return *number;
}

Result<StructureSpec> read_shape(Token token, const Shape& shape) {
  const std::string_view word = shape.word;
  if (shape.kind == StructureKind::trees) return StructureSpec{};
  if (shape.kind == StructureKind::grid) {
    const size_t x = token.text.find('x');
    if (x == std::string_view::npos)
      return refuse(token, token.column, "a grid is written grid<rows>x<columns>");
    const auto rows = size_after({token.text.substr(0, x), token.column}, word.size(), shape.largest);
    if (!rows) return rows.error();
    const auto columns = size_after(token, x + 1, shape.largest);
    if (!columns) return columns.error();
    return StructureSpec{shape.kind, static_cast<int32_t>(*rows), static_cast<int32_t>(*columns)};
  }
  const auto size = size_after(token, word.size(), shape.largest);
  if (!size) return size.error();
  return StructureSpec{shape.kind, static_cast<int32_t>(*size), 0};
}

const Shape* find_shape(std::string_view token) {
  for (const Shape& shape : shapes) {
    const std::string_view word = shape.word;
    if (token.substr(0, word.size()) != word) continue;
    const std::string_view rest = token.substr(word.size());
    if (shape.kind == StructureKind::trees ? rest.empty() : !rest.empty() && is_digit(rest[0])) return &shape;
  }
  return nullptr;
}

std::vector<Token> tokens_of(std::string_view line) {
  std::vector<Token> tokens;
  for (size_t pos = 0; pos < line.size();) {
    if (line[pos] == ' ' || line[pos] == '\t' || line[pos] == '\r' || line[pos] == '\n') {
      ++pos;
      continue;
    }
    if (line[pos] == '#') break;
    const size_t begin = pos;
    bool in_quotes = false;
    for (; pos < line.size() &&
           (in_quotes || std::string_view(" \t\r\n").find(line[pos]) == std::string_view::npos);
         ++pos) {
      if (line[pos] == '"') in_quotes = !in_quotes && line.find('"', pos + 1) != std::string_view::npos;
    }
    tokens.push_back({line.substr(begin, pos - begin), static_cast<int>(begin) + 1});
  }
  return tokens;
}

class Reader {
 public:
  explicit Reader(std::string_view line) : line_(line) {}

  Result<std::vector<RecursiveProblem>> read() {
    for (const Token& token : tokens_of(line_)) {
      if (Status s = take(token); !s) return s.error();
      end_ = static_cast<size_t>(token.column) - 1 + token.text.size();
    }
    if (Status s = finish(); !s) return s.error();
    if (problems_.empty())
      return invalid_argument(
          fmt::format("no problem in {}: write one as treelstm h256 mb10", quoted(line_)));
    return std::move(problems_);
  }

 private:
  Status take(Token token) {
    if (const auto model = find_model(token.text)) {
      if (Status s = finish(); !s) return s;
      problem_.emplace();
      problem_->model = *model;
      first_ = token;
      has_shape_ = has_batch_ = has_name_ = false;
      return Status::success();
    }
    if (!problem_) {
      return refuse(token, token.column,
                    "a problem begins with its model: treefc, treernn, treegru, treelstm, treelstm-nary, "
                    "mvrnn, dagrnn, seqrnn, seqlstm or seqgru");
    }
    const std::string_view text = token.text;
    if (text[0] == 'h' && text.size() > 1 && is_digit(text[1])) {
      if (problem_->hidden) return refuse(token, token.column, "the hidden size is given twice");
      const auto size = size_after(token, 1, 16384);
      if (!size) return size.error();
      problem_->hidden = *size;
      return Status::success();
    }
    if (text.substr(0, 2) == "mb" && text.size() > 2 && is_digit(text[2])) {
      if (has_batch_) return refuse(token, token.column, "mb is given twice");
      has_batch_ = true;
      const auto size = size_after(token, 2, 1 << 20);
      if (!size) return size.error();
      problem_->batch = static_cast<int32_t>(*size);
      return Status::success();
    }
    if (text == "bf16") {
      problem_->bf16 = true;
      return Status::success();
    }
    if (const Shape* shape = find_shape(text)) {
      if (has_shape_) return refuse(token, token.column, "a second structure: a problem has one");
      has_shape_ = true;
      const auto spec = read_shape(token, *shape);
      if (!spec) return spec.error();
      problem_->structure = *spec;
      return Status::success();
    }
    if (text.substr(0, 2) == "n\"") {
      if (has_name_) return refuse(token, token.column, "a second name");
      has_name_ = true;
      auto name = read_name("recursive", token, 0);
      if (!name) return name.error();
      problem_->name = std::move(name->name);
      problem_->count = name->count;
      return Status::success();
    }
    return refuse(
        token, token.column,
        "is not h<size>, mb<count>, bf16, n\"name\" or a structure (trees, perfect7, seq100, chain100, "
        "star1000, grid10x10, tree50, dag100)");
  }

  Status finish() {
    if (!problem_) return Status::success();
    if (problem_->hidden == 0) {
      return refuse(first_, first_.column, "the hidden size is missing: write it as h256");
    }
    if (!has_shape_) problem_->structure = usual_structure(problem_->model);
    const size_t begin = static_cast<size_t>(first_.column) - 1;
    problem_->text = std::string(line_.substr(begin, end_ - begin));
    problems_.push_back(std::move(*problem_));
    problem_.reset();
    return Status::success();
  }

  std::string_view line_;
  std::vector<RecursiveProblem> problems_;
  std::optional<RecursiveProblem> problem_;
  Token first_;
  size_t end_ = 0;
  bool has_shape_ = false, has_batch_ = false, has_name_ = false;
};

}  // namespace

const char* recursive_model_name(RecursiveModel model) {
  for (const auto& [m, name] : models) {
    if (m == model) return name;
  }
  return "?";
}

bool runs_over_sequences(RecursiveModel model) {
  return model == RecursiveModel::seqrnn || model == RecursiveModel::seqlstm ||
         model == RecursiveModel::seqgru;
}

Result<std::vector<RecursiveProblem>> parse_recursive(std::string_view line) { return Reader(line).read(); }

Result<std::vector<RecursiveProblem>> read_recursive_batch(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  std::vector<RecursiveProblem> all;
  Status s = for_each_line(*text, path, [&](std::string_view line) -> Status {
    auto problems = parse_recursive(line);
    if (!problems) return problems.error();
    all.insert(all.end(), problems->begin(), problems->end());
    return Status::success();
  });
  if (!s) return s.error();
  if (all.empty()) return invalid_argument(fmt::format("{}: no problem in the list: write one a line", path));
  return all;
}

std::string to_string(const StructureSpec& spec) {
  for (const Shape& shape : shapes) {
    if (shape.kind != spec.kind) continue;
    if (spec.kind == StructureKind::trees) return shape.word;
    if (spec.kind == StructureKind::grid) return fmt::format("grid{}x{}", spec.size, spec.columns);
    return fmt::format("{}{}", shape.word, spec.size);
  }
  return "?";
}

std::string to_string(const RecursiveProblem& p) {
  return fmt::format("{} h{} mb{} {}{}", recursive_model_name(p.model), p.hidden, p.batch,
                     to_string(p.structure), p.bf16 ? " bf16" : "");
}

}  // namespace cortex
