#include "runtime/sparse/tiles.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "support/checked.h"

namespace cortex {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

// Depth does not count: the one tap in it reads the one plane there is.
bool is_flat(const ConvProblem& c) { return c.kd == 1 && c.id == 1 && c.od == 1 && c.pd == 0; }
bool is_pointwise(const ConvProblem& c) {
  return c.kd * c.kh * c.kw == 1 && c.sd * c.sh * c.sw == 1 && inputs_of(c) == points_of(c);
}

// One dimension of the window: tap k reads input at(k) + stride*x for output x, which is position
// x + shift(k) of a phase of the stride.
struct Axis {
  int64_t stride, step, pad;
  int64_t at(int64_t k) const { return k * step - pad; }
  int64_t shift(int64_t k) const { return floor_div(at(k), stride); }
  int64_t phase(int64_t k) const { return at(k) - stride * shift(k); }
};

// Rows of the panel that taps share: position x of row y is input column sw*x + column of a row that y and
// `row` name (input_row).
struct Plane {
  int64_t row = 0, column = 0;
  int64_t low = 0, high = 0;  // least and largest offset of a tap
  int64_t base = 0;           // element of the panel where offset `low` stands
};

constexpr int64_t near_bytes = 512 << 10;  // half of a small L2

class Cutter {
 public:
  Cutter(const ConvProblem& c, const PointVector& vector, int vectors, PanelCopies copies,
         const PointLayout& in, const PointLayout& out)
      : c_(c),
        lanes_(vector.lanes),
        element_(vector.element),
        source_(vector.source),
        most_(vectors),
        unit_(in.images),
        per_vector_(lanes_ / unit_),
        points_(points_of(c)),
        x_{c.sw, c.dw + 1, c.pw},
        y_{c.sh, c.dh + 1, c.ph} {
    out_.in = in;
    out_.out = out;
    out_.copies = copies;
    // Of images side by side a run takes every second one at most.
    out_.step = unit_ == 1 ? c.sw : per_vector_ > 1 && c.sw == 2 ? 2 : 1;
    // Rows are counted with gaps between them: a row and the next share the zeros between them, points in the
    // gaps are summed and dropped. Rows that fill a tile, and blocks of the output, stand alone instead.
    gaps_ = copies == PanelCopies::one && element_ == 4 && is_flat(c) && out.block == points_ && c.oh > 1 &&
            c.ow < (unit_ > 1 ? 4 : 6 * lanes_);
    alone_ = copies == PanelCopies::one && !gaps_;
    pitch_ = c.ow;
    if (gaps_) widen_pitch();
    if (copies == PanelCopies::lines) pitch_ = 2 * c.ow <= lanes_ ? lanes_ / 2 : round_up(c.ow, lanes_);
    by_column_ = copies == PanelCopies::columns || copies == PanelCopies::lines;
    linear_ = by_column_ && c.sw == 1 && c.sh == 1 && pitch_ == c.iw;
  }

  Tiling cut() {
    if (out_.copies == PanelCopies::none) {
      whole_blocks();
      return std::move(out_);
    }
    for_each_tap([&](int64_t kd, int64_t kh, int64_t kw) { plane_of(kd, kh, kw); });
    struct Range {
      int64_t from, to;
    };
    std::vector<Range> ranges;
    // Positions, cut where the output is.
    const int64_t block = pitch_ == c_.ow ? out_.out.block : out_.out.block / c_.ow * pitch_;
    const int64_t length = (points_ / c_.ow - 1) * pitch_ + c_.ow;
    for (int64_t from = 0, next; from < length; from = next) {
      next = (from / block + 1) * block;
      if (alone_) next = std::min(next, (from / c_.ow + 1) * c_.ow);
      const int64_t to = std::min(next - (pitch_ - c_.ow), length);
      const int64_t all = ceil_div(to - from, per_vector_), count = ceil_div(all, most_);
      for (int64_t i = 0; i < count; ++i)
        ranges.push_back(
            {from + all * i / count * per_vector_, std::min(from + all * (i + 1) / count * per_vector_, to)});
      out_.vectors = std::max(out_.vectors, ceil_div(all, count));
    }
    // Down the rows where a row of tiles reads more than stays near until the next one reads it again.
    const int64_t row_bytes = source_ * c_.kd * c_.kh * c_.iw * c_.ic * unit_;
    if (alone_ && row_bytes > near_bytes) {
      std::stable_sort(ranges.begin(), ranges.end(),
                       [&](const Range& a, const Range& b) { return a.from % c_.ow < b.from % c_.ow; });
    }
    lay_out_panel();
    for (int64_t n = 0; n < c_.mb / unit_; ++n)
      for (const Range& r : ranges) add_tile(n, r.from, r.to);
    return std::move(out_);
  }

