#include <fmt/format.h>
#include <fmt/ranges.h>

#include "generators/tool/explain_sections.h"
#include "polyopt/analysis/traffic.h"
#include "polyopt/isl/footprint.h"
#include "polyopt/model/peak.h"
#include "polyopt/ppl/tile_limit.h"

namespace cortex::explaining {
namespace {

double sum(const std::array<double, operand_count>& bytes) { return bytes[0] + bytes[1] + bytes[2]; }

// The outermost tile whose exact working set fits the level, with its loop depth.
struct LevelTile {
  int depth = 0;
  ExactFootprint footprint;
  bool fits = false;  // false: not even one kernel call's operands do
};

LevelTile level_tile(const std::vector<ExactFootprint>& by_depth, int64_t bytes) {
  for (std::size_t d = 0; d < by_depth.size(); ++d) {
    if (by_depth[d].bytes() <= bytes) return {static_cast<int>(d), by_depth[d], true};
  }
  return {static_cast<int>(by_depth.size()) - 1, by_depth.back(), false};
}

std::string tile_place(const Program& program, int depth) {
  if (depth == 0) return "the whole nest";
  const Loop& loop = program.schedule.loops[depth - 1];
  const std::string inside =
      fmt::format("inside {}/{} (loop {})", program.nest.dims[loop.dim].name, loop.step, depth - 1);
  return depth == static_cast<int>(program.loops.size()) ? "one kernel call, " + inside : inside;
}

// How far one dim could grow, the others kept: "oh 8 to 12".
Result<std::string> growth_text(const Nest& nest, const std::vector<polyhedral::TileRange>& tile,
                                int64_t capacity) {
  std::vector<int64_t> lengths;
  for (const polyhedral::TileRange& range : tile) lengths.push_back(range.len);
  std::vector<std::string> parts;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (lengths[d] == nest.dims[d].extent) continue;
    const Result<TileLimit> limit = largest_tile(nest, lengths, d, capacity);
    if (!limit) return limit.error();
    if (limit->tile == 0) {
      parts.push_back(fmt::format("{} {}: not even 1 fits", nest.dims[d].name, lengths[d]));
    } else if (limit->tile == lengths[d]) {
      parts.push_back(fmt::format("{} {}: at its limit", nest.dims[d].name, lengths[d]));
    } else {
      parts.push_back(fmt::format("{} {} -> {}{}", nest.dims[d].name, lengths[d], limit->tile,
                                  limit->tile == nest.dims[d].extent ? " (all)" : ""));
    }
  }
  return parts.empty() ? "every dim is whole" : fmt::format("{}", fmt::join(parts, ", "));
}

// What moves in and out of a cache that holds one tile of that depth after the other.
std::string moved_text(const Program& program, const std::string& cache, int depth) {
  const Result<TileTraffic> traffic = tile_traffic(program.nest, program.schedule, depth);
  if (!traffic) return fmt::format("  {:<5}not counted: {}\n", cache, traffic.error().message);
  std::string text = fmt::format("  {:<5}", cache);
  for (const int64_t lines :
       {traffic->read[0], traffic->read[1], traffic->read[2], traffic->written, traffic->allocated}) {
    text += fmt::format("{:>12}", human_bytes(static_cast<double>(lines * traffic->line_bytes)));
  }
  return text + fmt::format("{:>14}\n", human_count(traffic->tiles));
}

}  // namespace

