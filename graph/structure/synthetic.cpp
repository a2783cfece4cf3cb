#include "graph/structure/synthetic.h"

#include <algorithm>
#include <random>

namespace cortex {
namespace {

// Draws by remainder: the library's distributions differ from one implementation to the next.
class Draw {
 public:
  explicit Draw(SyntheticWords words) : words_(words), random_(words.seed) {}
  int32_t word() { return below(words_.count); }
  int32_t below(int32_t n) { return static_cast<int32_t>(random_() % static_cast<uint64_t>(n)); }

 private:
  SyntheticWords words_;
  std::mt19937_64 random_;
};

void add_chain(Structures& out, int32_t length, bool word_everywhere, Draw& draw) {
  int32_t before = -1;
  for (int32_t i = 0; i < length; ++i) {
    const int32_t word = word_everywhere || i == 0 ? draw.word() : Structures::no_word;
    before = out.add_node(word, &before, i == 0 ? 0 : 1);
  }
  out.end_structure(before);
}

}  // namespace

Structures perfect_trees(int32_t trees, int32_t height, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (int32_t t = 0; t < trees; ++t) {
    std::vector<int32_t> level;
    for (int32_t i = 0; i < int32_t{1} << height; ++i) level.push_back(out.add_node(draw.word(), nullptr, 0));
    for (; level.size() > 1; level.resize(level.size() / 2)) {
      for (size_t i = 0; i < level.size() / 2; ++i) {
        const int32_t pair[2] = {level[2 * i], level[2 * i + 1]};
        level[i] = out.add_node(Structures::no_word, pair, 2);
      }
    }
    out.end_structure(level[0]);
  }
  return out;
}

Structures sequences(int32_t count, int32_t length, SyntheticWords words) {
  return sequences(std::vector<int32_t>(static_cast<size_t>(count), length), words);
}

Structures sequences(const std::vector<int32_t>& lengths, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (const int32_t length : lengths) add_chain(out, length, true, draw);
  return out;
}

Structures chains(int32_t count, int32_t length, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (int32_t i = 0; i < count; ++i) add_chain(out, length, false, draw);
  return out;
}

Structures stars(int32_t count, int32_t leaves, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (int32_t i = 0; i < count; ++i) {
    std::vector<int32_t> read;
    for (int32_t leaf = 0; leaf < leaves; ++leaf) read.push_back(out.add_node(draw.word(), nullptr, 0));
    out.end_structure(out.add_node(Structures::no_word, read.data(), leaves));
  }
  return out;
}

Structures grids(int32_t count, int32_t rows, int32_t columns, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (int32_t g = 0; g < count; ++g) {
    for (int32_t i = 0; i < rows; ++i) {
      for (int32_t j = 0; j < columns; ++j) {
        int32_t read[2], reads = 0;
        if (i > 0) read[reads++] = out.node_count() - columns;
        if (j > 0) read[reads++] = out.node_count() - 1;
        out.add_node(draw.word(), read, reads);
      }
    }
    out.end_structure(out.node_count() - 1);
  }
  return out;
}

// Nodes that nothing reads yet are gathered at random under new ones until one is left.
Structures random_trees(int32_t count, int32_t nodes, int32_t max_children, SyntheticWords words,
                        int32_t min_children) {
  Draw draw(words);
  Structures out;
  for (int32_t t = 0; t < count; ++t) {
    std::vector<int32_t> free;
    for (int32_t made = 0; made < nodes || free.size() > 1; ++made) {
      const bool leaf = free.empty() || (made < nodes && free.size() < static_cast<size_t>(min_children)) ||
                        (made < nodes && max_children > 1 && draw.below(2) == 0);
      if (leaf) {
        free.push_back(out.add_node(draw.word(), nullptr, 0));
        continue;
      }
      const auto most = std::min<size_t>(free.size(), static_cast<size_t>(max_children));
      // Once the node budget is spent, every new node must join at least two, where it may.
      const size_t least = std::min<size_t>(most, made >= nodes ? 2 : static_cast<size_t>(min_children));
      const size_t reads = least + static_cast<size_t>(draw.below(static_cast<int32_t>(most - least) + 1));
      std::vector<int32_t> read;
      for (size_t k = 0; k < reads; ++k) {
        const auto at = static_cast<size_t>(draw.below(static_cast<int32_t>(free.size())));
        read.push_back(free[at]);
        free.erase(free.begin() + static_cast<std::ptrdiff_t>(at));
      }
      free.push_back(out.add_node(Structures::no_word, read.data(), static_cast<int32_t>(read.size())));
    }
    out.end_structure(free.front());
  }
  return out;
}

Structures random_dags(int32_t count, int32_t nodes, int32_t max_children, SyntheticWords words) {
  Draw draw(words);
  Structures out;
  for (int32_t g = 0; g < count; ++g) {
    const int32_t first = out.node_count();
    for (int32_t v = 0; v < nodes; ++v) {
      std::vector<int32_t> read;
      if (v > 0) read.push_back(out.node_count() - 1);
      for (int32_t k = draw.below(max_children); k > 0 && v > 1; --k) {
        const int32_t earlier = first + draw.below(v);
        if (std::find(read.begin(), read.end(), earlier) == read.end()) read.push_back(earlier);
      }
      // Some start afresh, so that levels have several nodes.
      if (v + 1 < nodes && draw.below(4) == 0) read.clear();
      out.add_node(draw.word(), read.data(), static_cast<int32_t>(read.size()));
    }
    out.end_structure(out.node_count() - 1);
  }
  return out;
}

}  // namespace cortex
