// Generated kernel libraries: acceptance and lookup.
#pragma once

#include <string_view>

#include "cortex/kernel_library.h"
#include "support/result.h"

namespace cortex {

// ABI number, table shape, and that every entry can be found: a damaged table is refused here, so that
// lookups need no checks.
Status accept_library(const cortex_kernel_library& library);

// Of an accepted library: that this build has the microkernels that its entries call.
Status check_built(const cortex_kernel_library& library);

// nullptr when there is none. `key` empty: the hash alone decides.
const cortex_kernel_entry* find_entry(const cortex_kernel_library& library, uint64_t hash,
                                      std::string_view key);

}  // namespace cortex
