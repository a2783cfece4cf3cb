// Output points in tiles of a few vectors, and where the inputs of a tile lie in its panel.
//
// A panel keeps, of each channel, rows of the input with zeros where the window looks outside, so that a tap
// is an offset. Points lie in the lanes, or the same point of as many images.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "graph/problem/problem.h"
#include "runtime/sparse/layout.h"

namespace cortex {

// A window without overlap or padding sees a plane of points as one row.
ConvProblem merge_points(const ConvProblem& conv);

inline int64_t points_of(const ConvProblem& c) { return c.od * c.oh * c.ow; }
inline int64_t inputs_of(const ConvProblem& c) { return c.id * c.ih * c.iw; }

// A vector of points of a panel. Kernels of narrow elements store whole vectors of outputs alone: tiles have
// no gaps.
struct PointVector {
  int lanes = 4, element = 4;  // bytes of one
  int source = element;        // bytes of one where the panel's come from
};

// How often a panel keeps an element of the input. Fewer copies: less to gather, longer blocks of channels in
// a cache. More: vectors that start with a line of the cache.
enum class PanelCopies {
  none,     // the panel is the input itself: windows of one point, tiles that are a block of the layout
  one,      // rows as they are, a phase of the stride each; taps of all rows and columns share them
  columns,  // a copy for every column of the window, shared by its rows
  lines,    // the same, rows starting with a line of the cache (short ones in the middle of one)
  taps,     // a copy for every tap
};

inline constexpr std::array<PanelCopies, 5> all_panel_copies = {
    PanelCopies::none, PanelCopies::one, PanelCopies::columns, PanelCopies::lines, PanelCopies::taps};

// What tiles have in common that lie alike.
struct TilePattern {
  std::vector<cortex_sparse_run> runs;
  std::vector<cortex_sparse_place> places;  // empty: lanes are adjacent in the output
  int64_t lanes = 0;                        // in use, with their gaps
  std::vector<int64_t> lines;               // bytes: the lines that the tile before does not read
  int64_t line_count = 0;                   // those that it reads too included
};

struct PointTile {
  int64_t src = 0;  // element that runs of channel 0 count from
  int64_t dst = 0;  // element of output channel 0
  int32_t pattern = 0;
};

struct Tiling {
  PointLayout in, out;
  PanelCopies copies = PanelCopies::one;
  int64_t vectors = 0;              // of a tile, at most
  int64_t ld_panel = 0;             // elements of a channel's panel
  int64_t step = 1;                 // of runs
  std::vector<int64_t> tap_offset;  // elements, by tap
  std::vector<TilePattern> patterns;
  std::vector<PointTile> tiles;
};

// True where a tiling of this kind exists.
bool can_tile(const ConvProblem& conv, const PointVector& vector, int vectors, PanelCopies copies,
              const PointLayout& in, const PointLayout& out);

// Tiles of at most `vectors` vectors, as even as can be.
Tiling cut_tiles(const ConvProblem& conv, const PointVector& vector, int vectors, PanelCopies copies,
                 const PointLayout& in, const PointLayout& out);

}  // namespace cortex
