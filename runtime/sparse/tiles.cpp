#include "runtime/sparse/tiles.h"

#include <algorithm>
#include <map>
#include <string>

#include "support/checked.h"

namespace cortex {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

// One dimension of the window: tap k reads input stride*x + phase(k) + stride*shift(k) for output x.
struct Axis {
  int64_t stride, step, pad, in, out, taps;
  int64_t at(int64_t k) const { return k * step - pad; }
  int64_t shift(int64_t k) const { return floor_div(at(k), stride); }
  int64_t phase(int64_t k) const { return at(k) - stride * shift(k); }
  // Positions of a phase that exist: [0, extent).
  int64_t extent(int64_t phase) const { return in > phase ? ceil_div(in - phase, stride) : 0; }
};

// Rows of the panel that a phase of columns has in common with rows of the window.
struct Plane {
  int64_t row_tap = 0;    // rows form: which row of the window (depth and height); planes: phase of rows
  int64_t phase = 0;      // of columns
  int64_t low = 0, high = 0;  // least and largest offset of a tap that reads it
  int64_t base = 0;       // element of the panel where its position `low` stands
};

class Cutter {
 public:
  Cutter(const ConvProblem& c, int lanes, int vectors, bool images_in_lanes)
      : c_(c),
        lanes_(lanes),
        most_(vectors),
        unit_(images_in_lanes ? lanes : 1),
        per_vector_(images_in_lanes ? 1 : lanes),
        x_{c.sw, c.dw + 1, c.pw, c.iw, c.ow, c.kw},
        y_{c.sh, c.dh + 1, c.ph, c.ih, c.oh, c.kh} {
    out_.images_in_lanes = images_in_lanes;
    out_.ld_channel_in = inputs_of(c) * unit_;
    out_.ld_channel_out = points_of(c) * unit_;
    const bool flat = c.kd == 1 && c.id == 1 && c.od == 1;
    // Rows that fill a tile need no gaps.
    planes_ = flat && c.oh > 1 && c.ow < (images_in_lanes ? 4 : 6 * lanes);
  }

  Tiling cut() {
    find_pitch();
    place_taps();
    const int64_t length = planes_ ? (c_.oh - 1) * pitch_ + c_.ow : c_.ow;
    const int64_t all = ceil_div(length, per_vector_), count = ceil_div(all, most_);
    out_.vectors = ceil_div(all, count);
    lay_out_panel();
    const int64_t blocks = out_.images_in_lanes ? c_.mb / lanes_ : c_.mb;
    const int64_t rows = planes_ ? 1 : c_.od * c_.oh;
    for (int64_t image = 0; image < blocks; ++image)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < count; ++i) {
          const int64_t from = all * i / count * per_vector_,
                        to = std::min(all * (i + 1) / count * per_vector_, length);
          add_tile(image, row, from, to);
        }
    return std::move(out_);
  }

 private:
  // Rows of a plane stand so far apart that a tap beyond the end of one reads the zeros before the next.
  void find_pitch() {
    pitch_ = c_.ow;
    int64_t low = 0, high = 0;
    for (int64_t k = 0; k < c_.kw; ++k) low = std::min(low, x_.shift(k)), high = std::max(high, x_.shift(k));
    low_ = low;
    pitch_ = std::max(pitch_, c_.ow + high);
    for (int64_t k = 0; k < c_.kw; ++k)
      pitch_ = std::max(pitch_, std::min(x_.extent(x_.phase(k)), c_.ow + high) - low);
  }

  Plane& plane_of(int64_t row_tap, int64_t phase, int64_t offset) {
    for (Plane& p : planes_used_) {
      if (p.row_tap != row_tap || p.phase != phase) continue;
      p.low = std::min(p.low, offset);
      p.high = std::max(p.high, offset);
      return p;
    }
    planes_used_.push_back({row_tap, phase, offset, offset, 0});
    return planes_used_.back();
  }

  int64_t row_tap(int64_t kd, int64_t kh) const { return planes_ ? y_.phase(kh) : kd * c_.kh + kh; }
  int64_t offset(int64_t kh, int64_t kw) const {
    return x_.shift(kw) + (planes_ ? y_.shift(kh) * pitch_ : 0);
  }

  void place_taps() {
    for (int64_t kd = 0; kd < c_.kd; ++kd)
      for (int64_t kh = 0; kh < c_.kh; ++kh)
        for (int64_t kw = 0; kw < c_.kw; ++kw) plane_of(row_tap(kd, kh), x_.phase(kw), offset(kh, kw));
  }

  void lay_out_panel() {
    const int64_t length = out_.vectors * per_vector_;
    int64_t at = 0;
    for (Plane& p : planes_used_) {
      p.base = at;
      at = round_up(at + (length + p.high - p.low) * unit_, lanes_);
    }
    out_.ld_panel = at;
    out_.slack = lanes_;
    for (int64_t kd = 0; kd < c_.kd; ++kd)
      for (int64_t kh = 0; kh < c_.kh; ++kh)
        for (int64_t kw = 0; kw < c_.kw; ++kw) {
          const Plane& p = plane_of(row_tap(kd, kh), x_.phase(kw), offset(kh, kw));
          out_.tap_offset.push_back(p.base + (offset(kh, kw) - p.low) * unit_);
        }
  }

