#include "runtime/sparse/kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "graph/lower/lower.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"
#include "runtime/epilogue.h"
#include "runtime/sparse/choose.h"
#include "support/checked.h"

namespace cortex {
namespace {

struct Functions {
  Isa isa;
  cortex_sparse_fn rows[3];  // of 1, 2, 4
  cortex_sparse_gather_fn gather;
  int lanes;    // of f32
  int element;  // of a panel, bytes
};
#define CORTEX_FUNCTIONS(isa, rows, gather, lanes, element)                                    \
  {                                                                                            \
    isa, {cortex_sparse_rows1_##rows, cortex_sparse_rows2_##rows, cortex_sparse_rows4_##rows}, \
        cortex_sparse_gather_##gather, lanes, element                                          \
  }
constexpr int wide = CORTEX_SPARSE_LANES_AVX512, medium = CORTEX_SPARSE_LANES_AVX2,
              narrow = CORTEX_SPARSE_LANES_BASELINE;
constexpr Functions of_f32[] = {CORTEX_FUNCTIONS(Isa::avx512, avx512, avx512, wide, 4),
                                CORTEX_FUNCTIONS(Isa::avx2, avx2, avx2, medium, 4),
                                CORTEX_FUNCTIONS(Isa::baseline, baseline, baseline, narrow, 4)};
// Products of pairs, or f32 made of bf16 when panels are filled.
constexpr Functions of_bf16_pairs =
    CORTEX_FUNCTIONS(Isa::avx512bf16, bf16_avx512bf16, bf16_avx512bf16, wide, 2);
constexpr Functions of_bf16[] = {CORTEX_FUNCTIONS(Isa::avx512, avx512, bf16_f32_avx512, wide, 4),
                                 CORTEX_FUNCTIONS(Isa::avx2, avx2, bf16_f32_avx2, medium, 4),
                                 CORTEX_FUNCTIONS(Isa::baseline, baseline, bf16_f32_baseline, narrow, 4)};
constexpr Functions of_bytes[] = {
    CORTEX_FUNCTIONS(Isa::avx512vnni, u8s8_avx512vnni, u8s8_avx512vnni, wide, 1),
    CORTEX_FUNCTIONS(Isa::avx512, u8s8_avx512, u8s8_avx512, wide, 1),
    CORTEX_FUNCTIONS(Isa::avx2vnni, u8s8_avx2vnni, u8s8_avx2vnni, medium, 1),
    CORTEX_FUNCTIONS(Isa::avx2, u8s8_avx2, u8s8_avx2, medium, 1),
    CORTEX_FUNCTIONS(Isa::baseline, u8s8_baseline, u8s8_baseline, narrow, 1)};
#undef CORTEX_FUNCTIONS

// The best that the level runs.
const Functions& functions_of(Isa level, DataType src, const Machine& machine) {
  const auto best = [&](std::span<const Functions> all) -> const Functions& {
    return *std::find_if(all.begin(), all.end() - 1, [&](const Functions& f) { return runs(level, f.isa); });
  };
  if (src == DataType::f32) return best(of_f32);
  if (src != DataType::bf16) return best(of_bytes);
  const bool pairs_pay = 2 * machine.bf16_dots_per_cycle > machine.fma_per_cycle;
  return pairs_pay && runs(level, of_bf16_pairs.isa) ? of_bf16_pairs : best(of_bf16);
}

// Offsets and values of every group by block.
void place_lists(SparseKernel& k, int64_t channel_count) {
  const int64_t taps = k.conv.kd * k.conv.kh * k.conv.kw, blocks = k.blocks();
  const auto count = static_cast<int64_t>(k.channels.size());
  std::vector<std::size_t> cursor(k.groups.size(), 0);
  int64_t offset = 0, value = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t end = k.block_channels[static_cast<std::size_t>(b) + 1];
    const int64_t behind = end == count ? channel_count : k.channels[static_cast<std::size_t>(end)];
    for (std::size_t g = 0; g < k.groups.size(); ++g) {
      k.offset_start.push_back(offset);
      k.value_start.push_back(value);
      const std::vector<int32_t>& columns = k.groups[g].columns;
      int64_t here = 0;
      while (cursor[g] < columns.size() && columns[cursor[g]] < behind * taps) ++cursor[g], ++here;
      here = round_up(here, int64_t{k.columns});
      offset += here;
      const GroupSpan& span = k.spans[static_cast<int64_t>(g) < k.spans[0].count ? 0 : 1];
      value += here * span.share * k.vector.element;
    }
    k.offset_start.push_back(offset);
    k.value_start.push_back(value);
  }
  k.offsets_at = value;
  k.counts_at = k.offsets_at + 4 * offset;
  k.compensation_at = k.counts_at + 4 * blocks * k.group_count();
  k.packed_bytes = k.compensation_at + (k.zero ? 4 * k.conv.oc : 0);
  k.multiply_adds = value / k.vector.element * points_of(k.conv) * k.conv.mb;
}

void place_scratch(SparseKernel& k) {
  int64_t channels = 0;
  for (std::size_t b = 0; b + 1 < k.block_channels.size(); ++b)
    channels = std::max(channels, k.block_channels[b + 1] - k.block_channels[b]);
  k.sums_at = k.tiling.copies == PanelCopies::none
                  ? 0
                  : round_up(channels * k.ld_panel() + k.vector.element * k.vector.lanes, 64);
  k.ahead_at = round_up(k.sums_at + (k.blocks() > 1 ? k.conv.oc * k.ld_sums() : 0), 64);
  std::size_t lines = 0;
  for (const TilePattern& pattern : k.tiling.patterns) lines = std::max(lines, pattern.lines.size());
  const int64_t ahead = channels * static_cast<int64_t>(lines * sizeof(void*));
  k.scratch_bytes = round_up(k.ahead_at + ahead, 64);
}

PointLayout fastest(const SparseKernel& k, int64_t points, int64_t width) {
  return fastest_layout(k.conv.mb, points, width, k.vector.lanes, CORTEX_SPARSE_VECTORS,
                        k.vector.lanes * k.vector.element / 4);
}

// Of every row: what the source's zero adds to its sums, modulo 2^32.
void take_back_zero(const SparseKernel& k, const WeightsView& weights, int32_t* compensation) {
  for (int64_t r = 0; r < weights.rows; ++r) {
    int64_t sum = 0;
    for (int64_t c = 0; c < weights.channels; ++c)
      for (int64_t tap = 0; tap < weights.taps; ++tap) sum += static_cast<int64_t>(weights.at(r, c, tap));
    compensation[r] = static_cast<int32_t>(static_cast<uint32_t>(-k.zero * sum));
  }
}

}  // namespace

Result<ConvProblem> as_channel_major(const Problem& problem) {
  const auto no = [&](const char* why) {
    return unsupported(fmt::format("sparse weights for {}: {}", to_string(problem), why));
  };
  const bool floats = problem.src == problem.wei && sum_type(problem.src) == DataType::f32;
  if (!floats && sum_type(problem.src) != DataType::s32)
    return no("there are kernels for f32, bf16 and 8-bit integers alone; leave sparse_weights NULL");
  if (problem.is_matmul()) {
    const MatmulProblem& m = problem.matmul();
    for (const auto& batch : {m.batch_a, m.batch_b})
      for (const int64_t extent : batch)
        if (extent != 1) return no("a batch of matrices has none; leave sparse_weights NULL");
    ConvProblem c;
    c.ic = m.k;
    c.oc = m.n;
    c.iw = c.ow = m.m;
    return c;
  }
  if (problem.conv().g != 1) return no("grouped convolutions have none; leave sparse_weights NULL");
  return problem.conv();
}

std::string SparseKernel::text() const {
  constexpr const char* copies[] = {"no panels", "panels of rows", "panels by column",
                                    "panels by column, by line", "panels by tap"};
  return fmt::format("sparse: {} rows x {} lanes, {}, {} channels in {} blocks, {} tiles", share,
                     vector.lanes * tiling.vectors, copies[static_cast<int>(tiling.copies)], channels.size(),
                     blocks(), tiling.tiles.size());
}

Result<SparseKernel> make_sparse_kernel(const Problem& problem, const WeightsView& weights, int share,
                                        bool own_layouts, int threads, Isa isa, const Machine& machine) {
  Result<ConvProblem> conv = as_channel_major(problem);
  if (!conv) return conv.error();
  const int64_t columns = weights.channels * weights.taps;
  if (columns > INT32_MAX || weights.rows > INT32_MAX)
    return unsupported(fmt::format("sparse weights for {}: more than 2^31 columns", to_string(problem)));
  SparseKernel k;
  k.conv = *conv;
  k.epilogue = constant_epilogue(problem.epilogue);
  const Functions& functions = functions_of(isa, problem.src, machine);
  k.isa = functions.isa;
  k.gather = functions.gather;
  k.dst_element = static_cast<int>(size_of(problem.dst));
  k.vector = {4 / functions.element * functions.lanes, functions.element,
              static_cast<int>(size_of(problem.src))};
  k.columns = 4 / functions.element;
  if (problem.src == DataType::s8 || problem.src == DataType::u8) {
    k.zero = a_zero(problem);
    k.flip = problem.src == DataType::s8 ? 0x80 : 0;
  }
  if (problem.src != DataType::f32) k.epilogue.c_type = element_code(dtype_name(problem.dst));
  const PointLayout in = own_layouts ? fastest(k, inputs_of(k.conv), k.conv.iw) : nchw(inputs_of(k.conv));
  const PointLayout out = own_layouts ? fastest(k, points_of(k.conv), k.conv.ow) : nchw(points_of(k.conv));
  k.conv = merge_points(k.conv);
  choose_tiling(k, weights, share, in, out, machine);
  if (k.tiling.tiles.empty())
    return unsupported(fmt::format("sparse weights for {}: the window is too large", to_string(problem)));
  k.rows_single = functions.rows[0];
  k.rows_shared = functions.rows[k.share / 2];
  const int64_t shared = weights.rows / k.share;
  k.spans = {{0, shared, 0, k.share}, {shared, k.group_count() - shared, shared * k.share, 1}};
  place_lists(k, weights.channels);
  k.past_caches = k.vector.element == 4 && k.dst_element == 4 && !problem.epilogue.residual &&
                  4 * k.conv.mb * k.conv.oc * points_of(k.conv) > past_caches;
  const auto tiles = static_cast<int64_t>(k.tiling.tiles.size());
  if (tiles < 3 * threads && tiles % threads != 0)
    k.row_parts = static_cast<int>(std::min<int64_t>(threads, k.group_count()));
  // The longest share of the work.
  const int64_t items = tiles * k.row_parts, tasks = std::min<int64_t>(threads, items);
  k.seconds *= static_cast<double>(ceil_div(items, tasks)) / static_cast<double>(items);
  place_scratch(k);
  return k;
}

Status pack_sparse(const SparseKernel& k, const WeightsView& weights, void* packed) {
  char* const out = static_cast<char*>(packed);
  char* value = out;
  auto* offset = reinterpret_cast<uint32_t*>(out + k.offsets_at);
  auto* count = reinterpret_cast<int32_t*>(out + k.counts_at);
  const int64_t taps = weights.taps;
  int64_t nonzero = 0;
  for (int64_t b = 0; b < k.blocks(); ++b) {
    const auto from = static_cast<std::size_t>(k.block_channels[static_cast<std::size_t>(b)]);
    const auto to = static_cast<std::size_t>(k.block_channels[static_cast<std::size_t>(b) + 1]);
    const int64_t first = k.channels.empty() ? 0 : k.channels[from] * taps;
    const int64_t end = to < k.channels.size() ? k.channels[to] * taps : weights.channels * taps;
    for (int64_t g = 0; g < k.group_count(); ++g) {
      const RowGroup& group = k.groups[static_cast<std::size_t>(g)];
      const GroupSpan& span = k.spans[g < k.spans[0].count ? 0 : 1];
      const auto at = static_cast<std::size_t>(b * (k.group_count() + 1) + g);
      const int64_t here = k.offset_start[at + 1] - k.offset_start[at];
      *count++ = static_cast<int32_t>(here / k.columns);
      std::size_t panel = from;
      const auto begin = std::lower_bound(group.columns.begin(), group.columns.end(), first);
      const auto stop = std::lower_bound(begin, group.columns.end(), end);
      // What fills up the last four, or pair, reads the last column.
      for (int64_t i = 0; i < here; ++i) {
        const bool is_kept = i < stop - begin;
        const int64_t column = is_kept ? begin[i] : stop[-1], channel = column / taps, tap = column % taps;
        while (k.channels[panel] != channel) ++panel;
        const int64_t index =
            k.tiling.copies == PanelCopies::none ? channel : static_cast<int64_t>(panel - from);
        *offset++ = static_cast<uint32_t>(
            index * k.ld_panel() + k.vector.element * k.tiling.tap_offset[static_cast<std::size_t>(tap)]);
        for (int64_t r = 0; r < span.share; ++r) {
          const float weight = is_kept ? weights.at(group.row + r, channel, tap) : 0;
          nonzero += weight != 0.0f;
          char* const at_value =
              value + k.vector.element * ((i / k.columns * span.share + r) * k.columns + i % k.columns);
          if (k.vector.element == 1) {
            *at_value = static_cast<char>(static_cast<int8_t>(weight));
          } else if (k.vector.element == 2) {
            const auto half = static_cast<uint16_t>(std::bit_cast<uint32_t>(weight) >> 16);
            std::memcpy(at_value, &half, 2);
          } else {
            std::memcpy(at_value, &weight, 4);
          }
        }
      }
      value += here * span.share * k.vector.element;
    }
  }
  int64_t all = 0;
  for (int64_t r = 0; r < weights.rows; ++r) {
    for (int64_t c = 0; c < weights.channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap) all += weights.at(r, c, tap) != 0.0f;
  }
  if (k.zero) take_back_zero(k, weights, reinterpret_cast<int32_t*>(out + k.compensation_at));
  if (all == nonzero) return Status::success();
  return invalid_argument(
      fmt::format("pack_weights: {} weights are not zero where those of the plan's sparse_weights are: make "
                  "a plan for these weights",
                  all - nonzero));
}

}  // namespace cortex
