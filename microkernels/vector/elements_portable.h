// Elements of C that are no f32, one by one, for any vector vocabulary.
#pragma once

#include <string.h>

#include "cortex/microkernels.h"

namespace cortex {
namespace {

CORTEX_INLINE float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

CORTEX_INLINE uint16_t to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (x != x) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Half to even, |x| below 2^31. Adding and subtracting 1.5 * 2^23 rounds what is below 2^22; all above 2^23
// is whole; between them the half that is left over is rounded by hand.
CORTEX_INLINE int32_t to_nearest(float x) {
  const int32_t down = static_cast<int32_t>(x) - (static_cast<float>(static_cast<int32_t>(x)) > x);
  const float rest = x - static_cast<float>(down);
  return down + (rest > 0.5f || (rest == 0.5f && (down & 1)));
}

CORTEX_INLINE int32_t to_s32(float x, int32_t zero_point) {
  if (x != x) return INT32_MIN / 2;
  const float bounded = x < -1073741824.0f ? -1073741824.0f : x > 1073741824.0f ? 1073741824.0f : x;
  return to_nearest(bounded) + zero_point;
}

CORTEX_INLINE float load_one(int32_t type, const char* p, int64_t i) {
  switch (type) {
    case CORTEX_ELEMENT_BF16: {
      uint16_t bits;
      memcpy(&bits, p + 2 * i, 2);
      return float_of_bits(static_cast<uint32_t>(bits) << 16);
    }
    case CORTEX_ELEMENT_S32: {
      int32_t whole;
      memcpy(&whole, p + 4 * i, 4);
      return static_cast<float>(whole);
    }
    case CORTEX_ELEMENT_U8:
      return static_cast<float>(reinterpret_cast<const uint8_t*>(p)[i]);
    case CORTEX_ELEMENT_S8:
      return static_cast<float>(reinterpret_cast<const int8_t*>(p)[i]);
    default: {
      float x;
      memcpy(&x, p + 4 * i, 4);
      return x;
    }
  }
}

CORTEX_INLINE int32_t between(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : x > high ? high : x;
}

template <int Type>
CORTEX_INLINE void store_one(char* p, int64_t i, float x, int32_t zero_point) {
  if constexpr (Type == CORTEX_ELEMENT_BF16) {
    const uint16_t bits = to_bf16(x);
    memcpy(p + 2 * i, &bits, 2);
  } else if constexpr (Type == CORTEX_ELEMENT_U8) {
    reinterpret_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(between(to_s32(x, zero_point), 0, 255));
  } else if constexpr (Type == CORTEX_ELEMENT_S8) {
    reinterpret_cast<int8_t*>(p)[i] = static_cast<int8_t>(between(to_s32(x, zero_point), -128, 127));
  } else if constexpr (Type == CORTEX_ELEMENT_S32) {
    const int32_t whole = x >= 2147483648.0f ? INT32_MAX : x >= -2147483648.0f ? to_nearest(x) : INT32_MIN;
    memcpy(p + 4 * i, &whole, 4);
  } else {
    memcpy(p + 4 * i, &x, 4);
  }
}

CORTEX_INLINE Vec load_as(int32_t type, const char* p, int64_t n) {
  float values[lanes];
#pragma GCC unroll 1
  for (int64_t i = 0; i < lanes; ++i) values[i] = i < n ? load_one(type, p, i) : 0.0f;
  return load(values);
}

template <int Type>
CORTEX_INLINE void store_first(int64_t n, char* p, Vec x, int32_t zero_point) {
  float values[lanes];
  store(values, x);
#pragma GCC unroll 1
  for (int64_t i = 0; i < n; ++i) store_one<Type>(p, i, values[i], zero_point);
}

template <int Type>
CORTEX_INLINE void store_as(char* p, Vec x, int32_t zero_point) {
  store_first<Type>(lanes, p, x, zero_point);
}

template <int Type, int N>
CORTEX_INLINE void store_together(char* p, const Vec (&v)[N], int32_t zero_point) {
  constexpr int64_t size = Type == CORTEX_ELEMENT_BF16 ? 2 : Type == CORTEX_ELEMENT_F32 ? 4 : 1;
  CORTEX_UNROLL
  for (int j = 0; j < N; ++j) store_as<Type>(p + j * lanes * size, v[j], zero_point);
}

typedef int32_t Integers __attribute__((vector_size(sizeof(Vec))));
CORTEX_INLINE Vec add_integers(Vec x, Vec y) { return (Vec)((Integers)x + (Integers)y); }
// See elements_avx512.h: vectors are stored one by one here.
constexpr bool joins_bytes = false;
template <int Type, int N>
CORTEX_INLINE void store_first_bytes(int64_t, char*, const Vec (&)[N], int32_t) {}
template <int Type>
CORTEX_INLINE void store_rows_of_bytes(char*, int64_t, int64_t, const Vec*, int32_t) {}

CORTEX_INLINE Vec from_integers(Vec bits) { return __builtin_convertvector((Integers)bits, Vec); }

}  // namespace
}  // namespace cortex
