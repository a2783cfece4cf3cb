#include <fmt/format.h>

#include <algorithm>

#include "graph/problem/recursive.h"

namespace cortex {
namespace {

// What nodes read is numbered too: of a DAG's up to three each.
constexpr double most_nodes = 1 << 29;

Structures leaves_as_sequences(const Structures& trees) {
  Structures out;
  for (int32_t s = 0; s < trees.structure_count(); ++s) {
    int32_t before = -1;
    for (int32_t v = trees.first_node[size_t(s)]; v < trees.first_node[size_t(s) + 1]; ++v) {
      if (trees.word[size_t(v)] == Structures::no_word) continue;
      before = out.add_node(trees.word[size_t(v)], &before, before < 0 ? 0 : 1);
    }
    out.end_structure(before);
  }
  return out;
}

Structures make_structures(const RecursiveProblem& p, SyntheticWords words) {
  const StructureSpec& s = p.structure;
  switch (s.kind) {
    case StructureKind::perfect:
      return perfect_trees(p.batch, s.size, words);
    case StructureKind::sequence:
      return sequences(p.batch, s.size, words);
    case StructureKind::chain:
      return chains(p.batch, s.size, words);
    case StructureKind::star:
      return stars(p.batch, s.size, words);
    case StructureKind::grid:
      return grids(p.batch, s.size, s.columns, words);
    case StructureKind::random_tree:
      return needs_pairs(p.model) ? random_trees(p.batch, s.size, 2, words, 2)
                                  : random_trees(p.batch, s.size, 5, words);
    case StructureKind::dag:
      return random_dags(p.batch, s.size, 3, words);
    case StructureKind::trees:
      break;
  }
  return {};
}

}  // namespace

double batch_nodes(const RecursiveProblem& p, const Structures* file) {
  const StructureSpec& s = p.structure;
  double nodes = s.size;
  if (s.kind == StructureKind::trees) {
    if (!file) return 0;
    const auto wordless = std::count(file->word.begin(), file->word.end(), Structures::no_word);
    const double read = double(file->node_count()) - (runs_over_sequences(p.model) ? double(wordless) : 0);
    nodes = read / std::max(1, file->structure_count());
  }
  if (s.kind == StructureKind::perfect) nodes = 2.0 * double(int64_t{1} << s.size) - 1;
  if (s.kind == StructureKind::star) nodes = s.size + 1.0;
  if (s.kind == StructureKind::grid) nodes = double(s.size) * s.columns;
  return nodes * p.batch;
}

bool needs_pairs(RecursiveModel model) {
  return model == RecursiveModel::treefc || model == RecursiveModel::mvrnn;
}

Status check_structures(RecursiveModel model, const Structures& t) {
  const bool sequential = runs_over_sequences(model);
  for (int32_t v = 0; v < t.node_count(); ++v) {
    const int32_t k = t.child_count(v);
    if (needs_pairs(model) && k != 0 && k != 2) {
      return invalid_argument(fmt::format("{} joins two children: node {} has {} (use binary trees)",
                                          recursive_model_name(model), v, k));
    }
    if (sequential && k > 1) {
      return invalid_argument(
          fmt::format("{} runs over sequences: node {} reads {} nodes", recursive_model_name(model), v, k));
    }
    if (k == 0 && t.word[size_t(v)] == Structures::no_word) {
      return invalid_argument(fmt::format("node {} has neither children nor a word", v));
    }
  }
  return Status::success();
}

Result<std::vector<Structures>> make_batches(const RecursiveProblem& p, const Structures* file,
                                             int32_t batches, SyntheticWords words) {
  const auto refuse = [&](std::string_view what) {
    return invalid_argument(fmt::format("recursive \"{}\": {}", p.text, what));
  };
  std::vector<Structures> all;
  if (p.structure.kind == StructureKind::trees && !file) {
    return refuse("it runs over trees: name their file with --trees, or a shape such as perfect7");
  }
  if (const double nodes = batch_nodes(p, file); nodes > most_nodes) {
    return refuse(fmt::format("a batch would have {:.0f} million nodes, of {:.0f} million at most: lower mb",
                              nodes * 1e-6, most_nodes * 1e-6));
  }
  for (int32_t i = 0; i < batches; ++i) {
    Structures batch;
    if (p.structure.kind == StructureKind::trees) {
      std::vector<int32_t> chosen;
      const int64_t wanted = int64_t{batches} * p.batch, have = file->structure_count();
      for (int32_t j = 0; j < p.batch; ++j) {
        const int64_t at = int64_t{i} * p.batch + j;
        chosen.push_back(static_cast<int32_t>(wanted <= have ? at * have / wanted : at % have));
      }
      batch = select(*file, chosen);
      if (runs_over_sequences(p.model)) batch = leaves_as_sequences(batch);
    } else {
      SyntheticWords drawn = words;
      drawn.seed += static_cast<uint64_t>(i);
      batch = make_structures(p, drawn);
    }
    for (int32_t& word : batch.word) {
      if (word != Structures::no_word) word %= words.count;
    }
    if (Status s = check_structures(p.model, batch); !s) return refuse(s.error().message);
    all.push_back(std::move(batch));
  }
  return all;
}

double recursive_multiply_adds(const RecursiveProblem& p, const Structures& t) {
  const auto h = static_cast<double>(p.hidden);
  double products = 0;  // of an hidden x hidden matrix and a vector
  for (int32_t v = 0; v < t.node_count(); ++v) {
    const double k = t.child_count(v);
    if (k == 0) continue;
    switch (p.model) {
      case RecursiveModel::treefc:
        products += 2;
        break;
      case RecursiveModel::treernn:
      case RecursiveModel::dagrnn:
      case RecursiveModel::seqrnn:
        products += 1;
        break;
      case RecursiveModel::treegru:
      case RecursiveModel::seqgru:
        products += 3;
        break;
      case RecursiveModel::treelstm:
        products += 3 + k;
        break;
      case RecursiveModel::treelstm_nary:
        products += 3 * k + k * k;
        break;
      case RecursiveModel::mvrnn:
        products += 4 + 2 * h;
        break;
      case RecursiveModel::seqlstm:
        products += 4;
        break;
    }
  }
  return products * h * h;
}

}  // namespace cortex
