// Constants of the cost model that belong neither to a machine description nor to a kernel's row.
// Fitted on AMD EPYC (Zen 5), one core, by polyopt/model/fit (see the command in its head).
#pragma once

namespace cortex::costs {

inline constexpr double usable_cache = 0.85;    // of the capacity, before other data and LRU's mistakes
inline constexpr double overlap = 0.25;         // part of the shorter times that is not hidden by the longest
inline constexpr double call_setup = 12;        // cycles to fill the arguments of one microkernel call
inline constexpr double loop_step = 2;          // cycles per iteration of a loop around it
inline constexpr double conflict_refetch = 12;  // times a line of A is fetched when its rows evict each other
inline constexpr double pack_call = 60;         // cycles per pack
inline constexpr double pack_run = 6;           // cycles per contiguous run copied
inline constexpr double pack_bytes_per_cycle = 20;       // runs copied as they are
inline constexpr double transpose_bytes_per_cycle = 3;   // element by element
inline constexpr double barrier = 4000;         // cycles to start and join a second thread

}  // namespace cortex::costs
