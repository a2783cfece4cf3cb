// The walk itself: what stands between two microkernel calls.
#include "runtime/interpreter/interpreter.h"

#include <algorithm>

#include "support/built_isas.h"

namespace cortex {
namespace {

// Ends a series of calls of kernels with `tiles`, of which there are none where this is null.
constexpr void (*release_tiles)(cortex_tiles*) = CORTEX_WHERE_BUILT(amx, cortex_tiles_release_amx);

}  // namespace

// The state of one execution on one thread, on its stack.
class Walk {
 public:
  Walk(const Interpreter& code, const cortex_kernel_call& call) : code_(code), call_(call) {
    for (int d = 0; d < code.dims_; ++d) {
      low_[d] = 0;
      length_[d] = code.extent_[d];
    }
    if (code.brgemm_) {
      args_ = code.args_;
    } else {
      window_ = code.window_args_;
    }
    residual_ = static_cast<const char*>(call.residual);
    channels_ = call.bias    ? reinterpret_cast<const char*>(call.bias)
                : call.scale ? reinterpret_cast<const char*>(call.scale)
                             : reinterpret_cast<const char*>(call.compensation);
  }

  void run() {
    Cursor at{static_cast<const char*>(call_.a) + code_.base_[0],
              static_cast<const char*>(call_.b) + code_.base_[1],
              static_cast<char*>(call_.c) + code_.base_[2], channels_};
    pack(0, at);
    if (!code_.tiles_) return open(0, at, true, true);
    cortex_tiles tiles;
    tiles.configured = tiles.unfinished = 0;
    args_.tiles = &tiles;
    open(0, at, true, true);
    release_tiles(&tiles);
  }

 private:
  using Loop = Interpreter::Loop;
  using Stride = Interpreter::Stride;

  // This thread's tiles of a loop whose range is not the usual one, or which is divided among threads.
  [[gnu::noinline]] TileShare own_share(const Loop& loop) const {
    const std::array<TileRun, 2> runs = tile_runs(length_[loop.dim], loop.step, loop.balanced);
    if (loop.parallel < 0) return tile_share(runs, 1, 0);
    return tile_share(runs, call_.grid[loop.parallel], call_.coord[loop.parallel]);
  }

  static void advance(Cursor& at, const Stride& by) {
    at.a += by.a;
    at.b += by.b;
    at.c += by.c;
    at.bias += by.bias;
  }

  static Stride step_of(int64_t size, const Loop& loop) {
    return {size * loop.stride.a, size * loop.stride.b, size * loop.stride.c, size * loop.stride.bias};
  }

  static Cursor move(const Loop& loop, const Cursor& at, int64_t by) {
    const Stride& s = loop.stride;
    return {at.a + by * s.a, at.b + by * s.b, at.c + by * s.c, at.bias + by * s.bias};
  }

  // first, last: whether the tile so far holds the beginning and the end of every reduction.
  [[gnu::noinline]] void open(std::size_t depth, const Cursor& at, bool first, bool last) {
    if (depth == code_.asks_from_) {
      for (const ProgramPrefetch::Along& along : code_.prefetch_.along)
        visit_low_[along.dim] = low_[along.dim];
    }
    if (depth == code_.loops_.size()) return call_kernel(at, first, last);
    const Loop& loop = code_.loops_[depth];
    TileShare own;
    const TileShare* s = &loop.usual_share;
    if (length_[loop.dim] != loop.usual_length || (loop.parallel >= 0 && call_.grid[loop.parallel] != 1)) {
      own = own_share(loop);
      s = &own;
    }
    if (code_.fast_last_loop_ && depth + 1 == code_.loops_.size())
      return last_loop(loop, *s, at, first, last);

    const int64_t low = low_[loop.dim], length = length_[loop.dim];
    for (const auto& part : s->part) {
      int64_t offset = part.offset;
      length_[loop.dim] = part.size;
      for (int64_t t = part.begin; t < part.end; ++t, offset += part.size) {
        low_[loop.dim] = low + offset;
        Cursor inner = move(loop, at, offset);
        inner.c += t * loop.part_bytes;
        pack(depth + 1, inner);
        open(depth + 1, inner, first && (!loop.reduction || t == 0),
             last && (!loop.reduction || t == s->last));
      }
    }
    low_[loop.dim] = low;
    length_[loop.dim] = length;
  }

