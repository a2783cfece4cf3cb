// The two halves of the LIBXSMM backend.
#pragma once

#include "bench/backends/backend.h"

namespace cortex::bench::xsmm {

Result<std::unique_ptr<Instance>> create_conv(const Request& request, const Operands& operands);
Result<std::unique_ptr<Instance>> create_matmul(const Request& request, const Operands& operands);

}  // namespace cortex::bench::xsmm
