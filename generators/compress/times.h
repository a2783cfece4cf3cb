// Layer times per format, in the form in which cortex-bench reports them.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "support/result.h"

namespace cortex {

// (layer name, format) -> seconds of one execution.
using LayerTimes = std::map<std::pair<std::string, std::string>, double>;

// Rows of the cortex backend at `threads` out of JSON in the form of `cortex-bench run --json`, their
// "weights" a format; of several (kernels, types) the fastest. Refuses what is no such file, or has no
// such row. `source` names the file.
Result<LayerTimes> parse_times(const std::string& json, const std::string& source, int threads);

}  // namespace cortex
