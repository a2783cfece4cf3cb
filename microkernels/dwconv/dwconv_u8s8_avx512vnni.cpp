#define CORTEX_MULTIPLY_ADD "vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/bytes_avx512.h"

namespace cortex {
namespace {
// Up to 24 sums, 6 quads of taps and one of columns: 31 of 32 registers.
constexpr int block_rows = 3, block_units = 4;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

namespace cortex {
namespace {

// The last group fills half a vector or less: `half` takes it.
CORTEX_INLINE void whole_and_half(const cortex_dwconv_args* args, bool is_signed, cortex_dwconv_fn half) {
  const int64_t rest = args->channels % points, whole = args->channels - rest;
  if (rest == 0 || rest > points / 2) return byte_dwconv(args, is_signed);
  cortex_dwconv_args part = *args;
  if (whole > 0) {
    part.channels = whole;
    byte_dwconv(&part, is_signed);
  }
  const bool finishes = args->flags & CORTEX_TILE_EPILOGUE;
  cortex_epilogue& e = part.epilogue;
  const int64_t skip = whole * (finishes ? size_of_element(e.c_type) : 4);
  part.channels = rest;
  part.input = static_cast<const char*>(args->input) + whole;
  part.weights = static_cast<const char*>(args->weights) + whole;
  part.output = static_cast<char*>(args->output) + skip;
  if (e.bias_n) e.bias_n += whole;
  if (e.scale_n) e.scale_n += whole;
  if (e.compensation_n) e.compensation_n += whole;
  if (e.residual) e.residual = static_cast<const char*>(e.residual) + skip;
  half(&part);
}

}  // namespace
}  // namespace cortex

extern "C" void cortex_dwconv_u8_s8_s32_24x64x1_avx512vnni(const cortex_dwconv_args* args) {
  cortex::whole_and_half(args, false, cortex_dwconv_u8_s8_s32_24x32x1_avx512vnni);
}
extern "C" void cortex_dwconv_s8_s8_s32_24x64x1_avx512vnni(const cortex_dwconv_args* args) {
  cortex::whole_and_half(args, true, cortex_dwconv_s8_s8_s32_24x32x1_avx512vnni);
}
