#include "polyopt/analysis/calls.h"

#include "support/checked.h"

namespace cortex::polyhedral {
namespace {

// Where tile t of the range begins; t may be the number of tiles.
int64_t begin_of(const Loop& loop, const TileRange& range, int64_t t) {
  if (!loop.balanced) return range.lo + std::min(t * loop.step, range.len);
  const int64_t n = ceil_div(range.len, loop.step);
  return range.lo + t * (range.len / n) + std::min(t, range.len % n);
}

}  // namespace

int64_t trips(const Loop& loop, const TileRange& range) { return ceil_div(range.len, loop.step); }

TileRange tiles(const Loop& loop, const TileRange& range, int64_t first, int64_t last) {
  const int64_t lo = begin_of(loop, range, first);
  return {lo, begin_of(loop, range, last + 1) - lo};
}

std::vector<TileRange> ranges_at(const Nest& nest, const Schedule& schedule, const CallIndex& index) {
  std::vector<TileRange> ranges;
  for (const Dim& d : nest.dims) ranges.push_back({0, d.extent});
  for (std::size_t l = 0; l < index.size(); ++l) {
    TileRange& range = ranges[schedule.loops[l].dim];
    range = tiles(schedule.loops[l], range, index[l], index[l]);
  }
  return ranges;
}

std::vector<std::vector<TileRange>> boxes_between(const Nest& nest, const Schedule& schedule,
                                                  const CallIndex& first, const CallIndex& last) {
  const int loops = static_cast<int>(schedule.loops.size());
  std::vector<std::vector<TileRange>> boxes{ranges_at(nest, schedule, first)};
  if (first == last) return boxes;
  int carrier = 0;
  while (first[carrier] == last[carrier]) ++carrier;

  // Tiles [from, to] of loop l, where the loops outside it stand as in `at`; all that is inside runs whole.
  const auto add = [&](const CallIndex& at, int l, int64_t from, int64_t to) {
    if (from > to) return;
    auto ranges = ranges_at(nest, schedule, CallIndex(at.begin(), at.begin() + l));
    TileRange& range = ranges[schedule.loops[l].dim];
    range = tiles(schedule.loops[l], range, from, to);
    boxes.push_back(std::move(ranges));
  };
  const auto last_tile = [&](const CallIndex& at, int l) {
    const auto ranges = ranges_at(nest, schedule, CallIndex(at.begin(), at.begin() + l));
    return trips(schedule.loops[l], ranges[schedule.loops[l].dim]) - 1;
  };
  for (int l = loops - 1; l > carrier; --l) add(first, l, first[l] + 1, last_tile(first, l));
  add(first, carrier, first[carrier] + 1, last[carrier] - 1);
  for (int l = carrier + 1; l < loops; ++l) add(last, l, 0, last[l] - 1);
  boxes.push_back(ranges_at(nest, schedule, last));
  return boxes;
}

}  // namespace cortex::polyhedral
