#include "graph/structure/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace cortex {

int32_t Structures::add_node(int32_t word_id, const int32_t* read, int32_t count) {
  children.insert(children.end(), read, read + count);
  first_child.push_back(static_cast<int32_t>(children.size()));
  word.push_back(word_id);
  return node_count() - 1;
}

void Structures::end_structure(int32_t root_node) {
  first_node.push_back(node_count());
  root.push_back(root_node);
}

Structures select(const Structures& all, const std::vector<int32_t>& chosen) {
  Structures batch;
  std::vector<int32_t> read;
  for (const int32_t s : chosen) {
    const int32_t first = all.first_node[size_t(s)], end = all.first_node[size_t(s) + 1];
    const int32_t shift = batch.node_count() - first;
    for (int32_t v = first; v < end; ++v) {
      read.assign(all.children_of(v), all.children_of(v) + all.child_count(v));
      for (int32_t& child : read) child += shift;
      batch.add_node(all.word[size_t(v)], read.data(), all.child_count(v));
    }
    batch.end_structure(all.root[size_t(s)] + shift);
  }
  return batch;
}

Result<std::vector<int32_t>> heights(const Structures& t) {
  const size_t nodes = t.word.size();
  std::vector<int32_t> height(nodes, 0), waiting(nodes, 0), first_reader(nodes + 1, 0),
      readers(t.children.size());
  for (int32_t s = 0; s < t.structure_count(); ++s) {
    for (int32_t v = t.first_node[size_t(s)]; v < t.first_node[size_t(s) + 1]; ++v) {
      for (int32_t k = 0; k < t.child_count(v); ++k) {
        const int32_t child = t.children_of(v)[k];
        if (child < t.first_node[size_t(s)] || child >= t.first_node[size_t(s) + 1]) {
          return invalid_argument(
              fmt::format("structure {}: node {} reads node {}, which is not its own: it has "
                          "nodes {} to {}",
                          s, v, child, t.first_node[size_t(s)], t.first_node[size_t(s) + 1] - 1));
        }
        ++first_reader[size_t(child) + 1];
      }
    }
  }
  std::partial_sum(first_reader.begin(), first_reader.end(), first_reader.begin());
  std::vector<int32_t> next(first_reader.begin(), first_reader.end() - 1), ready;
  for (int32_t v = 0; v < t.node_count(); ++v) {
    waiting[size_t(v)] = t.child_count(v);
    if (waiting[size_t(v)] == 0) ready.push_back(v);
    for (int32_t k = 0; k < t.child_count(v); ++k) readers[size_t(next[size_t(t.children_of(v)[k])]++)] = v;
  }
  for (size_t i = 0; i < ready.size(); ++i) {
    const auto v = size_t(ready[i]);
    for (int32_t r = first_reader[v]; r < first_reader[v + 1]; ++r) {
      const auto reader = size_t(readers[size_t(r)]);
      height[reader] = std::max(height[reader], height[v] + 1);
      if (--waiting[reader] == 0) ready.push_back(static_cast<int32_t>(reader));
    }
  }
  if (ready.size() != nodes) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](int32_t w) { return w > 0; });
    return invalid_argument(fmt::format("node {} is on a cycle or reads one: a recursive structure has none",
                                        stuck - waiting.begin()));
  }
  return height;
}

Structures shuffled(const Structures& t, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> old_of(t.word.size());
  std::iota(old_of.begin(), old_of.end(), 0);
  for (int32_t s = 0; s < t.structure_count(); ++s) {
    std::shuffle(old_of.begin() + t.first_node[size_t(s)], old_of.begin() + t.first_node[size_t(s) + 1],
                 random);
  }
  std::vector<int32_t> new_of(t.word.size());
  for (size_t i = 0; i < old_of.size(); ++i) new_of[size_t(old_of[i])] = static_cast<int32_t>(i);
  Structures out;
  std::vector<int32_t> read;
  for (int32_t s = 0; s < t.structure_count(); ++s) {
    for (int32_t i = t.first_node[size_t(s)]; i < t.first_node[size_t(s) + 1]; ++i) {
      const int32_t v = old_of[size_t(i)];
      read.assign(t.children_of(v), t.children_of(v) + t.child_count(v));
      for (int32_t& child : read) child = new_of[size_t(child)];
      out.add_node(t.word[size_t(v)], read.data(), t.child_count(v));
    }
    out.end_structure(new_of[size_t(t.root[size_t(s)])]);
  }
  return out;
}

int32_t largest_child_count(const Structures& t) {
  int32_t most = 0;
  for (int32_t v = 0; v < t.node_count(); ++v) most = std::max(most, t.child_count(v));
  return most;
}

int32_t largest_word(const Structures& t) {
  return t.word.empty() ? Structures::no_word : *std::max_element(t.word.begin(), t.word.end());
}

}  // namespace cortex