 private:
  template <typename F>
  void for_each_tap(F f) const {
    for (int64_t kd = 0; kd < c_.kd; ++kd)
      for (int64_t kh = 0; kh < c_.kh; ++kh)
        for (int64_t kw = 0; kw < c_.kw; ++kw) f(kd, kh, kw);
  }

  // A tap beyond the end of a row reads the zeros before the next.
  void widen_pitch() {
    int64_t high = 0;
    for (int64_t k = 0; k < c_.kw; ++k)
      low_ = std::min(low_, x_.shift(k)), high = std::max(high, x_.shift(k));
    pitch_ = c_.ow + high;
    for (int64_t k = 0; k < c_.kw; ++k) {
      const int64_t phase = x_.phase(k), extent = c_.iw > phase ? ceil_div(c_.iw - phase, c_.sw) : 0;
      pitch_ = std::max(pitch_, std::min(extent, c_.ow + high) - low_);
    }
  }

  // What a tap reads of its plane, in positions from the tile's first.
  int64_t offset(int64_t kh, int64_t kw) const {
    switch (out_.copies) {
      case PanelCopies::one:
        return x_.shift(kw) + (gaps_ ? y_.shift(kh) * pitch_ : 0);
      case PanelCopies::columns:
      case PanelCopies::lines:
        return y_.shift(kh) * pitch_;
      default:
        return 0;
    }
  }

  Plane& plane_of(int64_t kd, int64_t kh, int64_t kw) {
    const bool by_phase = gaps_ || by_column_;
    const int64_t row = by_phase ? y_.phase(kh) : kd * c_.kh + kh;
    const int64_t column = out_.copies == PanelCopies::one ? x_.phase(kw) : x_.at(kw);
    const int64_t at = offset(kh, kw);
    const auto [found, is_new] = plane_index_.try_emplace({row, column}, planes_.size());
    if (is_new) planes_.push_back({row, column, at, at, 0});
    Plane& p = planes_[found->second];
    p.low = std::min(p.low, at);
    p.high = std::max(p.high, at);
    return p;
  }

  void lay_out_panel() {
    int64_t at = 0;
    for (Plane& p : planes_) {
      p.base = at;
      at = round_up(at + (out_.vectors * per_vector_ + p.high - p.low) * unit_, lanes_);
    }
    // Runs are whole vectors: the last one may start off a vector's place.
    out_.ld_panel = at + (per_vector_ == 1 ? 0 : lanes_);
    // An odd number of lines: channels then share out the sets of a cache.
    if (element_ == 1) out_.ld_panel = round_up(out_.ld_panel, 128) + 64;
    for_each_tap([&](int64_t kd, int64_t kh, int64_t kw) {
      const Plane& p = plane_of(kd, kh, kw);
      out_.tap_offset.push_back(p.base + (offset(kh, kw) - p.low) * unit_);
    });
  }

  // The panel is the input.
  void whole_blocks() {
    const int64_t block = out_.in.block;
    out_.vectors = block / per_vector_;
    out_.ld_panel = block * unit_;
    out_.tap_offset = {0};
    TilePattern pattern;
    pattern.lanes = block * unit_;
    for (int64_t at = 0; at < pattern.lanes; at += 64 / element_) pattern.lines.push_back(at * source_);
    out_.patterns.push_back(pattern);
    for (int64_t n = 0; n < c_.mb / unit_; ++n)
      for (int64_t p = 0; p < points_; p += block)
        out_.tiles.push_back({out_.in.at(n, p, c_.ic, points_), out_.out.at(n, p, c_.oc, points_), 0});
  }

