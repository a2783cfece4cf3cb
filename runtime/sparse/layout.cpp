#include "runtime/sparse/layout.h"

#include <fmt/format.h>

namespace cortex {

std::string PointLayout::name(int64_t points) const {
  if (is_nchw(points)) return "ncdhw";
  if (block == points) return fmt::format("Ncp{}n", images);
  return images == 1 ? fmt::format("nPc{}p", block) : fmt::format("NPc{}p{}n", block, images);
}

PointLayout fastest_layout(int64_t batch, int64_t points, int64_t width, int64_t lanes, int64_t vectors,
                           int64_t images) {
  if (batch % images == 0) {
    const int64_t of_vector = lanes / images;
    for (int64_t block = vectors * of_vector; block >= 4; block -= of_vector)
      if (width % block == 0) return {images, block};
    if (of_vector > 1) {
      for (int64_t block = vectors * of_vector; block >= 4 * of_vector; block -= of_vector)
        if (points % block == 0) return {images, block};
    }
    return {images, points};
  }
  // Small planes are a tile or two anyway.
  if (points > 2 * vectors * lanes) {
    for (int64_t block = vectors * lanes; block >= 4 * lanes; block -= lanes)
      if (points % block == 0) return {1, block};
  }
  return nchw(points);
}

}  // namespace cortex
