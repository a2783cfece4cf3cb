#include "runtime/recursive/unroll.h"

#include <algorithm>
#include <numeric>

namespace cortex::recursive {
namespace {

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

// By position: where the node goes.
void post_order(Linear& linear) {
  std::vector<int32_t>&to = linear.moved, &next = linear.order, &stack = linear.ready;
  const auto leaves = static_cast<int32_t>(linear.leaves);
  to.assign(index(linear.nodes), -1);
  std::iota(to.begin(), to.begin() + leaves, 0);
  next.assign(index(linear.nodes), 0);
  int32_t free = leaves;
  const auto child = [&](int32_t node, int32_t number) {
    const int32_t begin = linear.child_begin[index(node)],
                  count = linear.child_begin[index(node) + 1] - begin;
    const int32_t* of = linear.children.data() + begin;
    return count == 2 && of[1] > of[0] ? of[1 - number] : of[number];
  };
  for (const int32_t root : linear.roots) {
    if (to[index(root)] >= 0) continue;
    stack.assign(1, root);
    while (!stack.empty()) {
      const int32_t node = stack.back();
      const int32_t count = linear.child_begin[index(node) + 1] - linear.child_begin[index(node)];
      if (next[index(node)] < count) {
        const int32_t below = child(node, next[index(node)]++);
        if (to[index(below)] < 0) stack.push_back(below);
        continue;
      }
      to[index(node)] = free++;
      stack.pop_back();
    }
  }
}

}  // namespace

void unroll(Linear& linear) {
  post_order(linear);
  const std::vector<int32_t>& to = linear.moved;
  std::vector<int32_t>& from = linear.order;
  const std::size_t n = to.size();
  for (std::size_t old = 0; old < n; ++old) from[index(to[old])] = static_cast<int32_t>(old);

  const auto permute = [&](std::vector<int32_t>& values) {
    if (values.empty()) return;
    linear.ready.resize(n);
    for (std::size_t at = 0; at < n; ++at) linear.ready[at] = values[index(from[at])];
    std::swap(values, linear.ready);
  };
  permute(linear.original);
  if (!linear.word.empty()) permute(linear.word);
  if (!linear.selected.empty()) {
    permute(linear.selected);
    for (int32_t& child : linear.selected) child = child < 0 ? child : to[index(child)];
  }
  for (std::size_t at = 0; at < n; ++at)
    linear.position[index(linear.original[at])] = static_cast<int32_t>(at);
  for (int32_t& root : linear.roots) root = to[index(root)];

  linear.ready.clear();
  std::vector<int32_t>& begin = linear.begin_room;
  begin.resize(n + 1);
  for (std::size_t at = 0; at < n; ++at) {
    begin[at] = static_cast<int32_t>(linear.ready.size());
    const std::size_t old = index(from[at]);
    for (int32_t edge = linear.child_begin[old]; edge < linear.child_begin[old + 1]; ++edge)
      linear.ready.push_back(to[index(linear.children[index(edge)])]);
  }
  begin[n] = static_cast<int32_t>(linear.ready.size());
  std::swap(linear.children, linear.ready);
  std::swap(linear.child_begin, begin);

  linear.levels = 1 + linear.nodes - linear.leaves;
  linear.level_start.resize(index(linear.levels) + 1);
  linear.level_inner.resize(index(linear.levels));
  linear.first_child.resize(index(linear.levels));
  for (int64_t l = 1; l < linear.levels; ++l) {  // the leaves' level stays
    const int64_t at = linear.leaves + l - 1;
    linear.level_start[index(l)] = static_cast<int32_t>(at);
    linear.level_inner[index(l)] = linear.parents[index(linear.original[index(at)])] > 0;
    linear.first_child[index(l)] = linear.children[index(linear.child_begin[index(at)])];
  }
  linear.level_start.back() = static_cast<int32_t>(linear.nodes);
}

}  // namespace cortex::recursive
