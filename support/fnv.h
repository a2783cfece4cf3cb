// FNV-1a, 64 bits: the hash of kernel tables and of generated text. Fixed for good: generated
// libraries carry its values.
#pragma once

#include <cstdint>
#include <string_view>

namespace cortex {

inline constexpr uint64_t fnv1a_basis = 0xcbf29ce484222325u;

constexpr uint64_t fnv1a(std::string_view text, uint64_t hash = fnv1a_basis) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

// The bytes of `value` in decimal, without building a string: table lookups stay allocation-free.
constexpr uint64_t fnv1a_decimal(uint64_t value, uint64_t hash) {
  char digits[20] = {};
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value);
  while (count > 0) hash = fnv1a(std::string_view(&digits[--count], 1), hash);
  return hash;
}

// cortex_kernel_entry::hash. `threads` is positive.
constexpr uint64_t kernel_entry_hash(std::string_view key, std::string_view isa, int32_t threads) {
  uint64_t hash = fnv1a(key);
  hash = fnv1a("\n", hash);
  hash = fnv1a(isa, hash);
  hash = fnv1a("\n", hash);
  return fnv1a_decimal(static_cast<uint64_t>(threads), hash);
}

}  // namespace cortex
