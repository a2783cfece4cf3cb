#include "polyopt/analysis/tiling.h"

#include <algorithm>

#include "support/checked.h"

namespace cortex::polyhedral {
namespace {

std::vector<int> loops_over(const Schedule& schedule, int dim) {
  std::vector<int> loops;
  for (int l = 0; l < std::ssize(schedule.loops); ++l) {
    if (schedule.loops[l].dim == dim) loops.push_back(l);
  }
  return loops;
}

// `piece` with one more loop, whose tiles [first, end) begin at offset and are all `len` long.
TilePiece extended(const TilePiece& piece, TileIndex index, int64_t offset, int64_t len) {
  TilePiece p = piece;
  p.indices.push_back(index);
  p.start += offset;
  p.len = len;
  return p;
}

void split(const TilePiece& piece, const Loop& loop, int index, std::vector<TilePiece>& out) {
  if (loop.balanced) {
    const int64_t tiles = ceil_div(piece.len, loop.step);
    const int64_t shorter = piece.len / tiles, longer_tiles = piece.len % tiles;
    if (longer_tiles > 0)
      out.push_back(extended(piece, {index, 0, longer_tiles, shorter + 1}, 0, shorter + 1));
    out.push_back(
        extended(piece, {index, longer_tiles, tiles, shorter}, longer_tiles * (shorter + 1), shorter));
    return;
  }
  const int64_t full = piece.len / loop.step, rest = piece.len % loop.step;
  if (full > 0) out.push_back(extended(piece, {index, 0, full, loop.step}, 0, loop.step));
  if (rest > 0) out.push_back(extended(piece, {index, full, full + 1, loop.step}, full * loop.step, rest));
}

}  // namespace

std::vector<TilePiece> tile_pieces(const Nest& nest, const Schedule& schedule, int dim) {
  const std::vector<int> loops = loops_over(schedule, dim);
  std::size_t to_split = loops.size();  // loops up to and with the last balanced one
  while (to_split > 0 && !schedule.loops[loops[to_split - 1]].balanced) --to_split;

  std::vector<TilePiece> pieces{{.indices = {}, .start = 0, .len = nest.dims[dim].extent, .fixed = {}}};
  for (std::size_t k = 0; k < to_split; ++k) {
    std::vector<TilePiece> next;
    for (const TilePiece& piece : pieces) split(piece, schedule.loops[loops[k]], loops[k], next);
    pieces = std::move(next);
  }
  for (TilePiece& piece : pieces) piece.fixed.assign(loops.begin() + to_split, loops.end());
  return pieces;
}

std::vector<TileRange> interior_tile(const Nest& nest, const Schedule& schedule, int depth) {
  std::vector<TileRange> ranges;
  for (const Dim& d : nest.dims) ranges.push_back({0, d.extent});
  for (int l = 0; l < depth; ++l) {
    const Loop& loop = schedule.loops[l];
    TileRange& range = ranges[loop.dim];
    const int64_t tiles = ceil_div(range.len, loop.step);
    const int64_t longer = loop.balanced ? range.len % tiles : 0;  // these come first
    const int64_t t = longer > 0 ? std::min((tiles - 1) / 2, longer - 1) : (tiles - 1) / 2;
    const int64_t len = loop.balanced ? range.len / tiles + (longer > 0) : std::min(loop.step, range.len);
    range = {range.lo + t * len, len};
  }
  return ranges;
}

}  // namespace cortex::polyhedral
