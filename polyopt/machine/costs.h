// Constants of the cost model that no manual states: how much of a cache a loop nest can count on, how well
// transfers hide behind arithmetic, what prefetchers do not foresee. `cortex-bench rank --fit` fits them to
// measured variants and stores them in the machine's file; the defaults come from an AMD EPYC (Zen 5).
#pragma once

#include <array>

namespace cortex {

struct Costs {
  double usable_cache = 0.85;  // of the capacity, before other data and LRU's mistakes
  double usable_shared = 0.6;  // of a cache that other cores use too
  // Part of a level's transfer time that shows although something else takes longer: loads into registers,
  // L1 from L2, a further cache, memory.
  double load_overlap = 0.03;
  double near_overlap = 0.03;
  double far_overlap = 0.04;
  double memory_overlap = 0.20;
  // Prefetchers follow a few runs at a time, each within its page. Where A's rows lie in more pages than
  // that, what comes from beyond L2 is waited for.
  double streams_followed = 10;
  double far_unfollowed = 0.5;
  double memory_unfollowed = 1.0;
  double row_line = 0.6;  // cycles per line of A from L2 for the share of pages beyond
  // Runs of many rows (columns of a row-major matrix), each in a page of its own: cycles lost at the start.
  double page_run = 1.2;   // where the pages exceed the TLB
  double cache_run = 1.2;  // from beyond L2, and for each of the run's lines
  double cache_line = 0.7;
  double memory_run = 8;
  double memory_line = 3;
  double within_page = 0.15;  // of these, where a page holds several rows
  // Columns of B that stream from memory: what is in flight at once is what the instructions in the window of
  // the core ask for. A kernel of few vectors and many rows asks for little.
  double window_uops = 224;  // of the reorder buffer, what such loops fill
  double lines_in_flight = 24;
  double cold_weights = 0.5;              // share of B that left the caches since the last execution
  double few_rows = 16;                   // up to so many, neighbouring tiles continue the runs
  double call_setup = 12;                 // cycles to fill the arguments of one microkernel call
  double reload_call = 50;                // an accumulating call waits for its first rows of C
  double reload_vector = 3;               // and loads each vector
  double dot_row = 5;                     // cycles to add up the lanes of a dot product
  double loop_step = 2;                   // cycles per iteration of a loop around the call
  double usable_ways = 0.9;               // of L1's ways, for rows of A that share a set
  double refetch = 16;                    // a line of A is fetched again for each of its elements
  double pack_call = 60;                  // cycles per pack
  double pack_run = 4;                    // cycles per contiguous run copied
  double pack_bytes_per_cycle = 38;       // runs copied as they are
  double transpose_bytes_per_cycle = 10;  // square by square
  double barrier = 4000;                  // cycles to start and join a second thread
};

struct CostField {
  const char* name;
  double Costs::*value;
};

// All of them by name, as machine files have them.
inline constexpr std::array cost_fields = {
    CostField{"usable_cache", &Costs::usable_cache},
    CostField{"usable_shared", &Costs::usable_shared},
    CostField{"load_overlap", &Costs::load_overlap},
    CostField{"near_overlap", &Costs::near_overlap},
    CostField{"far_overlap", &Costs::far_overlap},
    CostField{"memory_overlap", &Costs::memory_overlap},
    CostField{"streams_followed", &Costs::streams_followed},
    CostField{"far_unfollowed", &Costs::far_unfollowed},
    CostField{"memory_unfollowed", &Costs::memory_unfollowed},
    CostField{"row_line", &Costs::row_line},
    CostField{"page_run", &Costs::page_run},
    CostField{"cache_run", &Costs::cache_run},
    CostField{"cache_line", &Costs::cache_line},
    CostField{"memory_run", &Costs::memory_run},
    CostField{"memory_line", &Costs::memory_line},
    CostField{"within_page", &Costs::within_page},
    CostField{"window_uops", &Costs::window_uops},
    CostField{"lines_in_flight", &Costs::lines_in_flight},
    CostField{"cold_weights", &Costs::cold_weights},
    CostField{"few_rows", &Costs::few_rows},
    CostField{"call_setup", &Costs::call_setup},
    CostField{"reload_call", &Costs::reload_call},
    CostField{"reload_vector", &Costs::reload_vector},
    CostField{"dot_row", &Costs::dot_row},
    CostField{"loop_step", &Costs::loop_step},
    CostField{"usable_ways", &Costs::usable_ways},
    CostField{"refetch", &Costs::refetch},
    CostField{"pack_call", &Costs::pack_call},
    CostField{"pack_run", &Costs::pack_run},
    CostField{"pack_bytes_per_cycle", &Costs::pack_bytes_per_cycle},
    CostField{"transpose_bytes_per_cycle", &Costs::transpose_bytes_per_cycle},
    CostField{"barrier", &Costs::barrier},
};

}  // namespace cortex
