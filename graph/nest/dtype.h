// Element types, as benchdnn names them, and the units that multiplications take of narrow ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cortex {

// bf16x2, u8x4, s8x4 are units: what one multiply-add step takes, consecutive elements along the reduction in
// 4 bytes. Nests of narrow types are counted in them.
enum class DataType : int { f32, bf16, u8, s8, s32, bf16x2, u8x4, s8x4 };

inline int64_t size_of(DataType t) {
  switch (t) {
    case DataType::f32:
    case DataType::s32:
    case DataType::bf16x2:
    case DataType::u8x4:
    case DataType::s8x4:
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
    case DataType::bf16x2:
      return "bf16x2";
    case DataType::u8x4:
      return "u8x4";
    case DataType::s8x4:
      return "s8x4";
  }
  return "?";
}

inline std::optional<DataType> parse_dtype(std::string_view s) {
  for (DataType t : {DataType::f32, DataType::bf16, DataType::u8, DataType::s8, DataType::s32,
                     DataType::bf16x2, DataType::u8x4, DataType::s8x4}) {
    if (s == dtype_name(t)) return t;
  }
  return std::nullopt;
}

// The unit of an operand's elements; the type itself where a unit is one element.
inline DataType unit_of(DataType t) {
  switch (t) {
    case DataType::bf16:
      return DataType::bf16x2;
    case DataType::u8:
      return DataType::u8x4;
    case DataType::s8:
      return DataType::s8x4;
    default:
      return t;
  }
}

// The type of a unit's elements.
inline DataType element_of(DataType t) {
  switch (t) {
    case DataType::bf16x2:
      return DataType::bf16;
    case DataType::u8x4:
      return DataType::u8;
    case DataType::s8x4:
      return DataType::s8;
    default:
      return t;
  }
}

// Elements in a unit.
inline int64_t unit_length(DataType t) { return size_of(unit_of(t)) / size_of(element_of(t)); }

// Elements in one of a nest's: those of a unit, or one.
inline int64_t length_of(DataType t) { return size_of(t) / size_of(element_of(t)); }

// What products of these elements (or units) are added up in.
inline DataType sum_type(DataType t) {
  const DataType element = element_of(t);
  return element == DataType::u8 || element == DataType::s8 ? DataType::s32 : DataType::f32;
}

}  // namespace cortex
