// The one body of every f32 BRGEMM kernel. An ISA file includes its vector vocabulary, then this.
//
// The body is instantiated for every number of rows and of vectors that a kernel's register tile admits,
// so that an edge tile costs what it computes. Accumulators stay in registers across the whole batch; the
// last vector is masked when n is no multiple of the lanes.
#pragma once

#include "cortex/microkernels.h"
#include "microkernels/brgemm/finish.h"
#include "microkernels/brgemm/rows.h"

namespace cortex {
namespace {

// FMA latency times FMAs per cycle on current cores: fewer accumulators than this wait for one another.
constexpr int accumulators_in_flight = 8;

// How many copies of the tile take turns along k.
constexpr int accumulator_sets(int tile) {
  int sets = 1;
  while (sets * tile < accumulators_in_flight) sets *= 2;
  return sets;
}

template <int M, int N, bool Masked>
struct Tile {
  static constexpr int sets = accumulator_sets(M * N);
  static constexpr int k_unroll = sets > 4 ? sets : 4;

  Vec acc[sets][M][N];
  Mask mask;  // of the last vector

  CORTEX_INLINE Vec load_vec(const char* row, int j) const {
    const float* p = reinterpret_cast<const float*>(row) + j * lanes;
    return Masked && j == N - 1 ? load(mask, p) : load(p);
  }
  CORTEX_INLINE void store_vec(char* row, int j, Vec v) const {
    float* p = reinterpret_cast<float*>(row) + j * lanes;
    if (Masked && j == N - 1) {
      store(mask, p, v);
    } else {
      store(p, v);
    }
  }

  CORTEX_INLINE void clear() {
    unroll<sets>([&](auto s) CORTEX_LAMBDA {
      unroll<M>([&](auto i) CORTEX_LAMBDA { unroll<N>([&](auto j) CORTEX_LAMBDA { acc[s][i][j] = zero(); }); });
    });
  }

  // Adds the outer product of A's column l = Set and B's row.
  template <int L>
  CORTEX_INLINE void step(const RowPointers<M>& a, const char* b) {
    constexpr int s = L % sets;
    Vec row[N];
    unroll<N>([&](auto j) CORTEX_LAMBDA { row[j] = load_vec(b, j); });
    unroll<M>([&](auto i) CORTEX_LAMBDA {
      if constexpr (N == 1 && has_broadcast_fma) {
        acc[s][i][0] = a.template broadcast_fma_row<i.value, 4 * L>(row[0], acc[s][i][0]);
      } else {
        const Vec x = a.template broadcast_row<i.value, 4 * L>();
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[s][i][j] = fma(x, row[j], acc[s][i][j]); });
      }
    });
  }

  CORTEX_INLINE void multiply(const char* a_rows, int64_t lda, const char* b, int64_t ldb, int64_t k) {
    RowPointers<M> a(a_rows, lda);
    int64_t left = k;
    for (; left >= k_unroll; left -= k_unroll) {
      unroll<k_unroll>([&](auto l) CORTEX_LAMBDA {
        step<l.value>(a, b);
        b += ldb;
      });
      a.advance(4 * k_unroll);
    }
    for (; left > 0; --left) {
      step<0>(a, b);
      b += ldb;
      a.advance(4);
    }
  }

  CORTEX_INLINE void reduce_sets() {
    unroll<sets>([&](auto s) CORTEX_LAMBDA {
      if constexpr (s.value > 0) {
        unroll<M>([&](auto i) CORTEX_LAMBDA {
          unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = add(acc[0][i][j], acc[s][i][j]); });
        });
      }
    });
  }

  CORTEX_INLINE void add_rows(const char* c, int64_t ldc) {
    unroll<M>([&](auto i) CORTEX_LAMBDA {
      unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = add(acc[0][i][j], load_vec(c, j)); });
      c += ldc;
    });
  }

  CORTEX_INLINE void store_rows(char* c, int64_t ldc) const {
    unroll<M>([&](auto i) CORTEX_LAMBDA {
      unroll<N>([&](auto j) CORTEX_LAMBDA { store_vec(c, j, acc[0][i][j]); });
      c += ldc;
    });
  }

  // bias, residual and the piecewise linear activations, in registers.
  CORTEX_INLINE void apply_linear(const cortex_epilogue& e, bool with_residual) {
    if (e.bias_n) {
      Vec bias[N];
      unroll<N>([&](auto j) CORTEX_LAMBDA { bias[j] = load_vec(reinterpret_cast<const char*>(e.bias_n), j); });
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = add(acc[0][i][j], bias[j]); });
      });
    }
    if (e.bias_m) {
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        const Vec bias = splat(e.bias_m[i]);
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = add(acc[0][i][j], bias); });
      });
    }
    if (with_residual) {
      const Vec scale = splat(e.residual_scale);
      const char* r = reinterpret_cast<const char*>(e.residual);
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = fma(load_vec(r, j), scale, acc[0][i][j]); });
        r += e.ld_residual;
      });
    }
    if (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f) {
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = max(zero(), acc[0][i][j]); });
      });
    } else if (e.activation == CORTEX_ACTIVATION_RELU) {
      const Vec slope = splat(e.alpha);
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = leaky_relu(acc[0][i][j], slope); });
      });
    } else if (e.activation == CORTEX_ACTIVATION_CLIP) {
      const Vec low = splat(e.alpha), high = splat(e.beta);
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { acc[0][i][j] = min(high, max(low, acc[0][i][j])); });
      });
    }
  }
};

