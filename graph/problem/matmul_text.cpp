#include "graph/problem/matmul_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace cortex {
namespace {

constexpr std::string_view op = "matmul";
constexpr size_t rank_max = 12;  // as many tensor dimensions as oneDNN has

struct Sizes {
  std::vector<int64_t> value;
  std::vector<int> column;
};

// "2x128x768" at text[pos...]
Result<Sizes> read_sizes(Token token, size_t& pos) {
  Sizes sizes;
  while (true) {
    const int column = token.column + static_cast<int>(pos);
    const auto value = read_number(token.text, pos);
    if (!value) {
      return refusal(op, token, column,
                     value.error().code == ErrorCode::overflow
                         ? "the size does not fit in 64 bits"
                         : "a size is missing: a matmul reads MxK:KxN, leading batch sizes allowed",
                     value.error().code);
    }
    if (*value < 1) return refusal(op, token, column, "the size is 0: it must be at least 1");
    sizes.value.push_back(*value);
    sizes.column.push_back(column);
    if (pos >= token.text.size() || token.text[pos] != 'x') return sizes;
    ++pos;
  }
}

}  // namespace

Result<MatmulText> parse_matmul(Token token) {
  const std::string_view text = token.text;
  MatmulText result;
  Sizes tensors[3];
  constexpr const char* names[] = {"source", "weights", "destination"};
  size_t pos = 0;
  int given = 0;
  for (; given < 3; ++given) {
    auto sizes = read_sizes(token, pos);
    if (!sizes) return sizes.error();
    tensors[given] = std::move(*sizes);
    const Sizes& t = tensors[given];
    if (t.value.size() < 2 || t.value.size() > rank_max) {
      return refusal(
          op, token, t.column[0],
          fmt::format("{} dimension(s) in the {}: it needs 2 to {}", t.value.size(), names[given], rank_max));
    }
    if (given > 0 && t.value.size() != tensors[0].value.size()) {
      return refusal(
          op, token, t.column[0],
          fmt::format("{} dimensions in the {} and {} in the source: give both the same, 1 broadcasts",
                      t.value.size(), names[given], tensors[0].value.size()));
    }
    if (pos >= text.size() || text[pos] != ':') {
      ++given;
      break;
    }
    ++pos;
  }
  while (pos < text.size() && text[pos] == '_') ++pos;
  if (pos < text.size() && text[pos] == 'n') {
    auto name = read_name(op, token, pos);
    if (!name) return name.error();
    result.name = std::move(*name);
  } else if (pos < text.size()) {
    return refusal(
        op, token, token.column + static_cast<int>(pos),
        fmt::format("{} follows the sizes: only 'x', ':' and n\"name\" may", quoted(text.substr(pos, 8))));
  }
  if (given < 2) {
    return refusal(op, token, token.column + static_cast<int>(std::min(pos, text.size())),
                   "the weights are missing: a matmul reads MxK:KxN");
  }
  const Sizes &a = tensors[0], &b = tensors[1], &c = tensors[2];
  const size_t batch = a.value.size() - 2;
  MatmulProblem& p = result.matmul;
  p.m = a.value[batch];
  p.k = a.value[batch + 1];
  p.n = b.value[batch + 1];
  if (b.value[batch] != p.k) {
    return refusal(op, token, b.column[batch],
                   fmt::format("the weights have {} rows but the source {} columns: both are K, correct one",
                               b.value[batch], p.k));
  }
  std::vector<int64_t> expected;
  for (size_t i = 0; i < batch; ++i) {
    const int64_t da = a.value[i], db = b.value[i];
    if (da != db && da != 1 && db != 1) {
      return refusal(
          op, token, b.column[i],
          fmt::format("batch dimension {} is {} in the source and {} in the weights: equal sizes, or 1 "
                      "to broadcast",
                      i, da, db));
    }
    expected.push_back(std::max(da, db));
  }
  p.batch_a.assign(a.value.begin(), a.value.end() - 2);
  p.batch_b.assign(b.value.begin(), b.value.end() - 2);
  expected.push_back(p.m);
  expected.push_back(p.n);
  for (size_t i = 0; given == 3 && i < expected.size(); ++i) {
    if (c.value[i] != expected[i]) {
      return refusal(
          op, token, c.column[i],
          fmt::format("destination dimension {} is {} but source and weights give {}: correct or leave "
                      "out the destination",
                      i, c.value[i], expected[i]));
    }
  }
  return result;
}

}  // namespace cortex
