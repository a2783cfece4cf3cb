// Results as comma-separated values, one row a line, without the samples.
#pragma once

#include <string>
#include <vector>

#include "bench/report/row.h"

namespace cortex::bench {

std::string to_csv(const std::vector<Row>& rows);

}  // namespace cortex::bench
