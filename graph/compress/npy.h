// Arrays in NumPy's file format (versions 1.0 to 3.0; numpy.lib.format describes it).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/compress/matrix.h"
#include "support/result.h"

namespace cortex {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<float> values;  // C order
};

// Refuses what is no .npy file, is not little-endian float32, float64 or float16 in C order, whose size does
// not match its shape, or holds a nan or infinity. `source` names the file in the message.
Result<NpyArray> parse_npy(std::string_view bytes, const std::string& source);
std::string to_npy(const std::vector<int64_t>& shape, const std::vector<float>& values);
std::string to_npy(const std::vector<int64_t>& shape, const std::vector<int8_t>& values);
std::string to_npy(const std::vector<int64_t>& shape, const std::vector<int32_t>& values);

// Weights [oc][ic][kw], [oc][ic][kh][kw] or [oc][ic][kd][kh][kw] as frameworks store convolutions, or
// [out][in] as they store fully connected layers; ic: channels of one group.
Result<FilterMatrix> filters_of(const NpyArray& array, const std::string& source);
// Back to the array's order.
std::vector<float> in_array_order(const FilterMatrix& filters);

}  // namespace cortex
