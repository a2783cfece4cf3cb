// Pushes memory out of every cache level of the whole machine.
#pragma once

#include <cstddef>
#include <span>

namespace cortex::bench {

// CLFLUSH over the range, complete when it returns.
void flush_from_caches(std::span<const std::byte> range);

}  // namespace cortex::bench
