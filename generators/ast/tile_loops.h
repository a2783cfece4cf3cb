// The loops of a Program that become loops of C++, with their names and the ranges they bind. A loop
// that has one trip wherever it is visited is dropped: its range is its parent's.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generators/loop_ir/expr.h"
#include "polyopt/schedule/program.h"

namespace cortex {

struct TileLoop {
  int dim = 0;
  int64_t step = 1;
  bool balanced = false;
  int parallel = -1;              // index in the call's grid, -1: sequential
  int parent = -1;                // index in TileLoops::loops of the enclosing loop over the same dim
  std::string var;                // loop variable: the tile's first element, or its index if balanced
  std::string lo, len;            // names of the tile's first element and length (lo == var unless balanced)
  std::string tiles;              // name of the tile count, where a balanced loop's varies
  std::string first, last;        // names of a thread's share, if parallel
  std::set<int64_t> lens, trips;  // every value these take
};

struct TileLoops {
  std::vector<TileLoop> loops;   // outermost first
  std::vector<int> single;       // parallel loops of one tile, dropped: that tile is the last thread's
  std::vector<int> kept_before;  // kept_before[d]: of the Program's outermost d loops, how many are kept
  std::vector<int64_t> extent;   // of the nest's dims

  // Innermost of the outermost `depth` loops over `dim`, -1 when there is none.
  int innermost(int dim, int depth) const;
  int innermost(int dim) const { return innermost(dim, static_cast<int>(loops.size())); }

  Expr lo(int loop) const;            // 0 for loop -1
  Expr len(int loop, int dim) const;  // the extent for loop -1
  std::set<int64_t> lens(int loop, int dim) const;
};

TileLoops tile_loops(const Program& program);

// Same numbers as to_string(loop) in the schedule: "oc: 512 in tiles of 64, the last 32".
std::string describe(const TileLoops& loops, const Nest& nest, int loop);

}  // namespace cortex
