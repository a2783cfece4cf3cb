// Structures in the order their nodes can be computed in: by height, leaves first.
#pragma once

#include <cstdint>
#include <vector>

#include "cortex/recursive.h"
#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

// What the model asks of structures.
struct StructureRules {
  Structure structure = Structure::tree;
  int64_t max_children = -1;  // -1: any number
  int64_t vocabulary = 0;     // 0: words are not read
  bool selectors = false;
  bool reverse = false;     // sequences from their ends
  bool one_by_one = false;  // without dynamic batching: every node is a level
};

// Nodes by position: level l is [level_start[l], level_start[l+1]), its roots last. Children stand at lower
// positions than their parents. Memory is kept from batch to batch.
struct Linear {
  int64_t nodes = 0, edges = 0, levels = 0;
  int64_t heights = 0;               // levels before anything was unrolled
  int64_t leaves = 0;                // the first positions
  std::vector<int32_t> level_start;  // levels + 1
  std::vector<int32_t> level_inner;  // nodes of the level that have a parent: its first ones
  std::vector<int32_t> original;     // position -> the caller's node
  std::vector<int32_t> position;     // the caller's node -> position
  std::vector<int32_t> child_begin;  // nodes + 1, by position
  std::vector<int32_t> children;     // positions
  std::vector<int32_t> word;         // by position
  std::vector<int32_t> selected;     // by position: the child's position, -1 for none
  std::vector<int32_t> roots;        // positions, in the caller's order
  std::vector<int32_t> first_child;  // by level: where its rows' first children lie back to back in the order
                                     // of the rows, the first's position; else -1
  // Room to work in.
  std::vector<int32_t> height, parents, order, structure_order, ready, moved, begin_room;
};

// Checks the batch and orders it. Never recurses. Refusals name structure and node.
Status linearize(const cortex_recursive_batch& batch, const StructureRules& rules, Linear& out);

}  // namespace cortex::recursive
