// Constants of the cost model that no manual states: how much of a cache a loop nest can count on, how well
// transfers hide behind arithmetic, what prefetchers do not foresee. `cortex-bench rank --fit` fits them to
// measured variants and stores them in the machine's file; the defaults come from an AMD EPYC (Zen 5), those
// of other families stand in defaults.cpp.
#pragma once

#include <array>

namespace cortex {

struct Costs {
  double usable_cache = 0.7;    // of the capacity, before other data and LRU's mistakes
  double usable_shared = 0.35;  // of a cache that other cores use too
  double spill = 1.3;           // beyond that, reuse fades out over so much more
  double load_overlap = 0.16;   // of the loads into registers, the part that shows beside the multiply-adds
  double repeated_loads = 0;    // of those that a tile repeats for want of registers, the part that counts
  // The part of an operand's transfers that shows although something else takes longer: L1 from L2 (near),
  // from further caches (far), from memory. Prefetchers follow a few runs at a time, each within its page:
  // for the share of A's rows that lie in more pages than that, the second figure comes on top.
  double streams_followed = 6;
  double a_near = 0.34, a_near_rows = 0.14;
  double a_far = 0.11, a_far_rows = 0.03;
  double a_memory = 0.051, a_memory_rows = 0.1;
  double a_asked = 0.44;  // of those beyond L2, what is left where calls ask for the next tile of A
  double b_near = 0.048, b_far = 0.18, b_memory = 0.051;
  double b_asked = 0.5;  // the same of B asked for ahead: it takes its turn on the way
  double c_near = 0.11, c_far = 0.042, c_memory = 0.15;
  // Runs of many rows (columns of a row-major matrix), each in a page of its own: cycles lost at the start.
  double page_run = 1.1;   // where the pages exceed the TLB
  double cache_run = 1.8;  // from beyond L2, and for each of the run's lines
  double cache_line = 1.7;
  double memory_run = 17;
  double memory_line = 6.1;
  double within_page = 0.14;  // of these, where a page holds several rows
  double store_run = 31;      // a run of C in a page of its own, where L1 does not hold it
  // Columns of B that stream from memory: what is in flight at once is what the instructions in the window of
  // the core ask for. A kernel of few vectors and many rows asks for little.
  double window_uops = 1220;  // of the reorder buffer, what such loops fill
  double lines_in_flight = 78;
  double tap_run = 0;          // a tap of a window whose weights do not follow those of the one before
  double cold_weights = 0;     // share of B that left the caches since the last execution
  double few_rows = 6.8;       // up to so many, neighbouring tiles continue the runs
  double few_sums = 0.52;      // how much longer multiply-adds take where sums are few (see waiting())
  double call_setup = 25;      // cycles to fill the arguments of one microkernel call
  double reload_call = 2;      // an accumulating call waits for its first rows of C
  double reload_vector = 1.6;  // and loads each vector
  double strip = 20;           // loads' worth of work around a strip of a kernel whose sums are in L1
  double window_block = 27;    // cycles per block of a depthwise kernel, for each vector
  double window_start = 27;    // and for the block
  double window_near = 0.07;   // of what a depthwise kernel reads again because L1 holds no block, that shows
  double dot_row = 6.5;        // cycles to add up the lanes of a dot product
  double dot_sum = 2;          // the same where kernels of dot products add up four at a time
  double loop_step = 2;        // cycles per iteration of the loop around the call
  double loop_visit = 150;     // per iteration of a loop around another
  double l2_stride = 1024;  // power-of-two strides beyond it crowd L2 no further: its index mixes higher bits
  double usable_ways = 1;   // of L1's ways, for rows of A that share a set
  double refetch = 16;      // a line of A is fetched again for each of its elements
  double pack_call = 170;   // cycles per pack
  double pack_run = 4;      // cycles per contiguous run copied
  double pack_bytes_per_cycle = 16;       // runs copied as they are
  double transpose_bytes_per_cycle = 10;  // square by square
  double barrier = 1700;                  // cycles to start and join a second thread
};

struct CostField {
  const char* name;
  double Costs::*value;
};

// All of them by name, as machine files have them.
inline constexpr std::array cost_fields = {
    CostField{"usable_cache", &Costs::usable_cache},
    CostField{"usable_shared", &Costs::usable_shared},
    CostField{"spill", &Costs::spill},
    CostField{"load_overlap", &Costs::load_overlap},
    CostField{"repeated_loads", &Costs::repeated_loads},
    CostField{"streams_followed", &Costs::streams_followed},
    CostField{"a_near", &Costs::a_near},
    CostField{"a_near_rows", &Costs::a_near_rows},
    CostField{"a_far", &Costs::a_far},
    CostField{"a_far_rows", &Costs::a_far_rows},
    CostField{"a_memory", &Costs::a_memory},
    CostField{"a_memory_rows", &Costs::a_memory_rows},
    CostField{"a_asked", &Costs::a_asked},
    CostField{"b_asked", &Costs::b_asked},
    CostField{"b_near", &Costs::b_near},
    CostField{"b_far", &Costs::b_far},
    CostField{"b_memory", &Costs::b_memory},
    CostField{"c_near", &Costs::c_near},
    CostField{"c_far", &Costs::c_far},
    CostField{"c_memory", &Costs::c_memory},
    CostField{"page_run", &Costs::page_run},
    CostField{"cache_run", &Costs::cache_run},
    CostField{"cache_line", &Costs::cache_line},
    CostField{"memory_run", &Costs::memory_run},
    CostField{"memory_line", &Costs::memory_line},
    CostField{"within_page", &Costs::within_page},
    CostField{"store_run", &Costs::store_run},
    CostField{"window_uops", &Costs::window_uops},
    CostField{"lines_in_flight", &Costs::lines_in_flight},
    CostField{"tap_run", &Costs::tap_run},
    CostField{"cold_weights", &Costs::cold_weights},
    CostField{"few_rows", &Costs::few_rows},
    CostField{"few_sums", &Costs::few_sums},
    CostField{"call_setup", &Costs::call_setup},
    CostField{"reload_call", &Costs::reload_call},
    CostField{"reload_vector", &Costs::reload_vector},
    CostField{"strip", &Costs::strip},
    CostField{"window_block", &Costs::window_block},
    CostField{"window_start", &Costs::window_start},
    CostField{"window_near", &Costs::window_near},
    CostField{"dot_row", &Costs::dot_row},
    CostField{"dot_sum", &Costs::dot_sum},
    CostField{"loop_step", &Costs::loop_step},
    CostField{"loop_visit", &Costs::loop_visit},
    CostField{"l2_stride", &Costs::l2_stride},
    CostField{"usable_ways", &Costs::usable_ways},
    CostField{"refetch", &Costs::refetch},
    CostField{"pack_call", &Costs::pack_call},
    CostField{"pack_run", &Costs::pack_run},
    CostField{"pack_bytes_per_cycle", &Costs::pack_bytes_per_cycle},
    CostField{"transpose_bytes_per_cycle", &Costs::transpose_bytes_per_cycle},
    CostField{"barrier", &Costs::barrier},
};

}  // namespace cortex