  // Positions [from, to), counted with gaps.
  void add_tile(int64_t n, int64_t from, int64_t to) {
    TilePattern pattern;
    int64_t first = from;
    if (pitch_ > c_.ow) {
      first = add_places(pattern, from, to);
    } else {
      pattern.lanes = (to - from) * unit_;
    }
    const int64_t d = first / (c_.oh * c_.ow) * c_.sd, h = first / c_.ow % c_.oh * c_.sh,
                  w = first % c_.ow * c_.sw;
    image_ = n;
    origin_ = out_.in.at(n, point_in(std::min(d, c_.id - 1), std::min(h, c_.ih - 1), std::min(w, c_.iw - 1)),
                         c_.ic, inputs_of(c_));
    for (const Plane& p : planes_) {
      if (linear_) {
        add_linear_runs(pattern, p, from + p.low, to + p.high, p.base);
        continue;
      }
      for (int64_t at = from + p.low; at < to + p.high;) {
        const int64_t y = alone_ ? from / c_.ow : floor_div(at - low_, pitch_);
        const int64_t stop = alone_ ? to + p.high : std::min((y + 1) * pitch_ + low_, to + p.high);
        add_runs(pattern, p, y, at - y * pitch_, stop - y * pitch_, p.base + (at - from - p.low) * unit_);
        at = stop;
      }
    }
    find_lines(pattern);
    out_.tiles.push_back({origin_, out_.out.at(n, first, c_.oc, points_), index_of(std::move(pattern))});
  }

  int64_t point_in(int64_t d, int64_t h, int64_t w) const { return (d * c_.ih + h) * c_.iw + w; }

  // Positions [begin, end) of row y of a plane, to element `to` of the panel.
  void add_runs(TilePattern& pattern, const Plane& p, int64_t y, int64_t begin, int64_t end, int64_t to) {
    int64_t d = 0, h = 0;
    if (gaps_ || by_column_) {
      h = y * c_.sh + p.row;
    } else {
      d = y / c_.oh * c_.sd + p.row / c_.kh * (c_.dd + 1) - c_.pd;
      h = y % c_.oh * c_.sh + y_.at(p.row % c_.kh);
    }
    // Positions whose input exists.
    int64_t low = end, high = begin;
    if (d >= 0 && d < c_.id && h >= 0 && h < c_.ih) {
      low = std::max(begin, -floor_div(p.column, c_.sw));
      high = std::min(end, floor_div(c_.iw - 1 - p.column, c_.sw) + 1);
    }
    const int64_t block = out_.in.block, step = unit_ * out_.step;
    for (int64_t at = begin, next; at < end; to += (next - at) * unit_, at = next) {
      next = std::min(at + per_vector_, end);
      cortex_sparse_run run{};
      run.to = to;
      const int64_t first = std::max(at, low);
      if (first < std::min(high, next)) {
        const int64_t point = point_in(d, h, first * c_.sw + p.column);
        // Those of the first one's block; images side by side make strides too long for a run.
        const int64_t stop =
            out_.step != c_.sw ? first + 1 : first + ceil_div((point / block + 1) * block - point, c_.sw);
        if (stop < std::min(high, next)) next = stop;
        run.from = out_.in.at(image_, point, c_.ic, inputs_of(c_)) - origin_ - (first - at) * step;
        set_lanes(run, (first - at) * unit_, (std::min(high, next) - at) * unit_);
      }
      run.count = (next - at) * unit_;
      pattern.runs.push_back(run);
    }
  }

  // Positions [begin, end), any number of rows: as the input's rows are as far apart as the output's, a run
  // goes on from one to the next, without what the window sees beside them.
  void add_linear_runs(TilePattern& pattern, const Plane& p, int64_t begin, int64_t end, int64_t to) {
    const int64_t block = out_.in.block;
    for (int64_t at = begin, next; at < end; to += (next - at) * unit_, at = next) {
      next = std::min(at + per_vector_, end);
      cortex_sparse_run run{};
      run.to = to;
      for (int64_t y = floor_div(at, pitch_); y * pitch_ < next; ++y) {
        if (y + p.row < 0 || y + p.row >= c_.ih) continue;
        const int64_t row = y * pitch_, low = std::max(at, row + std::max<int64_t>(0, -p.column));
        const int64_t high = std::min(row + std::min(pitch_, c_.iw - p.column), next);
        if (low >= high) continue;
        const int64_t skip = p.row * c_.iw + p.column;  // from a position to its point
        if (!run.low && !run.high) {
          run.from = out_.in.at(image_, low + skip, c_.ic, inputs_of(c_)) - origin_ - (low - at) * unit_;
          next = std::min(next, ((low + skip) / block + 1) * block - skip);  // what is in the same block
        }
        set_lanes(run, (low - at) * unit_, (std::min(high, next) - at) * unit_);
      }
      run.count = (next - at) * unit_;
      pattern.runs.push_back(run);
    }
  }

