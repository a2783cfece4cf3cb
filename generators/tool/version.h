// What generated files say wrote them.
#pragma once

#include <string>

namespace cortex {

inline std::string generator_version() { return "cortex-gen " CORTEX_VERSION; }

}  // namespace cortex
