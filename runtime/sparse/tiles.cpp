#include "runtime/sparse/tiles.h"

#include <algorithm>
#include <array>

#include "support/checked.h"

namespace cortex {
namespace {

constexpr int64_t most_points = int64_t{CORTEX_SPARSE_VECTORS} * CORTEX_SPARSE_LANES_AVX512;

// Points of a tile that are adjacent in an output row.
struct Run {
  int64_t at, count;  // in the tile
  int64_t image, d, h, w;
};

int cut_runs(const ConvProblem& c, const PointTile& tile,
             std::array<Run, static_cast<std::size_t>(most_points)>& runs) {
  int count = 0;
  for (int64_t at = 0; at < tile.count;) {
    const int64_t point = tile.first + at;
    Run& run = runs[static_cast<std::size_t>(count++)];
    run.at = at;
    run.w = point % c.ow;
    run.h = point / c.ow % c.oh;
    run.d = point / (c.ow * c.oh) % c.od;
    run.image = point / points_of(c);
    run.count = std::min(c.ow - run.w, tile.count - at);
    at += run.count;
  }
  return count;
}

uint32_t spread(uint32_t bits) {
  uint32_t out = 0;
  for (int i = 0; i < 16; ++i) out |= (bits >> i & 1) << (2 * i);
  return out;
}

}  // namespace

ConvProblem merge_points(const ConvProblem& conv) {
  ConvProblem c = conv;
  const bool pointwise = c.kd * c.kh * c.kw == 1 && c.sd * c.sh * c.sw == 1 && c.pd == 0 && c.ph == 0 &&
                         c.pw == 0 && c.id == c.od && c.ih == c.oh && c.iw == c.ow;
  if (!pointwise) return c;
  c.iw = c.ow = points_of(c);
  c.id = c.ih = c.od = c.oh = 1;
  return c;
}

std::vector<PointTile> cut_points(const ConvProblem& c, int lanes, int vectors) {
  const int64_t points = points_of(c), padded = round_up(points, lanes);
  const bool across = c.mb > 1 && padded * 100 > points * 108;
  const int64_t length = across ? points * c.mb : points;
  const int64_t all = ceil_div(length, static_cast<int64_t>(lanes)),
                count = ceil_div(all, static_cast<int64_t>(vectors));
  std::vector<PointTile> tiles;
  for (int64_t start = 0; start < points * c.mb; start += length) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t from = all * i / count * lanes, to = std::min(all * (i + 1) / count * lanes, length);
      tiles.push_back({start + from, to - from});
    }
  }
  return tiles;
}

InputSpan input_span(const ConvProblem& c, const PointTile& tile) {
  const int64_t points = points_of(c), image = tile.first / points;
  const int64_t first = tile.first % points, last = std::min(points, first + tile.count) - 1;
  // Rows counted through depths: windows of several depths read more than this.
  const auto row = [&](int64_t point, int64_t k, int64_t dilation) {
    const int64_t h = point / c.ow % c.oh * c.sh + k * dilation - c.ph;
    return (point / (c.ow * c.oh) * c.sd) * c.ih + std::clamp<int64_t>(h, 0, c.ih - 1);
  };
  const bool one_row = c.kh == 1 && first / c.ow == last / c.ow;
  const int64_t at = image * c.ic * c.id * c.ih * c.iw;
  if (one_row) {
    const int64_t from = first % c.ow * c.sw - c.pw,
                  to = last % c.ow * c.sw - c.pw + (c.kw - 1) * (c.dw + 1) + 1;
    const int64_t start = at + row(first, 0, 1) * c.iw;
    return {start + std::clamp<int64_t>(from, 0, c.iw), start + std::clamp<int64_t>(to, 0, c.iw)};
  }
  return {at + row(first, 0, c.dh + 1) * c.iw, at + (row(last, c.kh - 1, c.dh + 1) + 1) * c.iw};
}

bool cut_pieces(const ConvProblem& c, const PointTile& tile, int lanes, int64_t vectors,
                cortex_sparse_piece* pieces, int32_t* first_piece) {
  std::array<Run, static_cast<std::size_t>(most_points)> runs;
  const int count = cut_runs(c, tile, runs);
  const int64_t image = c.ic * c.id * c.ih * c.iw;
  int32_t made = 0;
  for (int64_t tap = 0; tap < c.kd * c.kh * c.kw; ++tap) {
    const int64_t kw = tap % c.kw, kh = tap / c.kw % c.kh, kd = tap / (c.kw * c.kh);
    // Outputs whose input lies inside the row: [low, high).
    const int64_t shift = kw * (c.dw + 1) - c.pw;
    const int64_t low = shift < 0 ? ceil_div(-shift, c.sw) : 0;
    const int64_t high = c.iw > shift ? ceil_div(c.iw - shift, c.sw) : 0;
    int32_t* first = first_piece + tap * vectors;
    int64_t vector = 0;
    first[0] = made;
    for (int i = 0; i < count; ++i) {
      const Run& run = runs[static_cast<std::size_t>(i)];
      const int64_t d = run.d * c.sd + kd * (c.dd + 1) - c.pd, h = run.h * c.sh + kh * (c.dh + 1) - c.ph;
      if (d < 0 || d >= c.id || h < 0 || h >= c.ih) continue;
      const int64_t from = std::max(run.w, low), to = std::min(run.w + run.count, high);
      // Where the tile's point 0 would be.
      const int64_t origin = run.image * image + (d * c.ih + h) * c.iw + (run.w - run.at) * c.sw + shift;
      for (int64_t at = run.at + from - run.w, end = run.at + to - run.w; at < end;) {
        const int64_t v = at / lanes, stop = std::min(end, (v + 1) * lanes);
        while (vector < v) first[++vector] = made;
        const int64_t offset = origin + v * lanes * c.sw;
        const uint32_t bits = ((1u << (stop - v * lanes)) - 1) & ~((1u << (at - v * lanes)) - 1);
        // Rows that follow one another without a gap are one piece.
        if (made == first[vector] || pieces[made - 1].offset != offset) pieces[made++] = {offset, 0, 0};
        pieces[made - 1].lanes |= bits;
        at = stop;
      }
    }
    while (vector < vectors) first[++vector] = made;
  }
  const int64_t all = c.kd * c.kh * c.kw * vectors;
  bool single = true;
  for (int64_t i = 0; i < all && single; ++i) single = first_piece[i + 1] - first_piece[i] <= 1;
  if (single) {
    for (int64_t i = all - 1; i >= 0; --i)
      pieces[i] = first_piece[i + 1] > first_piece[i] ? pieces[first_piece[i]] : cortex_sparse_piece{0, 0, 0};
    made = static_cast<int32_t>(all);
  }
  if (c.sw == 2)
    for (int32_t i = 0; i < made; ++i) pieces[i].spread = spread(pieces[i].lanes);
  return single;
}

}  // namespace cortex