  // Positions [from, to) of an output row (rows) or of the plane (planes).
  void add_tile(int64_t image, int64_t row, int64_t from, int64_t to) {
    const int64_t first_row = planes_ ? from / pitch_ : row % c_.oh;
    const int64_t d = planes_ ? 0 : row / c_.oh;
    PointTile tile;
    const int64_t w = planes_ ? 0 : from;
    const int64_t origin = (d * c_.sd * c_.ih + first_row * c_.sh) * c_.iw + w * c_.sw;
    tile.src = image * c_.ic * out_.ld_channel_in + origin * unit_;
    TilePattern pattern;
    pattern.vectors = ceil_div(to - from, per_vector_);
    for (const Plane& p : planes_used_) {
      if (planes_) {
        add_plane(pattern, p, from, from + out_.vectors * per_vector_, origin);
      } else {
        add_row(pattern, p, row, from, origin);
      }
    }
    int64_t first_point = (d * c_.oh + first_row) * c_.ow + w;
    if (planes_ && pitch_ > c_.ow) {
      first_point = add_places(pattern, from, to);
    } else {
      pattern.lanes = (to - from) * unit_;
      if (planes_) first_point = from;
    }
    tile.dst = image * c_.oc * out_.ld_channel_out + first_point * unit_;
    tile.pattern = index_of(std::move(pattern));
    out_.tiles.push_back(tile);
  }

  void add_row(TilePattern& pattern, const Plane& p, int64_t row, int64_t from, int64_t origin) {
    const int64_t kd = p.row_tap / c_.kh, kh = p.row_tap % c_.kh;
    const int64_t d = row / c_.oh * c_.sd + kd * (c_.dd + 1) - c_.pd;
    const int64_t h = row % c_.oh * c_.sh + y_.at(kh);
    const bool inside = d >= 0 && d < c_.id && h >= 0 && h < c_.ih;
    const int64_t begin = from + p.low, end = from + out_.vectors * per_vector_ + p.high;
    add_run(pattern, p, begin, end, 0, inside, (d * c_.ih + h) * c_.iw - origin);
  }

  void add_plane(TilePattern& pattern, const Plane& p, int64_t from, int64_t to, int64_t origin) {
    for (int64_t at = from + p.low; at < to + p.high;) {
      const int64_t y = floor_div(at - low_, pitch_);
      const int64_t end = std::min((y + 1) * pitch_ + low_, to + p.high);
      const int64_t h = y * c_.sh + p.row_tap;
      add_run(pattern, p, at - y * pitch_, end - y * pitch_, at - from - p.low, h >= 0 && h < c_.ih,
              h * c_.iw - origin);
      at = end;
    }
  }

  // Columns [begin, end) of the phase to position `to` of its plane, from a row of the input that starts at
  // element `row` and may lie outside.
  void add_run(TilePattern& pattern, const Plane& p, int64_t begin, int64_t end, int64_t to, bool inside,
               int64_t row) {
    const int64_t extent = inside ? x_.extent(p.phase) : 0;
    for (int64_t at = begin; at < end; at += per_vector_, to += per_vector_) {
      cortex_sparse_run run{};
      run.from = (row + at * c_.sw + p.phase) * unit_;
      run.to = p.base + to * unit_;
      if (out_.images_in_lanes) {
        if (at >= 0 && at < extent) run.low = (uint64_t{1} << lanes_) - 1;
      } else {
        set_lanes(run, std::clamp<int64_t>(-at, 0, lanes_), std::clamp<int64_t>(std::min(extent, end) - at, 0, lanes_));
      }
      pattern.runs.push_back(run);
    }
  }

  void set_lanes(cortex_sparse_run& run, int64_t from, int64_t to) const {
    for (int64_t i = from; i < to; ++i) {
      const int64_t bit = c_.sw == 2 ? 2 * i : i;
      (bit < lanes_ ? run.low : run.high) |= uint64_t{1} << (bit % lanes_);
    }
  }

  // Where positions [from, to) of the plane go; returns the first point of the tile.
  int64_t add_places(TilePattern& pattern, int64_t from, int64_t to) {
    const auto point = [&](int64_t at) { return at / pitch_ * c_.ow + at % pitch_; };
    int64_t first = -1;
    for (int64_t v = from; v < to; v += per_vector_) {
      cortex_sparse_place place{};
      for (int64_t at = v; at < std::min(v + per_vector_, to); ++at) {
        if (at % pitch_ >= c_.ow) continue;
        if (first < 0) first = point(at);
        if (place.count == 0) place.offset = static_cast<int32_t>((point(at) - first) * unit_);
        for (int64_t u = 0; u < unit_; ++u)
          place.lane[place.count++] = static_cast<uint8_t>(unit_ == 1 ? at - v : u);
      }
      pattern.places.push_back(place);
    }
    pattern.lanes = pattern.vectors * lanes_;
    return std::max<int64_t>(first, 0);
  }

  int32_t index_of(TilePattern pattern) {
    std::string key;
    const auto add = [&](const void* data, std::size_t bytes) {
      key.append(static_cast<const char*>(data), bytes);
    };
    add(pattern.runs.data(), pattern.runs.size() * sizeof pattern.runs[0]);
    add(pattern.places.data(), pattern.places.size() * sizeof(cortex_sparse_place));
    add(&pattern.lanes, sizeof pattern.lanes);
    const auto [it, is_new] = index_.try_emplace(std::move(key), static_cast<int32_t>(out_.patterns.size()));
    if (is_new) out_.patterns.push_back(std::move(pattern));
    return it->second;
  }

  const ConvProblem& c_;
  int64_t lanes_, most_, unit_, per_vector_;  // unit_: elements of a point; per_vector_: points
  Axis x_, y_;
  bool planes_ = false;
  int64_t pitch_ = 0, low_ = 0;
  std::vector<Plane> planes_used_;
  std::map<std::string, int32_t> index_;
  Tiling out_;
};

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

Tiling cut_tiles(const ConvProblem& conv, int lanes, int vectors, bool images_in_lanes) {
  return Cutter(conv, lanes, vectors, images_in_lanes).cut();
}

}  // namespace cortex
