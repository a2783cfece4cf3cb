// What a generated library may be called: its name becomes a C function, a header and a namespace.
#pragma once

#include <string>

#include "support/result.h"

namespace cortex {

Status check_library_name(const std::string& name);

}  // namespace cortex
