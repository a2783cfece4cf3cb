#include "bench/recursive/operands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bench/reference/operands.h"
#include "support/bf16.h"
#include "support/fnv.h"

namespace cortex::bench {
namespace {

struct Shape {
  const char* name;
  std::vector<int64_t> dims;
  double scale;  // values are uniform in [-scale, scale)
};

// Not a table, not a bias.
bool is_weight(const Shape& shape) { return shape.name[0] != 'X' && shape.name[0] != 'b'; }

// Scales keep states of order one at any depth: 1/sqrt(fan-in) for saturating cells, sqrt(6/fan-in) for ReLU.
// W_M, whose products are not squashed, has rows that sum to about one.
std::vector<Shape> shapes_of(const RecursiveProblem& p, int64_t v, int64_t n) {
  const int64_t h = p.hidden;
  const double u = 1 / std::sqrt(double(h)), pair = 1 / std::sqrt(2.0 * double(h)), b = 0.1;
  switch (p.model) {
    case RecursiveModel::treefc:
      return {{"X", {v, h}, 1}, {"W", {h, 2 * h}, std::sqrt(3.0 / double(h))}, {"b", {h}, b}};
    case RecursiveModel::treernn:
    case RecursiveModel::dagrnn:
    case RecursiveModel::seqrnn:
      return {{"X", {v, h}, 1}, {"U", {h, h}, u}, {"b", {h}, b}};
    case RecursiveModel::treegru:
    case RecursiveModel::seqgru:
      return {{"X", {v, 3 * h}, 1}, {"U", {3 * h, h}, u}, {"b", {3 * h}, b}};
    case RecursiveModel::treelstm:
      return {{"X", {v, 4 * h}, 1}, {"U", {3 * h, h}, u}, {"U_f", {h, h}, u}, {"b", {4 * h}, b}};
    case RecursiveModel::treelstm_nary: {
      const double slots = 1 / std::sqrt(double(n * h));
      return {{"X", {v, 4 * h}, 1},
              {"U", {3 * h, n * h}, slots},
              {"U_f", {n * h, n * h}, slots},
              {"b", {4 * h}, b}};
    }
    case RecursiveModel::mvrnn:
      return {{"X", {v, h}, 1},
              {"X_M", {v, h, h}, u},
              {"W", {h, 2 * h}, pair},
              {"b", {h}, b},
              {"W_M", {h, 2 * h}, 1 / double(h)},
              {"b_M", {h, h}, u}};
    case RecursiveModel::seqlstm:
      return {{"X", {v, 4 * h}, 1}, {"U", {4 * h, h}, u}, {"b", {4 * h}, b}};
  }
  return {};
}

// Synthetic words, and those of a file in models with a matrix a word, are drawn from a vocabulary whose
// tables stay within 64 MB.
int64_t vocabulary_of(const RecursiveProblem& p, const Structures* trees) {
  const bool from_file = p.structure.kind == StructureKind::trees && trees;
  const int64_t words = from_file ? int64_t{largest_word(*trees)} + 1 : 1000;
  if (p.model != RecursiveModel::mvrnn) return words;
  return std::clamp<int64_t>((int64_t{16} << 20) / (p.hidden * p.hidden), 1, words);
}

// Of an execution by default, unless one batch has more.
constexpr double usual_nodes = 5e5;

double memory() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

Status check_room(const RecursiveProblem& p, double need, const std::string& of_what,
                  std::string_view advice) {
  if (need <= memory()) return Status::success();
  return Error{ErrorCode::out_of_memory,
               fmt::format("recursive \"{}\": {} take about {:.0f} GB, this machine has {:.0f}: {}", p.text,
                           of_what, need * 1e-9, memory() * 1e-9, advice)};
}

// Parameters as given, and as the model keeps them.
Status check_parameters(const RecursiveProblem& p, int64_t words, int64_t max_children) {
  double bytes = 0;
  for (const Shape& shape : shapes_of(p, words, max_children)) {
    double count = 1;
    for (const int64_t d : shape.dims) count *= double(d);
    bytes += 2 * sizeof(float) * count;
  }
  return check_room(p, bytes, fmt::format("parameters for {} words and {} children", words, max_children),
                    "lower h, the largest word id or the most children");
}

}  // namespace

int64_t RecursiveParameter::count() const {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

const RecursiveParameter& RecursiveOperands::parameter(const std::string& name) const {
  const auto it =
      std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.name == name; });
  assert(it != parameters.end());
  return *it;
}

int64_t RecursiveOperands::nodes() const {
  int64_t n = 0;
  for (const Structures& batch : batches) n += batch.node_count();
  return n;
}

