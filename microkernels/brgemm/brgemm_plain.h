// Calls of one product with nothing to ask for, nothing to add to, and at most bias and ReLU to do: whole
// tiles of matmuls and 1x1 convolutions. What other calls could need is not asked about in the loop, nor
// around it: the next call's multiply-adds are under way before this one's are done, if few instructions
// stand between them.
//
// AMD EPYC (Zen 3), AVX2, cycles of a call beyond its multiply-adds, A and C moving, by the other body and by
// this one: 4x24 with 64 steps 73 and 58, 128 steps 141 and 115; 6x16 with 32 steps 48 and 32, 64 steps 83
// and 71.
#pragma once

#include "cortex/microkernels.h"
#include "microkernels/brgemm/accumulators.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// Not measured with wider vectors, whose tiles are as long in time and fewer.
constexpr bool has_plain_bodies = lanes == 8 && !Product::is_narrow;

template <int M, int N>
__attribute__((noinline)) void plain_body(const cortex_brgemm_args* args) {
  Accumulators<M, N, false, false> sums;
  sums.clear();
  sums.multiply_alone(static_cast<const char*>(args->a), args->lda, static_cast<const char*>(args->b),
                      args->ldb, args->k);
  RegisterTile<M, N, false>& tile = sums.sum();
  const cortex_epilogue& e = args->epilogue;
  if (args->flags & CORTEX_TILE_EPILOGUE) {
    if (e.bias_n) {
      Vec bias[N];
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) bias[j] = tile.load_vec(reinterpret_cast<const char*>(e.bias_n), j);
      tile.each([&](Vec x, int, int j) CORTEX_LAMBDA { return add(x, bias[j]); });
    }
    if (e.activation == CORTEX_ACTIVATION_RELU)
      tile.each([&](Vec x, int, int) CORTEX_LAMBDA { return max(zero(), x); });
  }
  char* row = static_cast<char*>(args->c);
  CORTEX_UNROLL
  for (int i = 0; i < M; ++i) {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) tile.store_vec(row, j, tile.v[i][j]);
    row += args->ldc;
  }
}

CORTEX_INLINE bool is_plain(const cortex_brgemm_args* args) {
  if (args->batch != 1 || args->window.taps != 0 || (args->flags & CORTEX_TILE_ACCUMULATE)) return false;
  if (args->a_addresses || args->a_offsets || args->next_rows > 0 || args->c_far) return false;
  if (args->a_ahead | args->b_ahead) return false;
  if (!(args->flags & CORTEX_TILE_EPILOGUE)) return true;
  const cortex_epilogue& e = args->epilogue;
  if (e.residual || e.bias_m) return false;
  return e.activation == CORTEX_ACTIVATION_NONE ||
         (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f);
}

template <int MR, int NV>
struct PlainTable {
  void (*body[MR])(const cortex_brgemm_args*);
};

template <int MR, int NV>
constexpr PlainTable<MR, NV> make_plain_bodies() {
  PlainTable<MR, NV> table{};
  unroll<MR>([&](auto i) { table.body[i] = plain_body<i.value + 1, NV>; });
  return table;
}

}  // namespace
}  // namespace cortex
