// Constants of the cost model that belong neither to a machine description nor to a kernel's row.
// Fitted on an AMD EPYC (Zen 5) core to measured variants of ResNet-50 layers and the DL matmul list.
#pragma once

namespace cortex::costs {

inline constexpr double usable_cache = 0.85;  // of the capacity, before other data and LRU's mistakes
inline constexpr double usable_shared = 0.6;  // of a cache that other cores use too
// Part of a level's transfer time that shows although something else takes longer: loads into registers,
// L1 from L2, a further cache, memory.
inline constexpr double load_overlap = 0.03;
inline constexpr double near_overlap = 0.03;
inline constexpr double far_overlap = 0.04;
inline constexpr double memory_overlap = 0.20;
// Prefetchers follow a few runs at a time, each within its page. Where A's rows lie in more pages than that,
// what comes from beyond L2 is waited for.
inline constexpr double streams_followed = 10;
inline constexpr double far_unfollowed = 0.5;
inline constexpr double memory_unfollowed = 1.0;
inline constexpr double row_line = 0.6;  // cycles per line of A from L2 for the share of pages beyond
// Runs of many rows (columns of a row-major matrix), each in a page of its own: cycles lost at the start.
inline constexpr double page_run = 1.2;   // where the pages exceed the TLB
inline constexpr double cache_run = 1.2;  // from beyond L2, and for each of the run's lines
inline constexpr double cache_line = 0.7;
inline constexpr double memory_run = 8;
inline constexpr double memory_line = 3;
inline constexpr double within_page = 0.15;  // of these, where a page holds several rows
// Columns of B that stream from memory: what is in flight at once is what the instructions in the window of
// the core ask for. A kernel of few vectors and many rows asks for little.
inline constexpr double memory_latency_ns = 100;
inline constexpr double window_uops = 224;  // of the reorder buffer, what such loops fill
inline constexpr double lines_in_flight = 24;
inline constexpr double cold_weights = 0.5;  // weight of B's first pass: between layers it leaves the caches
inline constexpr double few_rows = 16;       // up to so many, neighbouring tiles continue the runs
inline constexpr double call_setup = 12;     // cycles to fill the arguments of one microkernel call
inline constexpr double reload_call = 50;    // an accumulating call waits for its first rows of C
inline constexpr double reload_vector = 3;   // and loads each vector
inline constexpr double dot_row = 5;         // cycles to add up the lanes of a dot product
inline constexpr double loop_step = 2;       // cycles per iteration of a loop around the call
inline constexpr double usable_ways = 0.9;   // of L1's ways, for rows of A that share a set
inline constexpr double refetch = 16;        // a line of A is fetched again for each of its elements
inline constexpr double pack_call = 60;      // cycles per pack
inline constexpr double pack_run = 4;        // cycles per contiguous run copied
inline constexpr double pack_bytes_per_cycle = 38;       // runs copied as they are
inline constexpr double transpose_bytes_per_cycle = 10;  // square by square
inline constexpr double barrier = 4000;                  // cycles to start and join a second thread

}  // namespace cortex::costs
