#include "runtime/recursive/linearize.h"

#include <fmt/format.h>

#include <algorithm>

namespace cortex::recursive {
namespace {

class Linearizer {
 public:
  Linearizer(const cortex_recursive_batch& batch, const StructureRules& rules, Linear& out)
      : batch_(batch), rules_(rules), out_(out), chain_(batch.child_offsets == nullptr) {}

  Status run() {
    if (Status s = check_sizes(); !s) return s;
    out_.nodes = batch_.nodes;
    const std::size_t n = static_cast<std::size_t>(batch_.nodes);
    out_.height.assign(n, 0);
    out_.parents.assign(n, 0);
    if (Status s = check_children(); !s) return s;
    if (Status s = find_heights(); !s) return s;
    if (Status s = check_roots(); !s) return s;
    if (Status s = check_words(); !s) return s;
    sort();
    return connect();
  }

 private:
  Error refuse(int64_t structure, const std::string& what) const {
    return invalid_argument(fmt::format("{} {}: {}", structure_name(rules_.structure), structure, what));
  }
  int64_t structure_of(int64_t node) const {
    const int32_t* end = batch_.structure_offsets + batch_.structures + 1;
    return std::upper_bound(batch_.structure_offsets, end, static_cast<int32_t>(node)) -
           batch_.structure_offsets - 1;
  }

  Status check_sizes() const {
    constexpr int64_t most = int64_t{1} << 30;
    if (batch_.structures < 1)
      return invalid_argument(fmt::format("batch: {} structures; at least 1 is needed", batch_.structures));
    if (batch_.nodes < 1 || batch_.nodes > most) {
      return invalid_argument(fmt::format("batch: {} nodes; 1 to 2^30 are possible", batch_.nodes));
    }
    if (batch_.structures > batch_.nodes) {
      return invalid_argument(fmt::format("batch: {} structures of {} nodes; every structure has one or more",
                                          batch_.structures, batch_.nodes));
    }
    if (!batch_.structure_offsets) return invalid_argument("batch: structure_offsets is NULL");
    const int32_t* offsets = batch_.structure_offsets;
    if (offsets[0] != 0)
      return invalid_argument(fmt::format("batch: structure_offsets begin with {}, not 0", offsets[0]));
    for (int64_t s = 0; s < batch_.structures; ++s) {
      if (offsets[s + 1] <= offsets[s]) return refuse(s, "has no nodes");
      if (offsets[s + 1] > batch_.nodes) {
        return refuse(s, fmt::format("ends at node {}, and the batch has {}", offsets[s + 1], batch_.nodes));
      }
    }
    if (offsets[batch_.structures] != batch_.nodes) {
      return invalid_argument(fmt::format("batch: structure_offsets end with {}, and there are {} nodes",
                                          offsets[batch_.structures], batch_.nodes));
    }
    if (rules_.vocabulary > 0 && !batch_.words)
      return invalid_argument("batch: words is NULL, and the model reads words");
    if (rules_.selectors && !batch_.selectors) {
      return invalid_argument("batch: selectors is NULL, and the model reads child[select]");
    }
    return {};
  }

  int32_t begin(int64_t node) const { return batch_.child_offsets[node]; }
  int32_t end(int64_t node) const { return batch_.child_offsets[node + 1]; }

  Status check_children() {
    if (chain_) {
      out_.edges = batch_.nodes - batch_.structures;
      return {};
    }
    if (batch_.child_offsets[0] != 0) {
      return invalid_argument(
          fmt::format("batch: child_offsets begin with {}, not 0", batch_.child_offsets[0]));
    }
    out_.edges = 0;
    const int32_t total = batch_.child_offsets[batch_.nodes];
    if (total > 0 && !batch_.child_ids) return invalid_argument("batch: child_ids is NULL");
    const bool one_parent = rules_.structure != Structure::dag;
    const int64_t most = rules_.structure == Structure::sequence ? 1 : rules_.max_children;
    int32_t* parents = out_.parents.data();
    for (int64_t s = 0; s < batch_.structures; ++s) {
      const int32_t first = batch_.structure_offsets[s], last = batch_.structure_offsets[s + 1];
      for (int32_t v = first; v < last; ++v) {
        const int32_t b = begin(v), e = end(v);
        if (e < b) return refuse(s, fmt::format("node {}: child_offsets fall from {} to {}", v, b, e));
        if (e > total) {  // nothing behind it may be read
          return refuse(s, fmt::format("node {}: child_offsets rise to {}, and end with {}", v, e, total));
        }
        if (most >= 0 && e - b > most) {
          return refuse(s,
                        fmt::format("node {} has {} children; the model takes at most {}", v, e - b, most));
        }
        for (int32_t i = b; i < e; ++i) {
          const int32_t child = batch_.child_ids[i];
          if (child < first || child >= last) {
            return refuse(s, fmt::format("node {} has child {}; the structure's nodes are {} to {}", v, child,
                                         first, last - 1));
          }
          if (++parents[child] > 1 && one_parent) {
            return refuse(
                s, fmt::format("node {} has two parents, one of them {}; declare a dag if that is meant",
                               child, v));
          }
        }
        out_.edges = e;
      }
    }
    return {};
  }