std::string human_bytes(double bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 || bytes >= 100 ? fmt::format("{:.0f} {}", bytes, units[unit])
                                   : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string human_count(int64_t count) {
  std::string digits = std::to_string(count);
  for (int at = static_cast<int>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    digits.insert(at, ",");
  return digits;
}

std::string machine_text(const Machine& machine, int threads, DataType a) {
  const Peak peak = peak_of(machine, a);
  std::vector<std::string> caches;
  for (const CacheLevel& c : machine.caches) {
    caches.push_back(fmt::format("{} {}{}", c.name, human_bytes(static_cast<double>(c.bytes)),
                                 c.shared_by > 1 ? fmt::format(" (shared by {})", c.shared_by) : ""));
  }
  return fmt::format("  {}, {}, {} thread{}\n  {}; peak {:.1f} GFLOP/s of {} at {:.2f} GHz\n", machine.name,
                     isa_name(machine.isa), threads, threads == 1 ? "" : "s", fmt::join(caches, ", "),
                     peak.gflops(machine, threads), peak.instruction, machine.ghz);
}

std::string traffic_table(const Prediction& prediction) {
  std::string text = fmt::format("  {:<8}{:>12}{:>12}{:>12}{:>12}{:>14}{:>12}\n", "from", "A read", "B read",
                                 "C read", "C written", "all", "Mcycles");
  for (const LevelTraffic& level : prediction.levels) {
    text += fmt::format("  {:<8}{:>12}{:>12}{:>12}{:>12}{:>14}{:>12.3f}\n", level.level,
                        human_bytes(level.read_bytes[0]), human_bytes(level.read_bytes[1]),
                        human_bytes(level.read_bytes[2]), human_bytes(sum(level.write_bytes)),
                        human_bytes(sum(level.read_bytes) + sum(level.write_bytes)), level.cycles * 1e-6);
  }
  return text;
}

Result<std::string> footprint_table(const Program& program, const Machine& machine,
                                    const Prediction& prediction) {
  std::vector<ExactFootprint> by_depth;
  for (int d = 0; d <= static_cast<int>(program.loops.size()); ++d) {
    const Result<ExactFootprint> footprint = exact_footprint(program.nest, program.schedule, d);
    if (!footprint) return footprint.error();
    by_depth.push_back(*footprint);
  }
  std::string table = fmt::format("  {:<5}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}  {}\n", "level", "holds", "A",
                                  "B", "C", "A+B+C", "model", "tile");
  std::string limits, moved;
  for (std::size_t i = 0; i < machine.caches.size(); ++i) {
    const CacheLevel& cache = machine.caches[i];
    const LevelTile tile = level_tile(by_depth, cache.bytes);
    const auto kib = [&](int o) {
      return human_bytes(static_cast<double>(tile.footprint.array[o].lines * tile.footprint.line_bytes));
    };
    // The i-th row of traffic flows into the i-th cache; its footprint is the tile held there.
    const std::string model =
        i < prediction.levels.size() ? human_bytes(prediction.levels[i].footprint_bytes) : "-";
    table += fmt::format("  {:<5}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}  {}{}\n", cache.name,
                         human_bytes(static_cast<double>(cache.bytes)), kib(0), kib(1), kib(2),
                         human_bytes(static_cast<double>(tile.footprint.bytes())), model,
                         tile_place(program, tile.depth), tile.fits ? "" : ": does not fit");
    if (tile.fits) moved += moved_text(program, cache.name, tile.depth);
    if (tile.depth == 0) continue;
    const Result<std::string> growth = growth_text(
        program.nest, polyhedral::interior_tile(program.nest, program.schedule, tile.depth), cache.bytes);
    if (!growth) return growth.error();
    limits += fmt::format("  {:<5}{}\n", cache.name, *growth);
  }
  if (!moved.empty()) {
    table += fmt::format(
        "\nmoved into and out of each level, if it holds those tiles one after the other (counted line by "
        "line)\n"
        "  {:<5}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n{}",
        "level", "A read", "B read", "C read", "C written", "C new", "tiles", moved);
  }
  if (limits.empty()) return table;
  return table +
         fmt::format("\ntile limits ({}: one dim at a time, the others as above)\n{}", ppl_version(), limits);
}

std::string bounds_text(const Program& program, const Machine& machine, const Prediction& prediction,
                        int threads) {
  const DataType a = program.nest[Operand::a].tensor.type;
  const double flops = 2.0 * static_cast<double>(multiply_adds(program.nest) * length_of(a));
  const double memory = prediction.levels.empty() ? 0
                                                  : sum(prediction.levels.back().read_bytes) +
                                                        sum(prediction.levels.back().write_bytes);
  const double gflops = flops / prediction.seconds * 1e-9;
  const Peak best = peak_of(machine, a);
  const double peak = best.gflops(machine, threads);
  const bool compute = prediction.roofline_seconds <= flops / peak * 1e-9 * 1.0001;
  std::string text = fmt::format(
      "  I/O lower bound   {} from memory when caches are cold; the model has them warm and expects {}\n",
      human_bytes(prediction.io_lower_bound_bytes), human_bytes(memory));
  text += fmt::format("  intensity         {:.1f} flop per byte of that bound\n",
                      flops / prediction.io_lower_bound_bytes);
  text += fmt::format("  roofline          {:.3f} ms, {:.1f} GFLOP/s, bound by {}\n",
                      prediction.roofline_seconds * 1e3, flops / prediction.roofline_seconds * 1e-9,
                      compute ? "arithmetic" : "memory bandwidth");
  text +=
      fmt::format("  kernels           {:.3f} Mcycles of {:.3f}; packing {:.3f}\n",
                  prediction.kernel_cycles * 1e-6, prediction.cycles * 1e-6, prediction.pack_cycles * 1e-6);
  text += fmt::format("  predicted         {:.3f} ms, {:.1f} GFLOP/s, {:.1f} % of peak ({})\n",
                      prediction.seconds * 1e3, gflops, 100 * gflops / peak, best.instruction);
  return text;
}

}  // namespace cortex::explaining
