// Tiles of sums that went through memory to elements of C: the steps of cortex_epilogue that most layers
// take, some rows at a time, with the columns' constants in registers. What a call leaves, a later one of its
// series (cortex_tiles) finishes while it multiplies. Everything else is finish_narrow.h's, and done at once.
#pragma once

#include "microkernels/brgemm/batch.h"
#include "microkernels/brgemm/finish_narrow.h"

namespace cortex {
namespace {

// Whether the steps are those below.
CORTEX_INLINE bool is_usual(const cortex_brgemm_args* args) {
  const cortex_epilogue& e = args->epilogue;
  return !e.residual && !e.bias_m &&
         (e.activation == CORTEX_ACTIVATION_NONE ||
          (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f));
}

// Rows of NT vectors, finished four vectors at a time: as many rows as that is. Values that leave a step out
// (0, 1 and -0) stand in for constants that are not there.
template <bool Integers, int NT>
struct UsualRows {
  static constexpr int rows = NT == 1 ? 4 : NT == 2 ? 2 : 1;
  Vec compensation[NT], scale[NT], bias[NT];
  Vec least;                        // of the activation
  __m512i zero_point, least_whole;  // of 16 bits
  bool bounded = true;              // no value can leave the range of 32-bit integers
  int64_t n;

  CORTEX_INLINE UsualRows(const cortex_epilogue& e, int64_t columns) : n(columns) {
    const bool relu = e.activation == CORTEX_ACTIVATION_RELU;
    least = splat(relu ? 0.0f : -__builtin_inff());
    zero_point = _mm512_set1_epi16(static_cast<int16_t>(e.c_zero_point));
    least_whole = _mm512_set1_epi16(relu ? static_cast<int16_t>(e.c_zero_point) : INT16_MIN);
    unroll<NT>([&](auto j) CORTEX_LAMBDA {
      const Mask mask = first_lanes(j < NT - 1 ? lanes : n - (NT - 1) * lanes);
      const auto constants = [&](const void* p, float otherwise) CORTEX_LAMBDA {
        return p ? load(mask, static_cast<const float*>(p) + j * lanes) : splat(otherwise);
      };
      compensation[j] = constants(e.compensation_n, 0.0f);
      scale[j] = constants(e.scale_n, 1.0f);
      bias[j] = constants(e.bias_n, -0.0f);
      const Vec most = fma(abs(scale[j]), splat(0x1p31f), abs(bias[j]));
      bounded = bounded && _mm512_cmp_ps_mask(most, splat(0x1.fffffp30f), _CMP_NLT_UQ) == 0;
    });
  }

  template <bool Compensated>
  CORTEX_INLINE Vec value(const float* sums, int j) const {
    Vec x = load(sums);
    if constexpr (Integers) {
      if constexpr (Compensated) x = add_integers(x, compensation[j]);
      x = mul(from_integers(x), scale[j]);
      keep(x);  // two roundings
    }
    return add(x, bias[j]);
  }

  // Vector i of 16 bytes is row i / NT's, column i % NT's. What is too large for an integer would turn
  // negative.
  template <bool Signed>
  CORTEX_INLINE __m512i bytes(Vec (&v)[4]) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    if (__builtin_expect(!bounded, 0)) {
      unroll<4>([&](auto i) CORTEX_LAMBDA { v[i] = min(splat(1073741824.0f), v[i]); });
    }
    const auto halves = [&](Vec x, Vec y) CORTEX_LAMBDA {
      const __m512i both = _mm512_packs_epi32(_mm512_cvtps_epi32(x), _mm512_cvtps_epi32(y));
      return _mm512_max_epi16(least_whole, _mm512_adds_epi16(both, zero_point));
    };
    const __m512i low = halves(v[0], v[1]), high = halves(v[2], v[3]);
    return _mm512_permutexvar_epi32(order,
                                    Signed ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high));
  }

