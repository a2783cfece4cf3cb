// Stream: one body of data with addresses of its own: an operand in place, the source of a pack, or the
// copy a pack makes. Its footprints at every depth, and the traffic it causes into a cache.
#pragma once

#include "polyopt/model/footprint.h"
#include "polyopt/model/walk.h"

namespace cortex {

struct Stream {
  Operand operand;
  bool copy;           // made by execute(); overwritten each time the pack stands
  int first, last;     // depths where it is touched; a copy keeps its box at depths above `first`
  double rows, pitch;  // Footprint of one kernel call, or of one pack
  std::array<double, walk_depths> bytes, run;  // Footprint at each depth
  std::array<std::array<double, walk_depths>, crowded_levels> room;
};

inline constexpr int max_streams = 5;

struct Streams {
  int count = 0;
  std::array<Stream, max_streams> stream;
  // Rows of A's tile that fall into one set of L1. The kernel walks all rows at once: where they exceed the
  // ways, they evict each other before a line is used up.
  double a_rows_per_set = 0;
  double a_pages = 0;  // pages they lie in

  // `in_place`: the user layouts of A, B and C.
  Streams(const NestFacts& nest, const LoopPlan& plan, const Walk& walk, const Layout* in_place, double page);

  // What one visit of depth `depth` touches; the room it takes in L1 (0) and L2 (1).
  double working_set(int depth) const;
  double working_room(int depth, int level) const;
  // The same with the B that comes next besides, or what it is copied from.
  double room_with_next_b(int depth, int level) const;
  // The same for a cache that `sharers` threads use at once: what they have in common counts once.
  double shared_working_set(const NestFacts& nest, const LoopPlan& plan, int depth, double sharers) const;

  // Bytes of `s` that one thread brings into a level which holds the working set of depth `held`
  // (plan.loops + 1: not even that of one kernel call).
  static double traffic(const Stream& s, const NestFacts& nest, const LoopPlan& plan, const Walk& walk,
                        int held);

  // Bytes written into the level below by one thread, given what traffic() said of the reads.
  static double written(const Stream& s, const Walk& walk, int held, double read);

 private:
  void add_operand(Operand operand, const NestFacts& nest, const LoopPlan& plan, const Walk& walk,
                   const Layout& in_place, double page);
  void count_rows(const LoopPlan& plan, const Walk& walk, const Layout& layout, double page);
};

}  // namespace cortex
