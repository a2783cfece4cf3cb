// Which formats the zeros of given weights already have.
#pragma once

#include <string>
#include <vector>

#include "graph/compress/format.h"
#include "graph/compress/matrix.h"

namespace cortex {

struct Finding {
  WeightFormat format;
  double work = 1;  // multiplications with this format over dense ones
  std::string why;  // one line
};

// Every format that holds the weights without losing one, least work first, dense last. Column combining is
// found by greedy grouping without conflicts.
std::vector<Finding> detect_formats(const FilterMatrix& weights);

}  // namespace cortex
