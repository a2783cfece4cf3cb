// Weight formats by name, as command lines take them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/result.h"

namespace cortex {

enum class WeightStructure {
  dense,
  nm,            // N of M consecutive channels kept; T consecutive filters share the choice
  combined,      // column-combined: up to alpha columns packed as one
  blocks,        // rows x columns of consecutive weights kept or dropped together
  unstructured,  // any weight
};

struct WeightFormat {
  WeightStructure structure = WeightStructure::dense;
  int n = 0, m = 0, t = 1;  // nm
  int alpha = 0;            // combined
  int rows = 0, cols = 0;   // blocks

  // Of the weights that the format keeps; nm: n/m. 1 where the format leaves it open (--sparsity says it).
  double density() const;
};

inline constexpr int format_max_group = 64;  // M, alpha, and the sides of blocks
inline constexpr int format_max_share = 16;  // T

// dense | nm{N}of{M}[x{T}] | cc{alpha} | bs{rows}x{cols} | unstructured
Result<WeightFormat> parse_weight_format(std::string_view text);
std::string to_string(const WeightFormat& format);

}  // namespace cortex
