// The packed weights: values, offsets and counts of every list.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/sparse/kernel.h"
#include "support/checked.h"

namespace cortex {
namespace {

// Writes lists one after the other.
class ListWriter {
 public:
  ListWriter(const SparseKernel& k, const WeightsView& weights, char* out)
      : k_(k),
        weights_(weights),
        value_(out),
        offset_(reinterpret_cast<uint32_t*>(out + k.offsets_at)),
        count_(reinterpret_cast<int32_t*>(out + k.counts_at)) {}

  void write(int64_t block, int64_t g) {
    const RowGroup& group = k_.groups[static_cast<std::size_t>(g)];
    const int rows = k_.spans[g < k_.spans[0].count ? 0 : 1].sharing.rows;
    const auto from = static_cast<std::size_t>(k_.block_channels[static_cast<std::size_t>(block)]);
    const auto to = static_cast<std::size_t>(k_.block_channels[static_cast<std::size_t>(block) + 1]);
    const int64_t taps = weights_.taps;
    const int64_t first = k_.channels.empty() ? 0 : k_.channels[from] * taps;
    const int64_t end = to < k_.channels.size() ? k_.channels[to] * taps : weights_.channels * taps;
    const auto begin = std::lower_bound(group.columns.begin(), group.columns.end(), first);
    const auto stop = std::lower_bound(begin, group.columns.end(), end);
    const std::vector<std::size_t> order =
        list_order(group, static_cast<std::size_t>(begin - group.columns.begin()),
                   static_cast<std::size_t>(stop - group.columns.begin()));
    for (const std::size_t i : order) write_offset(group.columns[i], from, to);
    if (group.kept_by.empty()) {
      write_columns(group, order, rows);
    } else {
      write_patterns(group, order);
    }
  }

  int64_t nonzero() const { return nonzero_; }  // of the weights that lists have

 private:
  void write_offset(int64_t column, std::size_t from, std::size_t to) {
    const auto begin = k_.channels.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = k_.channels.begin() + static_cast<std::ptrdiff_t>(to);
    const int64_t channel = column / weights_.taps, tap = column % weights_.taps;
    const int64_t index = k_.tiling.copies == PanelCopies::none
                              ? channel
                              : std::lower_bound(begin, end, static_cast<int32_t>(channel)) - begin;
    *offset_++ = static_cast<uint32_t>(
        index * k_.ld_panel() + k_.vector.element * k_.tiling.tap_offset[static_cast<std::size_t>(tap)]);
  }

  float weight(int64_t row, int64_t column) {
    const float w = weights_.at(row, column / weights_.taps, column % weights_.taps);
    nonzero_ += w != 0.0f;
    return w;
  }

  // What fills up the last four, or pair, reads the last column.
  void write_columns(const RowGroup& group, const std::vector<std::size_t>& order, int rows) {
    const auto kept = static_cast<int64_t>(order.size()), all = round_up(kept, int64_t{k_.columns});
    for (int64_t i = kept; i < all; ++i, ++offset_) offset_[0] = offset_[-1];
    for (int64_t i = 0; i < all; ++i) {
      for (int64_t r = 0; r < rows; ++r) {
        const float w =
            i < kept ? weight(group.row + r, group.columns[order[static_cast<std::size_t>(i)]]) : 0;
        put(w, (i / k_.columns * rows + r) * k_.columns + i % k_.columns);
      }
    }
    value_ += all * rows * k_.vector.element;
    *count_++ = static_cast<int32_t>(all / k_.columns);
  }

  void write_patterns(const RowGroup& group, const std::vector<std::size_t>& order) {
    uint32_t word = 0;
    for (const std::size_t i : order) {
      const unsigned kept_by = group.kept_by[i];
      if (word && (word & 15) != kept_by) *count_++ = static_cast<int32_t>(word), word = 0;
      word = ((word >> 4) + 1) << 4 | kept_by;
      for (int r = 0; r < 4; ++r) {
        if (!(kept_by >> r & 1)) continue;
        put(weight(group.row + r, group.columns[i]), 0);
        value_ += k_.vector.element;
      }
    }
    if (word) *count_++ = static_cast<int32_t>(word);
    *count_++ = 0;
  }

  void put(float weight, int64_t at) {
    char* const to = value_ + k_.vector.element * at;
    if (k_.vector.element == 1) {
      *to = static_cast<char>(static_cast<int8_t>(weight));
    } else if (k_.vector.element == 2) {
      const auto half = static_cast<uint16_t>(std::bit_cast<uint32_t>(weight) >> 16);
      std::memcpy(to, &half, 2);
    } else {
      std::memcpy(to, &weight, 4);
    }
  }

  const SparseKernel& k_;
  const WeightsView& weights_;
  char* value_;
  uint32_t* offset_;
  int32_t* count_;
  int64_t nonzero_ = 0;
};

}  // namespace

Status pack_sparse(const SparseKernel& k, const WeightsView& weights, void* packed) {
  char* const out = static_cast<char*>(packed);
  ListWriter writer(k, weights, out);
  for (int64_t b = 0; b < k.blocks(); ++b)
    for (int64_t g = 0; g < k.group_count(); ++g) writer.write(b, g);
  int64_t all = 0;
  for (int64_t r = 0; r < weights.rows; ++r) {
    for (int64_t c = 0; c < weights.channels; ++c)
      for (int64_t tap = 0; tap < weights.taps; ++tap) all += weights.at(r, c, tap) != 0.0f;
  }
  if (k.zero) take_back_zero(k.zero, weights, reinterpret_cast<int32_t*>(out + k.compensation_at));
  if (all == writer.nonzero()) return Status::success();
  return invalid_argument(
      fmt::format("pack_weights: {} weights are not zero where those of the plan's sparse_weights are: make "
                  "a plan for these weights",
                  all - writer.nonzero()));
}

}  // namespace cortex
