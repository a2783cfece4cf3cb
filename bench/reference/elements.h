// Operands as backends hold them: the reference keeps every value as f32, exactly.
#pragma once

#include <cmath>
#include <cstdint>

#include "graph/nest/dtype.h"
#include "support/bf16.h"

namespace cortex::bench {

// `count` values that are elements of `type` already, and back.
inline void encode(DataType type, const float* values, int64_t count, void* out) {
  switch (type) {
    case DataType::bf16:
      for (int64_t i = 0; i < count; ++i) static_cast<uint16_t*>(out)[i] = to_bf16(values[i]);
      break;
    case DataType::u8:
      for (int64_t i = 0; i < count; ++i) static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(values[i]);
      break;
    case DataType::s8:
      for (int64_t i = 0; i < count; ++i) static_cast<int8_t*>(out)[i] = static_cast<int8_t>(values[i]);
      break;
    case DataType::s32:
      for (int64_t i = 0; i < count; ++i) static_cast<int32_t*>(out)[i] = static_cast<int32_t>(values[i]);
      break;
    default:
      std::memcpy(out, values, static_cast<std::size_t>(count) * 4);
  }
}

inline void decode(DataType type, const void* from, int64_t count, float* values) {
  switch (type) {
    case DataType::bf16:
      for (int64_t i = 0; i < count; ++i) values[i] = from_bf16(static_cast<const uint16_t*>(from)[i]);
      break;
    case DataType::u8:
      for (int64_t i = 0; i < count; ++i) values[i] = static_cast<const uint8_t*>(from)[i];
      break;
    case DataType::s8:
      for (int64_t i = 0; i < count; ++i) values[i] = static_cast<const int8_t*>(from)[i];
      break;
    case DataType::s32:
      for (int64_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(static_cast<const int32_t*>(from)[i]);
      }
      break;
    default:
      std::memcpy(values, from, static_cast<std::size_t>(count) * 4);
  }
}

}  // namespace cortex::bench