  // The innermost loop around a BRGEMM call: all arguments stay but pointers and the size of its own dim.
  [[gnu::noinline]] void last_loop(const Loop& loop, const TileShare& s, const Cursor& from, bool first,
                                   bool last) {
    set_sizes();
    for (const auto& part : s.part) {
      if (part.begin >= part.end) continue;
      switch (code_.last_role_) {
        case Interpreter::Role::none:
          break;
        case Interpreter::Role::m:
          set_rows(part.size);
          break;
        case Interpreter::Role::n:
          args_.n = part.size;
          break;
        case Interpreter::Role::k:
          args_.k = part.size;
          break;
        case Interpreter::Role::rows:
          args_.bands = part.size;
          break;
      }
      if (loop.dim == code_.a_ahead_.dim) set_a_ahead(part.size);
      Cursor at = move(loop, from, part.offset);
      const bool slides = code_.row_clip_.dim >= 0 && loop.dim == code_.m_;
      if (slides) set_window(low_[loop.dim] + part.offset);
      const int64_t slide = slides ? part.size * code_.row_clip_.step : 0;
      if (code_.prefetch_.rows_per_unit) {
        const char* b = (code_.prefetch_.source ? source_b_ : from.b) + code_.prefetch_.ahead;
        RowsAhead rows = rows_ahead(part.offset, part.size);
        for (int64_t t = part.begin; t < part.end; ++t, rows.first += rows.count) {
          set_tile(args_, at, first, last);
          ask_for(rows, b);
          call_brgemm(at);
          advance(at, step_of(part.size, loop));
          args_.window.at += slide;
        }
        continue;
      }
      const Stride step = step_of(part.size, loop);
      if (loop.reduction || (last && (channels_ || residual_))) {
        for (int64_t t = part.begin; t < part.end; ++t) {
          set_tile(args_, at, first && (!loop.reduction || t == 0), last && (!loop.reduction || t == s.last));
          call_brgemm(at);
          advance(at, step);
          args_.window.at += slide;
        }
      } else {
        set_tile(args_, at, first, last);
        for (int64_t t = part.begin; t < part.end; ++t) {
          call_brgemm(at);
          advance(at, step);
          args_.window.at += slide;
        }
      }
    }
  }

  // Of the next B: a call's share.
  struct RowsAhead {
    int64_t first, count;
  };

  // That of the last loop's tile of `size` units at `offset`; the following tiles' shares follow it.
  RowsAhead rows_ahead(int64_t offset, int64_t size) const {
    const ProgramPrefetch& ahead = code_.prefetch_;
    int64_t row = 0, per_unit = ahead.rows_per_unit;
    for (std::size_t i = 0; i < ahead.along.size(); ++i) {
      const ProgramPrefetch::Along& along = ahead.along[i];
      const bool last = i + 1 == ahead.along.size();
      row += (low_[along.dim] - visit_low_[along.dim] + (last ? offset : 0)) * along.inside * per_unit;
      if (!last) per_unit *= length_[along.dim];
    }
    return {row, size * per_unit};
  }

  void ask_for(const RowsAhead& rows, const char* b) {
    const ProgramPrefetch& ahead = code_.prefetch_;
    int64_t row = rows.first, left = ahead.rows - row;
    if (ahead.tap_rows > 0) {
      const int64_t tap = row / ahead.tap_rows;
      b += tap * ahead.tap_stride;
      row -= tap * ahead.tap_rows;
      left = std::min(left, ahead.tap_rows - row);
    }
    args_.next = b + row * ahead.ld;
    args_.next_rows = std::min(rows.count, left);
  }

  void call_brgemm(const Cursor& at) {
    args_.a = at.a + skip_a_;
    args_.b = at.b + skip_b_;
    args_.c = at.c;
    code_.brgemm_(&args_);
  }

  void call_kernel(const Cursor& at, bool first, bool last) {
    if (!code_.brgemm_) return call_window(at);
    set_sizes();
    set_tile(args_, at, first, last);
    if (code_.prefetch_.rows_per_unit) {
      const char* b = (code_.prefetch_.source ? source_b_ : at.b) + code_.prefetch_.ahead;
      ask_for(rows_ahead(0, length_[code_.prefetch_.along.back().dim]), b);
    }
    call_brgemm(at);
  }

  [[gnu::noinline]] void call_window(const Cursor& at) {
    const Window& w = code_.window_;
    const auto start = [&](const WindowAxis& axis) {
      return (axis.out_dim < 0 ? 0 : low_[axis.out_dim] * axis.stride) - axis.pad;
    };
    window_.d0 = start(w.d);
    window_.h0 = start(w.h);
    window_.w0 = start(w.w);
    if (code_.n_ >= 0) window_.channels = length_[code_.n_];
    if (code_.m_ >= 0) window_.outputs = length_[code_.m_];
    if (code_.rows_ >= 0) window_.rows = length_[code_.rows_];
    set_tile(window_, at, true, true);
    window_.input = at.a;
    window_.weights = at.b;
    window_.output = at.c;
    code_.dwconv_(&window_);
  }

  template <typename Args>
  void set_tile(Args& args, const Cursor& at, bool first, bool last) {
    uint32_t flags = first ? 0u : static_cast<uint32_t>(CORTEX_TILE_ACCUMULATE);
    if (last && code_.epilogue_) {
      flags |= static_cast<uint32_t>(CORTEX_TILE_EPILOGUE);
      if (channels_) {
        const int64_t channel = (at.bias - channels_) / 4;
        if (call_.bias) args.epilogue.bias_n = call_.bias + channel;
        if (call_.scale) args.epilogue.scale_n = call_.scale + channel;
        if (call_.compensation) args.epilogue.compensation_n = call_.compensation + channel;
      }
      if (residual_) args.epilogue.residual = residual_ + (at.c - static_cast<char*>(call_.c));
    }
    args.flags = flags;
  }