  CORTEX_INLINE void store_bytes(char* c, int64_t ldc, __m512i all, int64_t count) const {
    if constexpr (NT > 2) {
      _mm512_mask_storeu_epi8(c, ~__mmask64{0} >> (64 - n), all);
    } else if constexpr (NT == 2) {
      const auto mask = static_cast<__mmask32>(~0u >> (32 - n));
      _mm256_mask_storeu_epi8(c, mask, _mm512_castsi512_si256(all));
      if (count > 1) _mm256_mask_storeu_epi8(c + ldc, mask, _mm512_extracti64x4_epi64(all, 1));
    } else {
      const Mask mask = first_lanes(n);
      _mm_mask_storeu_epi8(c, mask, _mm512_castsi512_si128(all));
      if (count > 1) _mm_mask_storeu_epi8(c + ldc, mask, _mm512_extracti32x4_epi32(all, 1));
      if (count > 2) _mm_mask_storeu_epi8(c + 2 * ldc, mask, _mm512_extracti32x4_epi32(all, 2));
      if (count > 3) _mm_mask_storeu_epi8(c + 3 * ldc, mask, _mm512_extracti32x4_epi32(all, 3));
    }
  }

  template <int Type>
  CORTEX_INLINE void store_wide(char* c, int64_t ldc, const Vec (&v)[4], int64_t count) const {
    constexpr int64_t size = Type == CORTEX_ELEMENT_BF16 ? 2 : 4;
    unroll<rows>([&](auto r) CORTEX_LAMBDA {
      if (r >= count) return;
      unroll<NT>([&](auto j) CORTEX_LAMBDA {
        char* p = c + r * ldc + j * lanes * size;
        const Vec x = max(least, v[r * NT + j]);
        if (j < NT - 1) {
          store_as<Type>(p, x, 0);
        } else {
          store_first<Type>(n - (NT - 1) * lanes, p, x, 0);
        }
      });
    });
  }

  // `count` of the rows to C; all of them are in `sums`.
  template <int Type, bool Compensated>
  CORTEX_INLINE void finish(char* c, int64_t ldc, const float* sums, int64_t count) const {
    Vec v[4] = {zero(), zero(), zero(), zero()};
    unroll<rows * NT>([&](auto i) CORTEX_LAMBDA { v[i] = value<Compensated>(sums + i * lanes, i % NT); });
    if constexpr (Type == CORTEX_ELEMENT_U8 || Type == CORTEX_ELEMENT_S8) {
      store_bytes(c, ldc, bytes<Type == CORTEX_ELEMENT_S8>(v), count);
    } else {
      store_wide<Type>(c, ldc, v, count);
    }
  }
};

// What a call left: `bands` times `m` rows of sums, those before `row` of `band` finished.
struct Unfinished {
  void (*some)(Unfinished&, int64_t turns);  // finishes the next rows, four vectors a turn
  cortex_epilogue epilogue;
  char* c;
  int64_t ldc, c_band, m, n, bands, band, row;
  int64_t turns;  // left
  alignas(64) float sums[4 * 16 * 16];
};

// Two of them take turns, so that what a call finishes was stored well before: loads wait for stores of tile
// registers. `unfinished` has a bit for each, and one for whose turn it is.
constexpr uint64_t second_turn = 4;
CORTEX_INLINE uint64_t turn_of(const cortex_tiles* tiles) { return tiles->unfinished & second_turn ? 2 : 1; }
CORTEX_INLINE Unfinished& unfinished(cortex_tiles* tiles, uint64_t which) {
  const auto at = reinterpret_cast<uintptr_t>(tiles->memory);
  static_assert(2 * sizeof(Unfinished) + 56 <= sizeof tiles->memory);
  return reinterpret_cast<Unfinished*>((at + 63) & ~uintptr_t{63})[which - 1];
}

template <bool Integers, int Type, bool Compensated, int NT>
void finish_some(Unfinished& of, int64_t turns) {
  using Rows = UsualRows<Integers, NT>;
  constexpr int64_t row_of_sums = NT * lanes, band_of_sums = 16 * row_of_sums;
  const Rows rows(of.epilogue, of.n);
  of.turns -= turns;
#pragma GCC unroll 1
  for (; turns > 0; --turns) {
    const int64_t left = of.m - of.row;
    rows.template finish<Type, Compensated>(of.c + of.band * of.c_band + of.row * of.ldc, of.ldc,
                                            of.sums + of.band * band_of_sums + of.row * row_of_sums,
                                            left < Rows::rows ? left : Rows::rows);
    of.row += Rows::rows;
    if (of.row < of.m) continue;
    of.row = 0;
    ++of.band;
  }
}

