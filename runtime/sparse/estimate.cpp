#include "runtime/sparse/estimate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "support/checked.h"

namespace cortex {
namespace {

// Cycles of an EPYC (Zen 5) with AVX-512, hot caches: loops of the shapes below timed alone, g++ 12.2 -O2.
// Other CPUs: by their FMAs and loads in a cycle.
constexpr ListRates zen5;
constexpr double list_end = 12;     // of a list: a loop that ends, mostly predicted, and its first loads
constexpr double sum_moved = 0.75;  // a vector of sums loaded or stored between blocks
constexpr double finished = 2.5;    // a vector through the epilogue to C
constexpr double gathered = 1.9;    // a vector of a panel: load, mask, store
constexpr double half_gathered = 1.3;
constexpr double first_touch = 1.5;  // a line of the input read where it is

// One kept column for `share` rows and `vectors` vectors, whose loads cross a line or not; a share of `far`
// of the lines is not in L1. A row alone waits for its loads more than their number says.
double column_cycles(const ListRates& rates, int share, double vectors, bool crosses, double far) {
  const double loads = vectors * (crosses ? rates.crossing() : 1.0) + rates.scalar * (share + 1);
  const double waits = share == 1 ? 1.12 : 1;
  return std::max(share * vectors / rates.fmas, waits * loads / rates.loads) + 0.2 +
         vectors * far * rates.line_from_l2;
}
constexpr double run_end = 7;  // of columns that the same rows keep

// Four kept columns for a vector of bytes or a part of one, which interleaving them costs more than
// multiplying below T = 4. Halves of vectors keep the multipliers busy while their columns are loaded.
double four_columns_cycles(const ListRates& rates, int share, double part, double crossing, double far) {
  const double waits = 1.4 * crossing + far * (0.5 + 0.5 * crossing);
  return std::max(1.7 + 2.8 * part, 2 * share * part + 0.4) + part * waits * (rates.in_halves ? 0.1 : 1);
}
constexpr double byte_list_end = 13, byte_sum_moved = 1.3;  // the latter of 64 outputs of a row
constexpr double bytes_finished = 5, bytes_gathered = 1.8, half_bytes_gathered = 1.2, run_begun = 8;
constexpr double line_gathered = 2;  // a line of the input that a panel is made of

// Two kept columns for `vectors` vectors of bf16: interleaving them takes no time from more than one row.
double two_columns_cycles(const ListRates& rates, int share, double vectors, double passes, double crossing,
                          double far) {
  const double loads = 2 * vectors * (1 + (rates.crossing() - 1) * crossing) + passes * (share + 2);
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
      last = shape.rates.half_vector();
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

}  // namespace

// A 512-bit load of CPUs that do one in a cycle takes both of their 256-bit ports, a scalar's one of three.
ListRates list_rates(const Machine& machine, int lanes) {
  ListRates rates;
  rates.fmas = 0.975 * machine.fma_per_cycle;
  rates.loads = 0.95 * machine.loads_per_cycle;
  rates.scalar = machine.loads_per_cycle < 2 ? 0.4 : 1;
  // One FMA of 512 bits in a cycle: two of 256.
  if (machine.fma_per_cycle <= 1 && lanes == 16) rates.in_halves = true;
  if (machine.caches.size() > 1) rates.line_from_l2 = 0.7 * 64 / machine.caches[1].read_bytes_per_cycle;
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
    for (const cortex_sparse_run& run : pattern.runs)
      runs += shape.vector.element == 2             ? halves_gathered
              : 2 * run.count <= shape.vector.lanes ? half_bytes_gathered
                                                    : bytes_gathered;
    return runs + (tiling.copies == PanelCopies::none
                       ? static_cast<double>(pattern.lines.size()) * first_touch
                   : shape.vector.element == 1 ? static_cast<double>(pattern.line_count) * line_gathered
                                               : 0);
  };
  const auto per_tile = [&](const TilePattern& pattern) {
    const TileVectors of_tile(pattern.lanes, shape);
    const double vectors = of_tile.used();
    if (shape.vector.element == 1) {
      const auto quads_of = [&](double part) {
        return columns_shared * four_columns_cycles(shape.rates, kept.sharing.rows, part, crossing, far) +
               columns_single * four_columns_cycles(shape.rates, 1, part, crossing, far);
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
    const auto column = [&](int share) {
      return (1 - crossing) * column_cycles(shape.rates, share, vectors, false, far) +
             crossing * column_cycles(shape.rates, share, vectors, true, far);
    };
    double cycles = columns_single * column(1);
    if (kept.sharing.patterns) {
      for (int share = 1; share <= 4; ++share)
        cycles += patterns.columns[static_cast<std::size_t>(share)] * column(share);
      double columns = 0;
      for (const double c : patterns.columns) columns += c;
      cycles += std::min(static_cast<double>(patterns.runs) * blocks, columns) * run_end;
    } else {
      cycles += columns_shared * column(kept.sharing.rows);
    }
    cycles += static_cast<double>(lists) * blocks * list_end;
    const double outputs = static_cast<double>(rows) * vectors;
    cycles +=
        slower * outputs * ((blocks - 1) * 2 * sum_moved + finished * (pattern.places.empty() ? 1 : 1.5));
    double copied_vectors = tiling.copies == PanelCopies::none ? vectors * first_touch : 0;
    for (const cortex_sparse_run& run : pattern.runs)
      copied_vectors += 2 * run.count <= shape.vector.lanes ? half_gathered : gathered;
    cycles += slower * channels * copied_vectors;
    return cycles;
  };
  std::vector<double> cycles;
  for (const TilePattern& pattern : tiling.patterns) cycles.push_back(per_tile(pattern));
  double all = 0;
  for (const PointTile& tile : tiling.tiles) all += cycles[static_cast<std::size_t>(tile.pattern)];
  return all;
}

}  // namespace cortex