  // Children before parents in the caller's numbering (post-order, sequences) or the other way round: one
  // pass. Otherwise a node is ready when its last child is.
  Status find_heights() {
    int32_t* height = out_.height.data();
    if (chain_) {
      for (int64_t s = 0; s < batch_.structures; ++s) {
        const int32_t first = batch_.structure_offsets[s], last = batch_.structure_offsets[s + 1];
        for (int32_t v = first; v < last; ++v) {
          height[v] = rules_.reverse ? last - 1 - v : v - first;
          out_.parents[static_cast<std::size_t>(v)] = rules_.reverse ? v != first : v != last - 1;
        }
      }
      return {};
    }
    bool ascending = true, descending = true;
    for (int64_t v = 0; v < batch_.nodes && (ascending || descending); ++v) {
      for (int32_t i = begin(v); i < end(v); ++i) {
        (batch_.child_ids[i] < v ? descending : ascending) = false;
        if (batch_.child_ids[i] == v) descending = false;
      }
    }
    const auto visit = [&](int64_t v) {
      int32_t h = -1;
      for (int32_t i = begin(v); i < end(v); ++i) h = std::max(h, height[batch_.child_ids[i]]);
      height[v] = h + 1;
    };
    if (ascending) {
      for (int64_t v = 0; v < batch_.nodes; ++v) visit(v);
      return {};
    }
    if (descending) {
      for (int64_t v = batch_.nodes; v-- > 0;) visit(v);
      return {};
    }
    return sort_topologically(visit);
  }

  // From the roots down: a node follows its last parent; then heights in the opposite order.
  template <typename Visit>
  Status sort_topologically(Visit visit) {
    std::vector<int32_t>& ready = out_.ready;
    std::vector<int32_t>& waiting = out_.order;
    waiting = out_.parents;
    ready.clear();
    for (int64_t v = 0; v < batch_.nodes; ++v) {
      if (waiting[static_cast<std::size_t>(v)] == 0) ready.push_back(static_cast<int32_t>(v));
    }
    for (std::size_t next = 0; next < ready.size(); ++next) {
      const int32_t v = ready[next];
      for (int32_t i = begin(v); i < end(v); ++i) {
        const int32_t child = batch_.child_ids[i];
        if (--waiting[static_cast<std::size_t>(child)] == 0) ready.push_back(child);
      }
    }
    if (static_cast<int64_t>(ready.size()) != batch_.nodes) {
      // A node that waits has a parent that waits: going up must come round to a node seen before.
      int64_t v = 0;
      while (waiting[static_cast<std::size_t>(v)] == 0) ++v;
      return refuse(structure_of(v), fmt::format("its nodes form a cycle through, or above, node {}", v));
    }
    for (std::size_t i = ready.size(); i-- > 0;) visit(ready[i]);
    return {};
  }

  Status check_roots() {
    out_.roots.clear();
    for (int64_t s = 0; s < batch_.structures; ++s) {
      int32_t found = -1;
      for (int32_t v = batch_.structure_offsets[s]; v < batch_.structure_offsets[s + 1]; ++v) {
        if (out_.parents[static_cast<std::size_t>(v)] > 0) continue;
        if (found >= 0 && rules_.structure != Structure::dag) {
          return refuse(s, fmt::format("has two roots, nodes {} and {}", found, v));
        }
        found = v;
        out_.roots.push_back(v);
      }
      if (found < 0) return refuse(s, "has no root: its nodes form a cycle");
    }
    return {};
  }

  Status check_words() const {
    if (rules_.vocabulary <= 0) return {};
    int32_t low = 0, high = -1;
    for (int64_t v = 0; v < batch_.nodes; ++v) {
      low = std::min(low, batch_.words[v]);
      high = std::max(high, batch_.words[v]);
    }
    if (low >= -1 && high < rules_.vocabulary) return {};
    for (int64_t v = 0;; ++v) {
      const int32_t word = batch_.words[v];
      if (word >= -1 && word < rules_.vocabulary) continue;
      return refuse(structure_of(v), fmt::format("node {} has word {}; words are 0 to {}, or -1 for none", v,
                                                 word, rules_.vocabulary - 1));
    }
  }

  // Long sequences first: then the rows of every level are the first ones of the level before.
  void order_structures() {
    std::vector<int32_t>& order = out_.structure_order;
    order.resize(static_cast<std::size_t>(batch_.structures));
    for (std::size_t s = 0; s < order.size(); ++s) order[s] = static_cast<int32_t>(s);
    if (rules_.structure != Structure::sequence) return;
    const int32_t* offsets = batch_.structure_offsets;
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      const int32_t length_a = offsets[a + 1] - offsets[a], length_b = offsets[b + 1] - offsets[b];
      return length_a != length_b ? length_a > length_b : a < b;
    });
  }

