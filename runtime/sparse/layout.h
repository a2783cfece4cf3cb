// Where an activation of channels and points lies: [image blocks][point blocks][channels][points][images].
//
// One image a block and all points a block is NCHW. Blocks of a tile's points keep what a tile reads of all
// channels together: pages and streams are few, and a window of one point needs no panel. Images side by side
// fill vectors whatever the shape of the plane, and make every tap a whole number of vectors away.
#pragma once

#include <cstdint>
#include <string>

namespace cortex {

struct PointLayout {
  int64_t images = 1;  // side by side; divides the batch
  int64_t block = 1;   // points side by side; divides the points

  // Elements from channel to channel.
  int64_t ld_channel() const { return block * images; }
  // Element of channel 0 of point p of the block of images n.
  int64_t at(int64_t n, int64_t p, int64_t channels, int64_t points) const {
    return ((n * (points / block) + p / block) * channels * block + p % block) * images;
  }
  bool is_nchw(int64_t points) const { return images == 1 && block == points; }
  // As cortex.h spells it: "ncdhw", "nPc112p", "NPc7p16n".
  std::string name(int64_t points) const;
};

inline PointLayout nchw(int64_t points) { return {1, points}; }

// The layout that kernels of `lanes` lanes and tiles of `vectors` vectors run fastest from and to. Depends on
// the tensor alone (width: points of a row), so that what one convolution writes the next one reads. Up to
// `images` lanes, a divisor of all, are images.
PointLayout fastest_layout(int64_t batch, int64_t points, int64_t width, int64_t lanes, int64_t vectors,
                           int64_t images);

}  // namespace cortex
