// The packing routine of every ISA: see cortex_pack_desc for the contract.
#pragma once

#include <stdint.h>
#include <string.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

struct PackBox {
  const cortex_pack_desc* desc;
  const int64_t* origin;
  const int64_t* box;
};

inline void copy_element(char* dst, const char* src, int32_t size) {
  switch (size) {
    case 4: memcpy(dst, src, 4); break;
    case 2: memcpy(dst, src, 2); break;
    case 1: *dst = *src; break;
    default: memcpy(dst, src, static_cast<size_t>(size));
  }
}

inline void zero_element(char* dst, int32_t size) { memset(dst, 0, static_cast<size_t>(size)); }

// Dimensions j.. of the box. `inside` says whether all outer indices are inside the tensor.
void pack_dim(const PackBox& p, int j, const char* src, char* dst, bool inside) {
  const cortex_pack_desc& d = *p.desc;
  if (j == d.rank) {
    if (inside) {
      copy_element(dst, src, d.elem_size);
    } else {
      zero_element(dst, d.elem_size);
    }
    return;
  }
  int64_t count = p.box[j];
  if (j == d.panel_dim) count = (count + d.panel_width - 1) / d.panel_width * d.panel_width;
  for (int64_t r = 0; r < count; ++r) {
    const int64_t position = p.origin[j] + r;
    const bool in = inside && r < p.box[j] && position >= 0 && position < d.shape[j];
    const int64_t to = j == d.panel_dim
                           ? r / d.panel_width * d.panel_stride + r % d.panel_width * d.elem_size
                           : r * d.dst_stride[j];
    pack_dim(p, j + 1, in ? src + position * d.src_stride[j] : src, dst + to, in);
  }
}

inline void pack(const cortex_pack_desc* desc, const void* src, void* dst, const int64_t* origin,
                 const int64_t* box) {
  pack_dim({desc, origin, box}, 0, static_cast<const char*>(src), static_cast<char*>(dst), true);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_PACK(isa)                                                                        \
  extern "C" void cortex_pack_##isa(const cortex_pack_desc* desc, const void* src, void* dst,          \
                                    const int64_t* origin, const int64_t* box) {                       \
    cortex::pack(desc, src, dst, origin, box);                                                         \
  }
