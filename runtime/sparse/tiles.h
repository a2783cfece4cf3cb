// Output points in tiles of a few vectors, and where a tile's inputs lie in a channel.
#pragma once

#include <cstdint>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "graph/problem/problem.h"

namespace cortex {

// Points are numbered through all images: image * points + point.
struct PointTile {
  int64_t first = 0, count = 0;
};

// A window without overlap or padding sees a plane of points as one row.
ConvProblem merge_points(const ConvProblem& conv);

inline int64_t points_of(const ConvProblem& c) { return c.od * c.oh * c.ow; }

// Tiles of at most `vectors` vectors, as even as can be. They end with an image unless that wastes many
// lanes.
std::vector<PointTile> cut_points(const ConvProblem& conv, int lanes, int vectors);

// Pieces that a tile of `count` points needs at most.
inline int64_t most_pieces(const ConvProblem& c, int64_t count) { return c.kd * c.kh * c.kw * count; }

// Input elements that a tile reads of one image, from the start of a channel: [from, to) holds them.
struct InputSpan {
  int64_t from = 0, to = 0;
};
// Of the tile's first image.
InputSpan input_span(const ConvProblem& conv, const PointTile& tile);

// Fills pieces and first_piece (taps * vectors + 1) of cortex_sparse_gather_args. True: every vector has one
// piece, as without first_piece; that of a vector of zeros has no lanes.
bool cut_pieces(const ConvProblem& conv, const PointTile& tile, int lanes, int64_t vectors,
                cortex_sparse_piece* pieces, int32_t* first_piece);

}  // namespace cortex
