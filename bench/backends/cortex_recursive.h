// The recursive and recurrent half of the Cortex backend.
#pragma once

#include <cortex/cortex.h>

#include "bench/backends/backend.h"

namespace cortex::bench {

Result<std::unique_ptr<Instance>> create_cortex_recursive(const cortex_context* context,
                                                          const RecursiveRequest& request);
Result<std::unique_ptr<Instance>> create_cortex_rnn(const cortex_context* context, const RnnRequest& request);

}  // namespace cortex::bench