CORTEX_INLINE void finish_rest(cortex_tiles* tiles, uint64_t which) {
  if (!(tiles->unfinished & which)) return;
  Unfinished& of = unfinished(tiles, which);
  if (of.turns > 0) of.some(of, of.turns);
  tiles->unfinished &= ~which;
}

// The way to finish `args`; nullptr: not by usual steps.
template <bool Integers, int NT>
CORTEX_INLINE auto way_to_finish(const cortex_brgemm_args* args) -> void (*)(Unfinished&, int64_t) {
  constexpr int f32 = CORTEX_ELEMENT_F32, u8 = CORTEX_ELEMENT_U8, s8 = CORTEX_ELEMENT_S8;
  const cortex_epilogue& e = args->epilogue;
  if (!is_usual(args)) return nullptr;
  if constexpr (Integers) {
    const bool compensated = e.compensation_n != nullptr;
    if (e.c_type == u8)
      return compensated ? finish_some<true, u8, true, NT> : finish_some<true, u8, false, NT>;
    if (e.c_type == s8)
      return compensated ? finish_some<true, s8, true, NT> : finish_some<true, s8, false, NT>;
    if (e.c_type == f32)
      return compensated ? finish_some<true, f32, true, NT> : finish_some<true, f32, false, NT>;
    return nullptr;
  } else {
    if (e.c_type == CORTEX_ELEMENT_BF16) return finish_some<false, CORTEX_ELEMENT_BF16, false, NT>;
    return e.c_type == f32 || e.c_type == CORTEX_ELEMENT_SUM ? finish_some<false, f32, false, NT> : nullptr;
  }
}

// Makes `of` what is to be done for `args`; the caller stores the sums.
template <int NT>
CORTEX_INLINE void describe(Unfinished& of, const cortex_brgemm_args* args,
                            void (*way)(Unfinished&, int64_t)) {
  constexpr int64_t together = NT == 1 ? 4 : NT == 2 ? 2 : 1;
  of.some = way;
  of.epilogue = args->epilogue;
  of.c = static_cast<char*>(args->c);
  of.ldc = args->ldc;
  of.c_band = args->c_band;
  of.m = args->m;
  of.n = args->n;
  of.bands = args->bands > 1 ? args->bands : 1;
  of.band = of.row = 0;
  of.turns = of.bands * ((of.m + together - 1) / together);
}

// The other steps, at once.
// R finished rows of NT vectors; `place` and `sums` are the first one's.
template <int R, int NT>
CORTEX_INLINE void finish_rows(const cortex_brgemm_args* args, const float* sums, const TilePlace& place) {
  RegisterTile<R, NT, true> tile;
  tile.mask = first_lanes(args->n - (NT - 1) * lanes);
  unroll<R>([&](auto i) CORTEX_LAMBDA {
    unroll<NT>([&](auto j) CORTEX_LAMBDA { tile.v[i][j] = load(sums + (i * NT + j) * lanes); });
  });
  Product::to_memory(tile, CORTEX_TILE_EPILOGUE, args->epilogue, place);
}

CORTEX_INLINE void move_down(TilePlace& place, int64_t rows) {
  place.c += rows * place.ldc;
  if (place.bias_m) place.bias_m += rows;
  if (place.residual) place.residual += rows * place.ld_residual;
}

template <int NT>
__attribute__((noinline)) void finish_band(const cortex_brgemm_args* args, const float* sums, int64_t band) {
  constexpr int together = 4;
  TilePlace place = place_of(args);
  place.c += band * args->c_band;
  if (place.residual) place.residual += band * args->c_band;
  int64_t row = 0;
  for (; row + together <= args->m; row += together) {
    finish_rows<together, NT>(args, sums + row * NT * lanes, place);
    move_down(place, together);
  }
  for (; row < args->m; ++row) {
    finish_rows<1, NT>(args, sums + row * NT * lanes, place);
    move_down(place, 1);
  }
}

}  // namespace
}  // namespace cortex
