#include "runtime/sparse/estimate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "support/checked.h"

namespace cortex {
namespace {

constexpr ListRates zen5;

// Fitted to 148 layers and structures of zeros on an EPYC (Zen 4), four kernels each: errors of 4 to 10 %.
ListRates in_halves() {
  ListRates rates;
  rates.in_halves = true;
  rates.crossing = 1.5;
  rates.half_vector = 0.5;
  rates.row_waits = 1.14;
  rates.list_end_of_1 = 16;
  rates.list_end_of_2 = 4;
  rates.list_end_of_4 = 0;
  rates.sum_moved = 0.8;
  rates.gathered = 6.3;
  rates.half_gathered = 4.3;
  rates.first_touch = 2.3;
  return rates;
}

// One kept column for `share` rows and `vectors` vectors, whose loads cross a line or not; a share of `far`
// of the lines is not in L1.
double column_cycles(const ListRates& rates, int share, double vectors, bool crosses, double far,
                     double waits) {
  const double loads = vectors * (crosses ? rates.crossing : 1.0) + rates.scalar * (share + 1);
  return std::max(share * vectors / rates.fmas, waits * loads / rates.loads) + 0.2 +
         vectors * far * rates.line_from_l2;
}
// The end of a run of columns that the same rows keep. Of so many that the CPU does not know them again it is
// mostly not foreseen.
double run_end(double runs) {
  const double share = std::min(1.0, runs / 20000);
  return 2 + 8 * share * share;
}

// Four kept columns for a vector of bytes or a part of one, which interleaving them costs more than
// multiplying below T = 4. Halves of vectors keep the multipliers busy while four rows' columns are loaded.
double four_columns_cycles(const SparseShape& shape, int share, double part, double crossing, double far) {
  const ListRates& rates = shape.rates;
  if (!shape.byte_dots) return part * (4.2 + 5.1 * share);  // widened and multiplied in pairs
  const double waits = 1.4 * crossing + far * (0.5 + 0.5 * crossing);
  return std::max((rates.in_halves ? 1.0 : 1.7) + 2.8 * part, 2 * share * part + 0.4) +
         part * waits *
             (!rates.in_halves ? 1
              : share == 4     ? 0.1
                               : 1.3);
}
constexpr double byte_list_end = 13, byte_sum_moved = 1.3;  // the latter of 64 outputs of a row
constexpr double bytes_finished = 5, bytes_gathered = 1.8, half_bytes_gathered = 1.2, run_begun = 8;
constexpr double line_gathered = 2;  // a line of the input that a panel is made of

// Two kept columns for `vectors` vectors of bf16: interleaving them takes no time from more than one row.
double two_columns_cycles(const ListRates& rates, int share, double vectors, double passes, double crossing,
                          double far) {
  const double loads = 2 * vectors * (1 + (rates.crossing - 1) * crossing) + passes * (share + 2);
  return std::max(vectors * std::max(2 * share / zen5.fmas, 2 / 1.8), loads / zen5.loads) + 0.4 * passes +
         2 * vectors * far * zen5.line_from_l2;
}
constexpr double half_list_end = 13, halves_moved = 1.5, halves_finished = 4, halves_gathered = 2.5;
// Of four rows three vectors of bf16 are summed at once.
double passes_of_halves(int share, double vectors) {
  return share == 4 ? std::ceil(vectors / 3) : share == 2 ? std::ceil(vectors / 6) : 1;
}

// The vectors of a tile. Of a last one that is half full kernels may sum a part alone.
struct TileVectors {
  double whole = 0, last = 0;  // the latter a share of a vector

