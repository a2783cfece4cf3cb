// The ready models; include/cortex/recursive.h has their equations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace cortex::recursive {

std::vector<std::string> ready_models();

// .cxr text. `features`: x = W w of an input w[e] instead of a table's row.
Result<std::string> ready_model(std::string_view name, bool features);

}  // namespace cortex::recursive
