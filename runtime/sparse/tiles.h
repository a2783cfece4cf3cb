// Output points in tiles of a few vectors, and where the inputs of a tile lie in its panel.
//
// A panel keeps rows of the input as they are, with zeros where the window looks outside, so that a tap is an
// offset. A stride cuts rows and columns into phases, each with rows of its own. Two forms:
//   rows    a tile is a part of one output row; the panel has a row for each row of the window
//   planes  a tile is a part of the whole plane, counted with gaps between its rows: a row of the panel and
//           the next share the zeros between them, and points in the gaps are summed and dropped
// Points lie in the lanes, or (images_in_lanes) the same point of as many images.
#pragma once

#include <cstdint>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "graph/problem/problem.h"

namespace cortex {

// A window without overlap or padding sees a plane of points as one row.
ConvProblem merge_points(const ConvProblem& conv);

inline int64_t points_of(const ConvProblem& c) { return c.od * c.oh * c.ow; }
inline int64_t inputs_of(const ConvProblem& c) { return c.id * c.ih * c.iw; }

// What tiles have in common that lie alike.
struct TilePattern {
  std::vector<cortex_sparse_run> runs;
  std::vector<cortex_sparse_place> places;  // empty: lanes are adjacent in the output
  int64_t vectors = 0;
  int64_t lanes = 0;  // in use, where there are no places
};

struct PointTile {
  int64_t src = 0;  // element that runs of channel 0 count from
  int64_t dst = 0;  // element of output channel 0
  int32_t pattern = 0;
};

struct Tiling {
  bool images_in_lanes = false;
  int64_t vectors = 0;                   // of a tile, at most
  int64_t ld_panel = 0;                  // elements of a channel's panel
  int64_t slack = 0;                     // elements written and read behind the last one
  int64_t ld_channel_in = 0, ld_channel_out = 0;  // elements
  std::vector<int64_t> tap_offset;       // elements, by tap
  std::vector<TilePattern> patterns;
  std::vector<PointTile> tiles;
};

// Tiles of at most `vectors` vectors, as even as can be. images_in_lanes: mb is a multiple of lanes.
Tiling cut_tiles(const ConvProblem& conv, int lanes, int vectors, bool images_in_lanes);

}  // namespace cortex
