#include "runtime/sparse/kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
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
  cortex_sparse_fn patterns = nullptr;
};
#define CORTEX_ROWS(isa, name)                               \
  {                                                          \
    CORTEX_WHERE_BUILT(isa, cortex_sparse_rows1_##name),     \
        CORTEX_WHERE_BUILT(isa, cortex_sparse_rows2_##name), \
        CORTEX_WHERE_BUILT(isa, cortex_sparse_rows4_##name)  \
  }
#define CORTEX_FUNCTIONS(isa, name, lanes, element) \
  { Isa::isa, CORTEX_ROWS(isa, name), CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_##name), lanes, element }
#define CORTEX_FUNCTIONS_F32(isa, gather, lanes)                                                       \
  {                                                                                                    \
    Isa::isa, CORTEX_ROWS(isa, isa), CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_##gather), lanes, 4, \
        CORTEX_WHERE_BUILT(isa, cortex_sparse_patterns4_##isa)                                         \
  }
constexpr int wide = CORTEX_SPARSE_LANES_AVX512, medium = CORTEX_SPARSE_LANES_AVX2,
              narrow = CORTEX_SPARSE_LANES_BASELINE;
constexpr Functions of_f32[] = {CORTEX_FUNCTIONS_F32(avx512, avx512, wide),
                                CORTEX_FUNCTIONS_F32(avx2, avx2, medium),
                                CORTEX_FUNCTIONS_F32(baseline, baseline, narrow)};
// Products of pairs, or f32 made of bf16 when panels are filled.
constexpr Functions of_bf16_pairs = CORTEX_FUNCTIONS(avx512bf16, bf16_avx512bf16, wide, 2);
constexpr Functions of_bf16[] = {CORTEX_FUNCTIONS_F32(avx512, bf16_f32_avx512, wide),
                                 CORTEX_FUNCTIONS_F32(avx2, bf16_f32_avx2, medium),
                                 CORTEX_FUNCTIONS_F32(baseline, bf16_f32_baseline, narrow)};
constexpr Functions of_bytes[] = {
    CORTEX_FUNCTIONS(avx512vnni, u8s8_avx512vnni, wide, 1), CORTEX_FUNCTIONS(avx512, u8s8_avx512, wide, 1),
    CORTEX_FUNCTIONS(avx2vnni, u8s8_avx2vnni, medium, 1), CORTEX_FUNCTIONS(avx2, u8s8_avx2, medium, 1),
    CORTEX_FUNCTIONS(baseline, u8s8_baseline, narrow, 1)};
#undef CORTEX_FUNCTIONS_F32
#undef CORTEX_FUNCTIONS
#undef CORTEX_ROWS

// The best that the level runs. Patterns are of f32 alone, which a panel of bf16 may be widened to.
const Functions& functions_of(Isa level, DataType src, bool patterns, const Machine& machine) {
  const auto best = [&](std::span<const Functions> all) -> const Functions& {
    return *std::find_if(all.begin(), all.end() - 1, [&](const Functions& f) { return runs(level, f.isa); });
  };
  if (src == DataType::f32) return best(of_f32);
  if (src != DataType::bf16) return best(of_bytes);
  const bool pairs_pay = 2 * machine.bf16_dots_per_cycle > machine.fma_per_cycle;
  return pairs_pay && !patterns && runs(level, of_bf16_pairs.isa) ? of_bf16_pairs : best(of_bf16);
}

// Words that say how many columns a list has: one, or of patterns one for each run of columns that the same
// rows keep, and one at the end.
int64_t count_words(const RowGroup& group, std::size_t begin, std::size_t end) {
  if (group.kept_by.empty()) return 1;
  std::array<bool, 16> seen{};
  for (std::size_t i = begin; i < end; ++i) seen[group.kept_by[i]] = true;
  return 1 + std::count(seen.begin(), seen.end(), true);
}

// Values that a list has: of patterns those that are kept, else of all rows, the last columns filled up.
int64_t value_count(const SparseKernel& k, const RowGroup& group, std::size_t begin, std::size_t end,
                    int rows) {
  if (group.kept_by.empty()) return round_up(static_cast<int64_t>(end - begin), int64_t{k.columns}) * rows;
  int64_t count = 0;
  for (std::size_t i = begin; i < end; ++i) count += std::popcount(group.kept_by[i]);
  return count;
}

// Offsets, values and counts of every group by block.
void place_lists(SparseKernel& k, int64_t channel_count) {
  const int64_t taps = k.conv.kd * k.conv.kh * k.conv.kw, blocks = k.blocks();
  const auto count = static_cast<int64_t>(k.channels.size());
  std::vector<std::size_t> cursor(k.groups.size(), 0);
  int64_t offset = 0, value = 0, word = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t end = k.block_channels[static_cast<std::size_t>(b) + 1];
    const int64_t behind = end == count ? channel_count : k.channels[static_cast<std::size_t>(end)];
    for (std::size_t g = 0; g < k.groups.size(); ++g) {
      k.offset_start.push_back(offset);
      k.value_start.push_back(value);
      k.count_start.push_back(word);
      const RowGroup& group = k.groups[g];
      const std::vector<int32_t>& columns = group.columns;
      const std::size_t begin = cursor[g];
      while (cursor[g] < columns.size() && columns[cursor[g]] < behind * taps) ++cursor[g];
      offset += round_up(static_cast<int64_t>(cursor[g] - begin), int64_t{k.columns});
      const GroupSpan& span = k.spans[static_cast<int64_t>(g) < k.spans[0].count ? 0 : 1];
      value += value_count(k, group, begin, cursor[g], span.sharing.rows) * k.vector.element;
      word += count_words(group, begin, cursor[g]);
    }
    k.offset_start.push_back(offset);
    k.value_start.push_back(value);
    k.count_start.push_back(word);
  }
  k.offsets_at = value;
  k.counts_at = k.offsets_at + 4 * offset;
  k.compensation_at = k.counts_at + 4 * word;
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
  k.scratch_bytes = round_up(k.sums_at + (k.blocks() > 1 ? k.conv.oc * k.ld_sums() : 0), 64);
}

PointLayout fastest(const SparseKernel& k, int64_t points, int64_t width) {
  return fastest_layout(k.conv.mb, points, width, k.vector.lanes, CORTEX_SPARSE_VECTORS,
                        k.vector.lanes * k.vector.element / 4);
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
  return fmt::format("sparse: {} rows{} x {} lanes, {}, {} channels in {} blocks, {} tiles", sharing.rows,
                     sharing.patterns ? " by pattern" : "", vector.lanes * tiling.vectors,
                     copies[static_cast<int>(tiling.copies)], channels.size(), blocks(), tiling.tiles.size());
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
  const bool patterns = share == CORTEX_SPARSE_PATTERNS;
  const Functions& functions = functions_of(isa, problem.src, patterns, machine);
  if (patterns && !functions.patterns)
    return unsupported(
        fmt::format("sparse weights for {}: patterns of rows are for f32 and bf16 alone; use "
                    "sparse_share 0",
                    to_string(problem)));
  if (patterns && columns > most_pattern_columns)
    return unsupported(
        fmt::format("sparse weights for {}: more than 2^27 - 1 columns, too many for patterns of rows; use "
                    "sparse_share 0",
                    to_string(problem)));
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
  k.rows_shared = k.sharing.patterns ? functions.patterns : functions.rows[k.sharing.rows / 2];
  const int64_t shared = weights.rows / k.sharing.rows;
  k.spans = {{0, shared, 0, k.sharing}, {shared, k.group_count() - shared, shared * k.sharing.rows, {}}};
  place_lists(k, weights.channels);
  const int64_t bytes = k.conv.mb * (k.vector.source * k.conv.ic * inputs_of(k.conv) +
                                     k.dst_element * k.conv.oc * points_of(k.conv));
  // Weights pass through L2 once a tile.
  k.looks_ahead = machine.caches.size() < 2 || 2 * (bytes + k.packed_bytes) > machine.caches[1].bytes;
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

}  // namespace cortex