template <int M, int N, bool Masked>
void brgemm_body(const cortex_brgemm_args* args, Mask mask) {
  Tile<M, N, Masked> tile;
  tile.mask = mask;
  tile.clear();
  const int64_t lda = args->lda, ldb = args->ldb, k = args->k, batch = args->batch;
  for (int64_t i = 0; i < batch; ++i) {
    const char *a, *b;
    if (args->a_addresses) {
      a = static_cast<const char*>(args->a_addresses[i]);
      b = static_cast<const char*>(args->b_addresses[i]);
    } else {
      const bool offsets = args->a_offsets != nullptr;
      a = static_cast<const char*>(args->a) + (offsets ? args->a_offsets[i] : i * args->a_batch_stride);
      b = static_cast<const char*>(args->b) + (offsets ? args->b_offsets[i] : i * args->b_batch_stride);
    }
    tile.multiply(a, lda, b, ldb, k);
  }
  tile.reduce_sets();

  char* c = static_cast<char*>(args->c);
  const int64_t ldc = args->ldc;
  if (args->flags & CORTEX_TILE_ACCUMULATE) tile.add_rows(c, ldc);
  if (args->flags & CORTEX_TILE_EPILOGUE) {
    const cortex_epilogue& e = args->epilogue;
    const bool residual_last = e.residual && e.residual_after_activation;
    const bool curved = e.activation >= CORTEX_ACTIVATION_SIGMOID;
    if (residual_last || curved) {
      // The residual may be C itself, so C must not be written before it is read: finish beside it.
      alignas(64) float beside[M * N * lanes];
      tile.apply_linear(e, e.residual && !residual_last);
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        unroll<N>([&](auto j) CORTEX_LAMBDA { store(beside + (i * N + j) * lanes, tile.acc[0][i][j]); });
      });
      finish_tile(e, beside, N * lanes, c, ldc, M, args->n);
      return;
    }
    tile.apply_linear(e, e.residual != nullptr);
  }
  tile.store_rows(c, ldc);
}

using Body = void (*)(const cortex_brgemm_args*, Mask);

template <int MR, int NV>
struct BodyTable {
  Body body[2][MR][NV];  // [last vector masked][m - 1][vectors - 1]
};

template <int MR, int NV>
constexpr BodyTable<MR, NV> make_bodies() {
  BodyTable<MR, NV> table{};
  unroll<MR>([&](auto i) {
    unroll<NV>([&](auto j) {
      table.body[0][i][j] = brgemm_body<i.value + 1, j.value + 1, false>;
      table.body[1][i][j] = brgemm_body<i.value + 1, j.value + 1, true>;
    });
  });
  return table;
}

template <int MR, int NR>
CORTEX_INLINE void brgemm(const cortex_brgemm_args* args) {
  static constexpr BodyTable<MR, NR / lanes> table = make_bodies<MR, NR / lanes>();
  if (args->m <= 0 || args->n <= 0) return;
  const int64_t last = (args->n - 1) / lanes;
  const int64_t tail = args->n - last * lanes;
  table.body[tail != lanes][args->m - 1][last](args, first_lanes(tail));
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BRGEMM(mr, nr, isa)                                                                   \
  extern "C" void cortex_brgemm_f32_f32_f32_##mr##x##nr##x1_##isa(const cortex_brgemm_args* args) {         \
    cortex::brgemm<mr, nr>(args);  \
  }
