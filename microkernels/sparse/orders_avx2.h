// Of every mask of eight lanes: which of the next values a lane takes, 0x80 where its bit is not set.
#pragma once

#include <stdint.h>

namespace cortex {
namespace {

struct Orders {
  alignas(64) uint8_t lane[256][8];
  constexpr Orders() : lane{} {
    for (int bits = 0; bits < 256; ++bits) {
      for (int i = 0, next = 0; i < 8; ++i)
        lane[bits][i] = bits >> i & 1 ? static_cast<uint8_t>(next++) : 0x80;
    }
  }
};
constexpr Orders orders;

}  // namespace
}  // namespace cortex
