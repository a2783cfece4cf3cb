// Bandwidths and latencies of the caches and of memory, and the cost of waking threads.
#pragma once

#include <cstddef>

#include "support/cpu.h"

namespace cortex::bench {

// Bytes per second of streaming through an array of `bytes` again and again: `threads` threads, each over an
// array of its own. The best of several passes.
double read_bandwidth(Isa isa, std::size_t bytes, int threads, double seconds);
double write_bandwidth(Isa isa, std::size_t bytes, int threads, double seconds);

// Seconds per dependent load from a random cycle over `bytes`, one line each.
double load_latency(std::size_t bytes, double seconds);

// Seconds for an empty parallel region of `threads` spinning threads: start, run nothing, join.
double fork_join_seconds(int threads, double seconds);

}  // namespace cortex::bench