  TileVectors(int64_t points, const SparseShape& shape) {
    const int64_t lanes = shape.vector.lanes, left = points % lanes;
    whole = static_cast<double>(points / lanes);
    if (left == 0) return;
    last = 1;
    if (shape.vector.element == 1) {
      last = 4 * left <= lanes ? 0.25 : 2 * left <= lanes ? 0.5 : 1;
    } else if (shape.vector.element == 4 && 2 * left <= lanes) {
      last = shape.rates.half_vector;
    }
  }
  double count() const { return whole + (last > 0 ? 1 : 0); }
  double used() const { return whole + last; }
};

// Columns by how many rows of their group keep them, and runs of those that the same rows keep.
struct Patterns {
  std::array<double, 5> columns{};
  int64_t runs = 0;
};

Patterns count_patterns(const Kept& kept) {
  Patterns all;
  for (const RowGroup& g : kept.groups) {
    std::array<bool, 16> seen{};
    for (const uint8_t by : g.kept_by) {
      ++all.columns[static_cast<std::size_t>(std::popcount(by))];
      all.runs += !seen[by];
      seen[by] = true;
    }
  }
  return all;
}

// Cycles of a run that no vector instruction moves: of a stride above two, or, of narrow elements, some lanes
// alone where the ISA has no masks for them. 0: others. EPYC (Zen 4).
double moved_by_elements(const cortex_sparse_run& run, const Tiling& tiling, const SparseShape& shape) {
  const int lanes = shape.vector.lanes;
  if (tiling.step > 2) return 2.8 * lanes;
  const bool masks = shape.vector.element == 4 || shape.vector.element * lanes == 64;
  const uint64_t all = lanes < 64 ? (uint64_t{1} << lanes) - 1 : ~uint64_t{0};
  const bool whole = (run.low == 0 || run.low == all) && (run.high == 0 || run.high == all);
  const auto pieces = [](uint64_t bits) { return std::popcount(bits & ~(bits << 1)); };
  return masks || whole ? 0 : 20 + 20 * (pieces(run.low) + pieces(run.high));
}

}  // namespace

// A 512-bit load of CPUs that do one in a cycle takes both of their 256-bit ports, a scalar's one of three.
ListRates list_rates(const Machine& machine, int lanes) {
  // One FMA of 512 bits in a cycle: two of 256.
  const bool halves = machine.fma_per_cycle <= 1 && lanes == 16;
  ListRates rates = halves ? in_halves() : ListRates{};
  rates.fmas = 0.975 * machine.fma_per_cycle;
  rates.loads = 0.95 * machine.loads_per_cycle;
  rates.scalar = machine.loads_per_cycle < 2 ? 0.4 : 1;
  if (machine.caches.size() > 1) rates.line_from_l2 = 0.7 * 64 / machine.caches[1].read_bytes_per_cycle;
  if (halves) return rates;
  const double slower = zen5.fmas / rates.fmas;  // every instruction on a whole vector
  for (double* cost :
       {&rates.sum_moved, &rates.finished, &rates.gathered, &rates.half_gathered, &rates.first_touch})
    *cost *= slower;
  return rates;
}

double estimate_cycles(const Tiling& tiling, const Kept& kept, const SparseShape& shape) {
  double crossing = 0;
  for (const int64_t at : tiling.tap_offset) crossing += at % shape.vector.lanes != 0;
  crossing /= static_cast<double>(tiling.tap_offset.size());
  double columns_shared = 0, columns_single = 0;
  int64_t lists = 0, rows = 0;
  for (const RowGroup& g : kept.groups) {
    const bool shared = kept.is_shared(g);
    (shared ? columns_shared : columns_single) += static_cast<double>(g.columns.size());
    ++lists;
    rows += shared ? kept.sharing.rows : 1;
  }
  const double panel =
      shape.vector.element * static_cast<double>(tiling.ld_panel * ceil_div(shape.channels, shape.blocks));
  const double far = std::max(0.0, 1 - 0.9 * static_cast<double>(shape.l1_bytes) / panel);
  const auto blocks = static_cast<double>(shape.blocks), channels = static_cast<double>(shape.channels);
  const double slower = zen5.fmas / shape.rates.fmas;  // every instruction on a whole vector
  const Patterns patterns = kept.sharing.patterns ? count_patterns(kept) : Patterns{};
  const auto copied = [&](const TilePattern& pattern) {
    double runs = 0;
    for (const cortex_sparse_run& run : pattern.runs) {
      const double by_elements = moved_by_elements(run, tiling, shape);
      runs += by_elements > 0                       ? by_elements / slower
              : shape.vector.element == 2           ? halves_gathered
              : 2 * run.count <= shape.vector.lanes ? half_bytes_gathered
                                                    : bytes_gathered;
    }
    return runs + (tiling.copies == PanelCopies::none
                       ? static_cast<double>(pattern.lines.size()) * zen5.first_touch
                   : shape.vector.element == 1 ? static_cast<double>(pattern.line_count) * line_gathered
                                               : 0);
  };
  const auto per_tile = [&](const TilePattern& pattern) {
    const TileVectors of_tile(pattern.lanes, shape);
    const double vectors = of_tile.used();
    if (shape.vector.element == 1) {
      const auto quads_of = [&](double part) {
        return columns_shared * four_columns_cycles(shape, kept.sharing.rows, part, crossing, far) +
               columns_single * four_columns_cycles(shape, 1, part, crossing, far);
      };
      const double quads = of_tile.whole * quads_of(1) + (of_tile.last > 0 ? quads_of(of_tile.last) : 0);
      const double gather =
          copied(pattern) * channels + blocks * static_cast<double>(pattern.runs.size()) * run_begun;
      const double moved = static_cast<double>(rows) * ((blocks - 1) * byte_sum_moved + bytes_finished);
      return slower * (quads / 4 + vectors * moved + gather) +
             of_tile.count() * static_cast<double>(lists) * blocks * byte_list_end;
    }
    if (shape.vector.element == 2) {
      const double passes = passes_of_halves(kept.sharing.rows, vectors);
      const double pairs = columns_shared * two_columns_cycles(shape.rates, kept.sharing.rows, vectors,
                                                               passes, crossing, far) +
                           columns_single * two_columns_cycles(shape.rates, 1, vectors, 1, crossing, far);
      const double gather =
          copied(pattern) * channels + blocks * static_cast<double>(pattern.runs.size()) * run_begun;
      const double moved =
          static_cast<double>(rows) * vectors * ((blocks - 1) * 2 * halves_moved + halves_finished);
      return slower * (pairs / 2 + moved + gather) +
             static_cast<double>(lists) * blocks * passes * half_list_end;
    }
    const ListRates& rates = shape.rates;
    const auto column = [&](int share, double waits) {
      return (1 - crossing) * column_cycles(rates, share, vectors, false, far, waits) +
             crossing * column_cycles(rates, share, vectors, true, far, waits);
    };
    const auto groups = static_cast<double>(lists) * blocks;
    double cycles = columns_single * column(1, rates.row_waits) +
                    groups * rates.list_end(columns_shared > 0 ? kept.sharing.rows : 1);
    if (kept.sharing.patterns) {
      double columns = 0;
      for (int share = 1; share <= 4; ++share) {
        columns += patterns.columns[static_cast<std::size_t>(share)];
        cycles += patterns.columns[static_cast<std::size_t>(share)] * column(share, 1);
      }
      // Four rows sum six vectors at once.
      const double runs =
          std::ceil(vectors / 6) * std::min(static_cast<double>(patterns.runs) * blocks, columns);
      cycles += runs * run_end(runs);
    } else {
      cycles += columns_shared * column(kept.sharing.rows, 1);
    }
    const double outputs = static_cast<double>(rows) * vectors;
    cycles +=
        outputs * ((blocks - 1) * 2 * rates.sum_moved + rates.finished * (pattern.places.empty() ? 1 : 1.5));
    double copied_vectors = tiling.copies == PanelCopies::none ? vectors * rates.first_touch : 0;
    for (const cortex_sparse_run& run : pattern.runs) {
      const double by_elements = moved_by_elements(run, tiling, shape);
      copied_vectors += by_elements > 0                       ? by_elements
                        : 2 * run.count <= shape.vector.lanes ? rates.half_gathered
                                                              : rates.gathered;
    }
    cycles += channels * copied_vectors;
    return cycles;
  };
  std::vector<double> cycles;
  for (const TilePattern& pattern : tiling.patterns) cycles.push_back(per_tile(pattern));
  double all = 0;
  for (const PointTile& tile : tiling.tiles) all += cycles[static_cast<std::size_t>(tile.pattern)];
  return all;
}

}  // namespace cortex