  void set_rows(int64_t rows) {
    args_.m = rows;
    if (code_.tile_rows_ > 0) args_.bands = ceil_div(rows, code_.tile_rows_);
  }

  // The dim of `length` that A moves along is m where the kernel walks rows: then from tile to tile.
  void set_a_ahead(int64_t length) {
    const bool walked = code_.tile_rows_ > 0 && code_.a_ahead_.dim == code_.m_;
    args_.a_ahead = (walked ? code_.tile_rows_ : length) * code_.a_ahead_.stride;
  }

  void set_sizes() {
    if (code_.m_ >= 0) set_rows(length_[code_.m_]);
    if (code_.n_ >= 0) args_.n = length_[code_.n_];
    if (code_.k_ >= 0) args_.k = length_[code_.k_];
    if (code_.rows_ >= 0) args_.bands = length_[code_.rows_];
    if (code_.a_ahead_.dim >= 0) set_a_ahead(length_[code_.a_ahead_.dim]);
    int64_t batch = 1;
    for (const int dim : code_.batch_dims_) batch *= length_[dim];
    args_.batch = batch;
    if (!code_.clips_.empty()) skip_padding();
    if (code_.row_clip_.dim >= 0) {
      args_.window.taps = length_[code_.row_clip_.dim];
      set_window(low_[code_.m_]);
    }
    if (code_.batch_dims_.empty()) return;
    for (const Interpreter::BatchTable& table : code_.batch_tables_) {
      bool same = true;
      for (std::size_t i = 0; i < table.inner_lengths.size(); ++i) {
        same = same && table.inner_lengths[i] == length_[code_.batch_dims_[i + 1]];
      }
      if (!same) continue;
      args_.a_offsets = table.a.data();
      args_.b_offsets = table.b.data();
      return;
    }
  }

  // The rows start at `row` of the whole output (see ProgramRowClip).
  void set_window(int64_t row) { args_.window.at = code_.row_clip_.at(row, low_[code_.row_clip_.dim]); }

  // Leaves out the taps at either end of a range that read only padding (see ProgramClip).
  void skip_padding() {
    skip_a_ = skip_b_ = 0;
    for (const ProgramClip& clip : code_.clips_) {
      const int64_t low = low_[clip.dim], length = length_[clip.dim];
      const int64_t out = clip.out_dim < 0 ? 0 : low_[clip.out_dim];
      const int64_t first = std::max(low, clip.first(out));
      const int64_t left = std::max<int64_t>(0, std::min(low + length, clip.last(out)) - first);
      skip_a_ += (first - low) * clip.a_stride;
      skip_b_ += (first - low) * clip.b_stride;
      if (clip.dim == code_.k_) {
        args_.k = left;
      } else {
        args_.batch = args_.batch / length * left;
      }
    }
  }

  void pack(std::size_t depth, Cursor& at) {
    if (!code_.packs_[depth].empty()) run_packs(depth, at);
  }

  [[gnu::noinline]] void run_packs(std::size_t depth, Cursor& at) {
    for (const Interpreter::Pack& pack : code_.packs_[depth]) {
      int64_t origin[CORTEX_PACK_MAX_RANK], box[CORTEX_PACK_MAX_RANK];
      for (int j = 0; j < pack.desc.rank; ++j) {
        origin[j] = pack.constant[j];
        box[j] = 1;
      }
      for (const Interpreter::Term& term : pack.terms) {
        origin[term.axis] += term.coeff * low_[term.dim];
        box[term.axis] += term.coeff * (length_[term.dim] - 1);
      }
      char* to = static_cast<char*>(call_.scratch) + pack.scratch_offset;
      const bool is_a = pack.operand == Operand::a;
      code_.pack_(&pack.desc, is_a ? call_.a : call_.b, to, origin, box);
      (is_a ? at.a : at.b) = to;
      if (is_a) continue;
      source_b_ = static_cast<const char*>(call_.b);
      for (int j = 0; j < pack.desc.rank; ++j) source_b_ += origin[j] * pack.desc.src_stride[j];
    }
  }

  const Interpreter& code_;
  const cortex_kernel_call& call_;
  const char* residual_;
  const char* channels_;  // what has a value per output channel: the first of bias, scale and compensation
  const char* source_b_ = nullptr;  // what the copy of B was made from
  int64_t low_[max_dims], length_[max_dims];
  int64_t visit_low_[max_dims];      // where what asks for the next B began (see ProgramPrefetch)
  int64_t skip_a_ = 0, skip_b_ = 0;  // bytes from the tile's first tap to the first that counts
  union {
    cortex_brgemm_args args_;
    cortex_dwconv_args window_;
  };
};

void Interpreter::run(const cortex_kernel_call& call) const { Walk(*this, call).run(); }

}  // namespace cortex
