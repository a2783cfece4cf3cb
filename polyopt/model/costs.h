// Constants of the cost model that belong neither to a machine description nor to a kernel's row.
// Fitted on an AMD EPYC (Zen 5) core to measured variants of ResNet-50 layers and the DL matmul list.
#pragma once

namespace cortex::costs {

inline constexpr double usable_cache = 0.85;    // of the capacity, before other data and LRU's mistakes
inline constexpr double overlap = 0.10;         // part of the shorter times that is not hidden by the longest
inline constexpr double cache_run = 3;          // cycles lost at the start of a run of lines from beyond L2
inline constexpr double memory_run = 12;        // and from memory
inline constexpr double call_setup = 20;        // cycles to fill the arguments of one microkernel call
inline constexpr double reload_call = 50;       // an accumulating call waits for its first rows of C
inline constexpr double reload_vector = 3;      // and loads each vector
inline constexpr double window_tile = 1;        // depthwise, per output vector: clipping the window
inline constexpr double loop_step = 2;          // cycles per iteration of a loop around the call
inline constexpr double usable_ways = 0.9;      // of L1's ways, for rows of A that share a set
inline constexpr double refetch = 16;           // a line of A is fetched again for each of its elements
inline constexpr double pack_call = 60;         // cycles per pack
inline constexpr double pack_run = 5;           // cycles per contiguous run copied
inline constexpr double pack_bytes_per_cycle = 34;       // runs copied as they are
inline constexpr double transpose_bytes_per_cycle = 10;  // square by square
inline constexpr double barrier = 4000;         // cycles to start and join a second thread

}  // namespace cortex::costs