  // Counting sort by height, roots behind the other nodes of their level.
  void sort() {
    order_structures();
    const std::size_t n = static_cast<std::size_t>(batch_.nodes);
    const int32_t top = *std::max_element(out_.height.begin(), out_.height.end());
    out_.levels = top + 1;
    std::vector<int32_t>& count = out_.ready;
    count.assign(2 * static_cast<std::size_t>(out_.levels) + 1, 0);
    const auto key = [&](std::size_t v) {
      return 2 * static_cast<std::size_t>(out_.height[v]) + (out_.parents[v] == 0);
    };
    for (std::size_t v = 0; v < n; ++v) ++count[key(v) + 1];
    for (std::size_t k = 1; k < count.size(); ++k) count[k] += count[k - 1];
    out_.level_start.resize(static_cast<std::size_t>(out_.levels) + 1);
    out_.level_inner.resize(static_cast<std::size_t>(out_.levels));
    for (std::size_t l = 0; l < out_.level_inner.size(); ++l) {
      out_.level_start[l] = count[2 * l];
      out_.level_inner[l] = count[2 * l + 1] - count[2 * l];
    }
    out_.level_start.back() = static_cast<int32_t>(n);
    out_.leaves = out_.level_start[1];
    out_.original.resize(n);
    out_.position.resize(n);
    for (const int32_t s : out_.structure_order) {
      for (int32_t v = batch_.structure_offsets[s]; v < batch_.structure_offsets[s + 1]; ++v) {
        const int32_t at = count[key(static_cast<std::size_t>(v))]++;
        out_.original[static_cast<std::size_t>(at)] = v;
        out_.position[static_cast<std::size_t>(v)] = at;
      }
    }
    if (rules_.one_by_one) separate();
  }

  void separate() {
    const std::size_t n = static_cast<std::size_t>(batch_.nodes);
    out_.levels = batch_.nodes;
    out_.level_start.resize(n + 1);
    out_.level_inner.resize(n);
    for (std::size_t at = 0; at <= n; ++at) out_.level_start[at] = static_cast<int32_t>(at);
    for (std::size_t at = 0; at < n; ++at) {
      out_.level_inner[at] = out_.parents[static_cast<std::size_t>(out_.original[at])] > 0;
    }
  }

  Status connect() {
    const std::size_t n = static_cast<std::size_t>(batch_.nodes);
    out_.child_begin.resize(n + 1);
    out_.children.resize(static_cast<std::size_t>(out_.edges));
    if (rules_.vocabulary > 0) out_.word.resize(n);
    if (rules_.selectors) out_.selected.resize(n);
    const int32_t* position = out_.position.data();
    int32_t edge = 0;
    for (std::size_t at = 0; at < n; ++at) {
      const int32_t v = out_.original[at];
      out_.child_begin[at] = edge;
      if (chain_) {
        if (out_.height[static_cast<std::size_t>(v)] > 0) {
          out_.children[static_cast<std::size_t>(edge++)] = position[rules_.reverse ? v + 1 : v - 1];
        }
      } else {
        for (int32_t i = begin(v); i < end(v); ++i) {
          out_.children[static_cast<std::size_t>(edge++)] = position[batch_.child_ids[i]];
        }
      }
      if (rules_.vocabulary > 0) out_.word[at] = batch_.words[v];
      if (!rules_.selectors) continue;
      const int32_t which = batch_.selectors[v], count = edge - out_.child_begin[at];
      if (which < -1 || which >= count) {
        return refuse(structure_of(v), fmt::format("node {} selects child {} of {}", v, which, count));
      }
      out_.selected[at] =
          which < 0 ? -1 : out_.children[static_cast<std::size_t>(out_.child_begin[at] + which)];
    }
    out_.child_begin[n] = edge;
    for (int32_t& root : out_.roots) root = position[root];
    out_.heights = out_.levels;
    find_dense_levels();
    return {};
  }

  void find_dense_levels() {
    out_.first_child.assign(static_cast<std::size_t>(out_.levels), -1);
    for (std::size_t l = 0; l < out_.first_child.size(); ++l) {
      if (out_.level_start[l] < out_.leaves) continue;
      const std::size_t first = static_cast<std::size_t>(out_.level_start[l]);
      const std::size_t last = static_cast<std::size_t>(out_.level_start[l + 1]);
      const int32_t base = out_.children[static_cast<std::size_t>(out_.child_begin[first])];
      bool dense = true;
      for (std::size_t at = first; at < last && dense; ++at) {
        dense = out_.children[static_cast<std::size_t>(out_.child_begin[at])] ==
                base + static_cast<int32_t>(at - first);
      }
      if (dense) out_.first_child[l] = base;
    }
  }

  const cortex_recursive_batch& batch_;
  const StructureRules& rules_;
  Linear& out_;
  const bool chain_;
};

}  // namespace

Status linearize(const cortex_recursive_batch& batch, const StructureRules& rules, Linear& out) {
  return Linearizer(batch, rules, out).run();
}

}  // namespace cortex::recursive
