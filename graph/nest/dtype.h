// Element types, as benchdnn names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cortex {

enum class DataType : int { f32, bf16, u8, s8, s32 };

inline int64_t size_of(DataType t) {
  switch (t) {
    case DataType::f32:
    case DataType::s32:
      return 4;
    case DataType::bf16:
      return 2;
    case DataType::u8:
    case DataType::s8:
      return 1;
  }
  return 0;
}

inline const char* dtype_name(DataType t) {
  switch (t) {
    case DataType::f32:
      return "f32";
    case DataType::bf16:
      return "bf16";
    case DataType::u8:
      return "u8";
    case DataType::s8:
      return "s8";
    case DataType::s32:
      return "s32";
  }
  return "?";
}

inline std::optional<DataType> parse_dtype(std::string_view s) {
  for (DataType t : {DataType::f32, DataType::bf16, DataType::u8, DataType::s8, DataType::s32}) {
    if (s == dtype_name(t)) return t;
  }
  return std::nullopt;
}

}  // namespace cortex
