// A task's share of the work.
#include <algorithm>

#include "runtime/sparse/kernel.h"
#include "support/checked.h"

namespace cortex {
namespace {

class Run {
 public:
  Run(const SparseKernel& kernel, const SparseCall& call, void* scratch)
      : k_(kernel),
        call_(call),
        panel_(static_cast<char*>(scratch)),
        sums_(panel_ + k_.sums_at),
        pieces_(reinterpret_cast<cortex_sparse_piece*>(panel_ + k_.pieces_at)),
        first_piece_(reinterpret_cast<int32_t*>(panel_ + k_.first_piece_at)),
        points_(points_of(k_.conv)) {}

  // Groups [from, to) of one tile; `next` is the one after it.
  void tile(const PointTile& tile, int64_t from, int64_t to, const PointTile& next) {
    const int64_t vectors = ceil_div(tile.count, k_.lanes), blocks = k_.blocks();
    const bool across = tile.first / points_ != (tile.first + tile.count - 1) / points_;
    single_ = cut_pieces(k_.conv, tile, k_.lanes, vectors, pieces_, first_piece_);
    for (int64_t b = 0; b < blocks; ++b) {
      gather(b, vectors);
      const bool last = b + 1 == blocks;
      Ahead ahead(*this, last ? 0 : b + 1, last ? next : tile);
      for (const GroupSpan& span : k_.spans) {
        const int64_t begin = std::max(from, span.first), end = std::min(to, span.first + span.count);
        // In eight steps, between which the inputs of the next block are asked for.
        for (int64_t step = 0; begin < end && step < 8; ++step) {
          const int64_t g = begin + (end - begin) * step / 8, stop = begin + (end - begin) * (step + 1) / 8;
          if (span.share == k_.share) ahead.ask(step + 1);
          if (g == stop) continue;
          cortex_sparse_args x = lists(b, g, stop - g);
          const int64_t row = span.row + (g - span.first) * span.share;
          x.n = tile.count;
          if (b > 0) sums_at(x, row, 0);
          if (last && !across) {
            finish_at(x, row, tile.first);
          } else {
            x.c = sums_ + row * k_.ld_panel();
            x.ldc = k_.ld_panel();
          }
          (span.share == 1 ? k_.rows_single : k_.rows_shared)(&x);
        }
      }
    }
    if (across) finish_by_image(tile, from, to);
  }

 private:
  // Brings the inputs of a block to L2 while another is summed: rows of a channel are too short, and channels
  // too far apart, for the CPU to see what comes next.
  class Ahead {
   public:
    Ahead(const Run& run, int64_t block, const PointTile& tile)
        : run_(run), span_(input_span(run.k_.conv, tile)) {
      const auto& starts = run.k_.block_columns;
      first_ = at_ = starts[static_cast<std::size_t>(block)];
      end_ = starts[static_cast<std::size_t>(block) + 1];
    }
    // Up to `step` eighths of it.
    void ask(int64_t step) {
      const int64_t stop = first_ + (end_ - first_) * step / 8;
      const ConvProblem& c = run_.k_.conv;
      for (; at_ < stop; ++at_) {
        const int32_t channel = run_.k_.columns[static_cast<std::size_t>(at_)].channel;
        if (channel == channel_) continue;
        channel_ = channel;
        const float* from = run_.call_.src + channel * c.id * c.ih * c.iw + span_.from;
        const float* const to = from + (span_.to - span_.from);
        for (; from < to; from += 16) __builtin_prefetch(from, 0, 2);
        __builtin_prefetch(to - 1, 0, 2);
      }
    }

   private:
    const Run& run_;
    InputSpan span_;
    int64_t first_, at_, end_;
    int32_t channel_ = -1;
  };

  void gather(int64_t block, int64_t vectors) const {
    const int64_t first = k_.block_columns[static_cast<std::size_t>(block)];
    cortex_sparse_gather_args x{};
    x.src = call_.src;
    x.ld_channel = 4 * k_.conv.id * k_.conv.ih * k_.conv.iw;
    x.columns = k_.columns.data() + first;
    x.count = k_.block_columns[static_cast<std::size_t>(block) + 1] - first;
    x.pieces = pieces_;
    x.first_piece = single_ ? nullptr : first_piece_;
    x.vectors = vectors;
    x.step = k_.conv.sw;
    x.panel = panel_;
    x.ld_panel = k_.ld_panel();
    k_.gather(&x);
  }

  cortex_sparse_args lists(int64_t block, int64_t group, int64_t groups) const {
    const auto at = static_cast<std::size_t>(block * (k_.group_count() + 1) + group);
    cortex_sparse_args x{};
    x.panel = panel_;
    x.offsets = reinterpret_cast<const uint16_t*>(call_.packed + k_.offsets_at) + k_.offset_start[at];
    x.values = reinterpret_cast<const float*>(call_.packed) + k_.value_start[at];
    x.counts =
        reinterpret_cast<const int32_t*>(call_.packed + k_.counts_at) + block * k_.group_count() + group;
    x.groups = groups;
    return x;
  }

  void sums_at(cortex_sparse_args& x, int64_t row, int64_t point) const {
    x.sums = sums_ + row * k_.ld_panel() + 4 * point;
    x.ld_sums = k_.ld_panel();
  }

  void finish_at(cortex_sparse_args& x, int64_t row, int64_t point) const {
    const int64_t at = (point / points_ * k_.conv.oc + row) * points_ + point % points_;
    x.c = call_.dst + at;
    x.ldc = 4 * points_;
    x.flags = CORTEX_TILE_EPILOGUE;
    x.epilogue = k_.epilogue;
    if (call_.bias) x.epilogue.bias_m = call_.bias + row;
    if (call_.residual) x.epilogue.residual = call_.residual + at;
    x.epilogue.ld_residual = x.ldc;
  }

  // Sums of a tile that reaches over several images, image by image.
  void finish_by_image(const PointTile& tile, int64_t from, int64_t to) const {
    const int64_t row = k_.groups[static_cast<std::size_t>(from)].row;
    const int64_t end = to == k_.group_count() ? k_.conv.oc : k_.groups[static_cast<std::size_t>(to)].row;
    for (int64_t at = 0, count; at < tile.count; at += count) {
      const int64_t point = tile.first + at;
      count = std::min(points_ - point % points_, tile.count - at);
      cortex_sparse_args x{};
      x.panel = panel_;
      x.counts = k_.no_columns.data();
      x.groups = end - row;
      x.n = count;
      sums_at(x, row, at);
      finish_at(x, row, point);
      k_.rows_single(&x);
    }
  }

  const SparseKernel& k_;
  const SparseCall& call_;
  char *panel_, *sums_;
  cortex_sparse_piece* pieces_;
  int32_t* first_piece_;
  int64_t points_;
  bool single_ = false;  // every vector of the tile has one piece
};

}  // namespace

void run_sparse(const SparseKernel& k, const SparseCall& call, void* scratch, int task, int tasks) {
  Run run(k, call, scratch);
  const int64_t items = static_cast<int64_t>(k.tiles.size()) * k.row_parts, groups = k.group_count();
  for (int64_t i = items * task / tasks; i < items * (task + 1) / tasks; ++i) {
    const int64_t part = i % k.row_parts;
    const auto tile = static_cast<std::size_t>(i / k.row_parts);
    run.tile(k.tiles[tile], groups * part / k.row_parts, groups * (part + 1) / k.row_parts,
             k.tiles[std::min(tile + 1, k.tiles.size() - 1)]);
  }
}

}  // namespace cortex