  void set_lanes(cortex_sparse_run& run, int64_t from, int64_t to) const {
    for (int64_t i = from; i < to; ++i) {
      const int64_t bit = out_.step == 2 ? i / unit_ * 2 * unit_ + i % unit_ : i;
      (bit < lanes_ ? run.low : run.high) |= uint64_t{1} << (bit % lanes_);
    }
  }

  // Where positions [from, to) go; returns the first point of the tile.
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
    pattern.lanes = (to - from) * unit_;
    return std::max<int64_t>(first, 0);
  }

  // Lines that the tile before did not read, as if element 0 began one.
  void find_lines(TilePattern& pattern) {
    const int64_t line = 64 / source_;
    std::vector<int64_t> all;
    for (const cortex_sparse_run& run : pattern.runs) {
      if (!run.low && !run.high) continue;
      // Images stand together, one point's beside the next one's or with a point between them.
      const int64_t lane = run.count - 1, first = origin_ + run.from,
                    last =
                        first + (unit_ > 1 ? lane / unit_ * unit_ * out_.step + lane % unit_ : lane * c_.sw);
      for (int64_t at = floor_div(first, line); at <= floor_div(last, line); ++at) all.push_back(at * line);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    pattern.line_count = static_cast<int64_t>(all.size());
    for (const int64_t at : all) {
      if (!std::binary_search(before_.begin(), before_.end(), at))
        pattern.lines.push_back((at - origin_) * source_);
    }
    before_ = std::move(all);
  }

  int32_t index_of(TilePattern pattern) {
    std::string key;
    const auto add = [&](const void* data, std::size_t bytes) {
      key.append(static_cast<const char*>(data), bytes);
    };
    add(pattern.runs.data(), pattern.runs.size() * sizeof(cortex_sparse_run));
    add(pattern.places.data(), pattern.places.size() * sizeof(cortex_sparse_place));
    add(pattern.lines.data(), pattern.lines.size() * sizeof(int64_t));
    add(&pattern.lanes, sizeof pattern.lanes);
    add(&pattern.line_count, sizeof pattern.line_count);
    const auto [it, is_new] = index_.try_emplace(std::move(key), static_cast<int32_t>(out_.patterns.size()));
    if (is_new) out_.patterns.push_back(std::move(pattern));
    return it->second;
  }

  const ConvProblem& c_;
  const int64_t lanes_, element_, source_, most_, unit_, per_vector_,
      points_;  // elements of a point; points of a vector
  const Axis x_, y_;
  bool gaps_ = false, alone_ = false, by_column_ = false;
  bool linear_ = false;          // positions and their input are equally far apart
  int64_t pitch_ = 0, low_ = 0;  // positions from row to row; the first of a row
  int64_t image_ = 0, origin_ = 0;
  std::vector<Plane> planes_;
  std::map<std::pair<int64_t, int64_t>, std::size_t> plane_index_;  // by row and column
  std::vector<int64_t> before_;                                     // lines of the tile before
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

bool can_tile(const ConvProblem& c, const PointVector& vector, int vectors, PanelCopies copies,
              const PointLayout& in, const PointLayout& out) {
  const int lanes = vector.lanes;
  switch (copies) {
    case PanelCopies::none:
      return is_pointwise(c) && vector.source == vector.element && in.block == out.block &&
             in.block * in.images % lanes == 0 && in.block * in.images <= int64_t{lanes} * vectors;
    case PanelCopies::one:
      return true;
    case PanelCopies::columns:
      return is_flat(c);
    case PanelCopies::lines:
      return vector.element == 4 && is_flat(c) && in.images == 1 && c.ow % (lanes / 2) != 0 &&
             out.block % c.ow == 0;
    case PanelCopies::taps:
      return c.kd * c.kh * c.kw > 1;
  }
  return false;
}

Tiling cut_tiles(const ConvProblem& conv, const PointVector& vector, int vectors, PanelCopies copies,
                 const PointLayout& in, const PointLayout& out) {
  return Cutter(conv, vector, vectors, copies, in, out).cut();
}

}  // namespace cortex
