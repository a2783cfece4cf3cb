#include "polyopt/isl/schedule_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "polyopt/analysis/tiling.h"

namespace cortex::polyhedral {
namespace {

struct PieceText {
  std::string condition;  // ties the dim's coordinate x to the tile indices
  std::string lo;         // first element of the innermost tile
};

PieceText piece_text(const TilePiece& piece, const Schedule& schedule, const std::string& x) {
  int64_t start = piece.start;
  for (const TileIndex& index : piece.indices) start -= index.step * index.first;
  std::string lo = std::to_string(start);
  std::vector<std::string> conditions;
  for (const TileIndex& index : piece.indices) {
    conditions.push_back(fmt::format("{} <= t{} < {}", index.first, index.loop, index.end));
    lo += fmt::format(" + {}t{}", index.step, index.loop);
  }
  conditions.push_back(fmt::format("{} <= {} < {} + {}", lo, x, lo, piece.len));
  for (int loop : piece.fixed) {
    lo += fmt::format(" + {}t{}", schedule.loops[loop].step, loop);
    conditions.push_back(
        fmt::format("0 <= t{} and {} <= {} < {} + {}", loop, lo, x, lo, schedule.loops[loop].step));
  }
  return {fmt::format("({})", fmt::join(conditions, " and ")), lo};
}

std::string dim_condition(const Nest& nest, const Schedule& schedule, int dim, const std::string& x) {
  std::vector<std::string> alternatives;
  for (const TilePiece& piece : tile_pieces(nest, schedule, dim)) {
    alternatives.push_back(piece_text(piece, schedule, x).condition);
  }
  return fmt::format("({})", fmt::join(alternatives, " or "));
}

bool in_kernel(const KernelTile& tile, int dim) {
  return dim == tile.m_dim || dim == tile.n_dim || dim == tile.k_dim || dim == tile.rows_dim ||
         std::find(tile.batch_dims.begin(), tile.batch_dims.end(), dim) != tile.batch_dims.end();
}

std::string time_text(const Schedule& schedule) {
  std::vector<std::string> t;
  for (std::size_t l = 0; l < schedule.loops.size(); ++l) t.push_back(fmt::format("t{}", l));
  return fmt::format("[{}]", fmt::join(t, ", "));
}

}  // namespace

std::string coordinate_text(const Nest& nest, Statement s, int dim) {
  if (s == Statement::update || nest.dims[dim].kind == DimKind::parallel) return fmt::format("i{}", dim);
  return std::to_string(s == Statement::init ? 0 : nest.dims[dim].extent - 1);
}

Map loop_map(const Context& context, const Nest& nest, const Schedule& schedule, Statement s) {
  std::string condition = domain_text(nest, s);
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    condition += " and " + dim_condition(nest, schedule, d, coordinate_text(nest, s, d));
  }
  return context.map(
      fmt::format("{{ {} -> {} : {} }}", instance_text(nest, s), time_text(schedule), condition));
}

Map loop_map(const Context& context, const Nest& nest, const Schedule& schedule, const std::vector<int>& dims,
             const std::vector<int>& loops) {
  // A schedule of these loops alone cuts each dim just as the whole schedule's outer loops do.
  Schedule part;
  for (int l : loops) part.loops.push_back(schedule.loops[l]);
  std::vector<std::string> x, conditions{"true"};
  for (int d : dims) {
    x.push_back(fmt::format("i{}", d));
    conditions.push_back(fmt::format("0 <= i{} < {}", d, nest.dims[d].extent));
    conditions.push_back(dim_condition(nest, part, d, x.back()));
  }
  return context.map(fmt::format("{{ [{}] -> {} : {} }}", fmt::join(x, ", "), time_text(part),
                                 fmt::join(conditions, " and ")));
}

Set missing_instances(const Context& context, const Nest& nest, const Schedule& schedule) {
  std::vector<std::string> left_out;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (in_kernel(schedule.tile, d)) continue;
    const std::string x = fmt::format("i{}", d);
    for (const TilePiece& piece : tile_pieces(nest, schedule, d)) {
      const bool single = piece.fixed.empty() ? piece.len == 1 : schedule.loops[piece.fixed.back()].step == 1;
      if (single) continue;
      const PieceText text = piece_text(piece, schedule, x);
      std::vector<std::string> indices;
      for (const TileIndex& index : piece.indices) indices.push_back(fmt::format("t{}", index.loop));
      for (int loop : piece.fixed) indices.push_back(fmt::format("t{}", loop));
      const std::string exists = indices.empty() ? "" : fmt::format("exists {} : ", fmt::join(indices, ", "));
      left_out.push_back(fmt::format("({}{} and {} > {})", exists, text.condition, x, text.lo));
    }
  }
  return context.set(fmt::format(
      "{{ {} : {} and {} }}", instance_text(nest, Statement::update), domain_text(nest, Statement::update),
      left_out.empty() ? "false" : fmt::format("({})", fmt::join(left_out, " or "))));
}

std::string describe_loop(const Nest& nest, const Schedule& schedule, int loop) {
  const Loop& l = schedule.loops[loop];
  const auto same_dim = std::count_if(schedule.loops.begin(), schedule.loops.end(),
                                      [&](const Loop& other) { return other.dim == l.dim; });
  std::string text = nest.dims[l.dim].name;
  if (same_dim > 1) text += fmt::format("/{}{} (loop {})", l.step, l.balanced ? "~" : "", loop);
  return text;
}

}  // namespace cortex::polyhedral
