// Layer times per format, as cortex-bench measured them.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "support/result.h"

namespace cortex {

// (layer name, format) -> seconds of one execution.
using LayerTimes = std::map<std::pair<std::string, std::string>, double>;

// Rows of the cortex backend at `threads` out of `cortex-bench run --weights dense,nm2of4x2,... --json FILE`;
// of several (kernels, types) the fastest. Refuses what is no such file, or has no such row. `source` names
// the file.
Result<LayerTimes> parse_times(const std::string& json, const std::string& source, int threads);

}  // namespace cortex