int64_t second_state_size(const RecursiveProblem& p) {
  switch (p.model) {
    case RecursiveModel::treelstm:
    case RecursiveModel::treelstm_nary:
    case RecursiveModel::seqlstm:
      return p.hidden;
    case RecursiveModel::mvrnn:
      return p.hidden * p.hidden;
    default:
      return 0;
  }
}

const char* second_state_name(const RecursiveProblem& p) {
  return second_state_size(p) == 0 ? nullptr : p.model == RecursiveModel::mvrnn ? "M" : "c";
}

int32_t recursive_batches(const RecursiveProblem& p, const Structures* trees, const RecursiveSize& size) {
  if (size.batches > 0) return size.batches;
  const int32_t wanted = p.structure.kind == StructureKind::trees ? std::max(4, 100 / p.batch) : 2;
  const double affordable = usual_nodes / std::max(1.0, batch_nodes(p, trees));
  return static_cast<int32_t>(std::clamp<double>(affordable, 1, wanted));
}

Status check_recursive_memory(const RecursiveProblem& p, const Structures* trees, const RecursiveSize& size) {
  const double nodes = batch_nodes(p, trees), batches = recursive_batches(p, trees, size);
  const std::string many = fmt::format("batches of {1:.0f} nodes, {0:.0f} in all,", batches, nodes);
  // Of a node: where its children are listed, itself as a child, its word.
  if (Status s = check_room(p, batches * nodes * 3 * sizeof(int32_t), many, "lower mb or --batches"); !s)
    return s;
  const double states = 4.0 * nodes * double(p.hidden + second_state_size(p));
  if (Status s = check_room(p, states, fmt::format("the states of {:.0f} nodes", nodes),
                            "lower mb or h, or take smaller structures");
      !s) {
    return s;
  }
  return check_parameters(p, vocabulary_of(p, trees), 2);
}

Result<RecursiveOperands> make_recursive_operands(const RecursiveProblem& p, const Structures* trees,
                                                  const RecursiveSize& size) {
  if (Status s = check_recursive_memory(p, trees, size); !s) return s.error();
  RecursiveOperands o;
  const int32_t batches = recursive_batches(p, trees, size);
  // The last word id of 32 bits, 2^31 - 1, would make one more: it becomes word 0.
  const int64_t words = vocabulary_of(p, trees);
  const auto vocabulary = static_cast<int32_t>(std::min<int64_t>(words, INT32_MAX));
  Result<std::vector<Structures>> made = make_batches(p, trees, batches, {vocabulary, size.seed});
  if (!made) return made.error();
  o.batches = std::move(*made);
  o.vocabulary = vocabulary;
  o.max_children = 2;
  if (p.model == RecursiveModel::treelstm_nary) {
    for (const Structures& batch : o.batches) {
      o.max_children = std::max<int64_t>(o.max_children, largest_child_count(batch));
    }
  }
  if (Status s = check_parameters(p, vocabulary, o.max_children); !s) return s.error();
  uint64_t seed = fnv1a(to_string(p)) ^ (size.seed * 0x9e3779b97f4a7c15u);
  for (const Shape& shape : shapes_of(p, vocabulary, o.max_children)) {
    RecursiveParameter parameter{shape.name, shape.dims, {}};
    const int64_t count = parameter.count();
    parameter.values = AlignedBuffer(static_cast<std::size_t>(count) * sizeof(float));
    if (!parameter.values) {
      return Error{ErrorCode::out_of_memory,
                   fmt::format("cannot allocate {} bytes for {} of \"{}\": choose a smaller problem",
                               count * 4, shape.name, p.text)};
    }
    float* values = parameter.values.as<float>();
    fill_uniform(values, count, ++seed);
    const auto scale = static_cast<float>(shape.scale);
    if (scale != 1) {
      for (int64_t i = 0; i < count; ++i) values[i] *= scale;
    }
    if (p.bf16 && is_weight(shape)) {
      for (int64_t i = 0; i < count; ++i) values[i] = from_bf16(to_bf16(values[i]));
    }
    o.parameters.push_back(std::move(parameter));
  }
  return o;
}

double recursive_weight_bytes(const RecursiveProblem& p, int64_t max_children) {
  double elements = 0;
  for (const Shape& shape : shapes_of(p, 1, max_children)) {
    if (!is_weight(shape)) continue;
    double count = 1;
    for (int64_t d : shape.dims) count *= double(d);
    elements += count;
  }
  return (p.bf16 ? 2 : 4) * elements;
}

int64_t inner_levels(const Structures& batch) {
  const Result<std::vector<int32_t>> h = heights(batch);
  return h && !h->empty() ? *std::max_element(h->begin(), h->end()) : 0;
}

}  // namespace cortex::bench
