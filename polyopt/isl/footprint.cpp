#include "polyopt/isl/footprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "polyopt/isl/runs.h"
#include "polyopt/isl/statements.h"

namespace cortex {
namespace {

using namespace polyhedral;

Set tile_set(const Context& context, const Nest& nest, const std::vector<TileRange>& tile) {
  std::vector<std::string> bounds{"true"};
  for (std::size_t d = 0; d < tile.size(); ++d) {
    bounds.push_back(fmt::format("{} <= i{} < {}", tile[d].lo, d, tile[d].lo + tile[d].len));
  }
  return context.set(
      fmt::format("{{ {} : {} }}", instance_text(nest, Statement::update), fmt::join(bounds, " and ")));
}

isl_stat push_point(isl_point* point, void* runs) {
  const Point owned(point);
  const int64_t x = coordinate(owned, 0);
  static_cast<Runs*>(runs)->push_back({x, x, 1});
  return isl_stat_ok;
}

// One convex piece of a 1-D set: a run if its extremes and stride tell all of it, else its points.
isl_stat push_piece(isl_basic_set* piece, void* runs) {
  const Set set(isl_set_from_basic_set(piece));
  const Val lo(isl_set_dim_min_val(set.copy(), 0)), hi(isl_set_dim_max_val(set.copy(), 0));
  const Val stride(isl_set_get_stride(set.get(), 0)), size(isl_set_count_val(set.get()));
  if (!lo || !hi || !stride || !size) return isl_stat_error;
  const Run run{isl_val_get_num_si(lo.get()), isl_val_get_num_si(hi.get()),
                std::max<int64_t>(1, isl_val_get_num_si(stride.get()))};
  if (isl_val_cmp_si(size.get(), run.count()) != 0) return isl_set_foreach_point(set.get(), push_point, runs);
  static_cast<Runs*>(runs)->push_back(run);
  return isl_stat_ok;
}

// A 1-D set as ascending runs. False on failure in isl.
bool to_runs(const Set& set, Runs& runs) {
  const Set disjoint = call(isl_set_make_disjoint, call(isl_set_coalesce, set));
  if (isl_set_foreach_basic_set(disjoint.get(), push_piece, &runs) != isl_stat_ok) return false;
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.lo < b.lo; });
  const auto interleaved = [](const Run& a, const Run& b) { return b.lo <= a.hi; };
  if (std::adjacent_find(runs.begin(), runs.end(), interleaved) == runs.end()) return true;
  Runs points;
  for (const Run& run : runs) {
    for (int64_t x = run.lo; x <= run.hi; x += run.stride) points.push_back({x, x, 1});
  }
  std::sort(points.begin(), points.end(), [](const Run& a, const Run& b) { return a.lo < b.lo; });
  runs = std::move(points);
  return true;
}

Set project_onto(const Set& image, unsigned axis, unsigned rank) {
  Set set = call(isl_set_project_out, image, isl_dim_set, axis + 1, rank - axis - 1);
  return call(isl_set_reset_tuple_id, call(isl_set_project_out, std::move(set), isl_dim_set, 0u, axis));
}

// The image's projection on each tensor dimension, if the image is their product.
enum class Factors { product, no_product, failed };
Factors factorise(const Set& image, const Tensor& tensor, std::vector<Axis>& axes) {
  const unsigned rank = static_cast<unsigned>(tensor.strides.size());
  Set product;
  for (unsigned j = 0; j < rank; ++j) {
    const Set axis = project_onto(image, j, rank);
    axes.push_back({{}, tensor.strides[j] * size_of(tensor.type)});
    if (!to_runs(axis, axes.back().indices)) return Factors::failed;
    product = j == 0 ? axis : call(isl_set_flat_product, std::move(product), axis);
  }
  if (rank == 0) return Factors::product;
  const isl_bool equal = isl_set_is_equal(call(isl_set_reset_tuple_id, image).get(), product.get());
  if (equal == isl_bool_error) return Factors::failed;
  return equal == isl_bool_true ? Factors::product : Factors::no_product;
}

// isl counts by enumeration, within the context's budget.
std::optional<int64_t> enumerate(const Context& context, const Set& set) {
  const Val n(isl_set_count_val(set.get()));
  if (!n || context.failed()) return std::nullopt;
  return isl_val_get_num_si(n.get());
}

// { line : some element of the image lies in it }.
Set lines_of(const Context& context, const Set& image, const Access& access, int64_t line_bytes) {
  const int64_t elem = size_of(access.tensor.type);
  std::vector<std::string> x;
  std::string address = "0";
  for (std::size_t j = 0; j < access.tensor.strides.size(); ++j) {
    x.push_back(fmt::format("x{}", j));
    address += fmt::format(" + {}x{}", access.tensor.strides[j] * elem, j);
  }
  const Map to_line = context.map(fmt::format("{{ [{}] -> [l] : {}l <= {} < {}l + {} }}", fmt::join(x, ", "),
                                              line_bytes, address, line_bytes, line_bytes));
  return call(isl_set_coalesce, call(isl_set_apply, call(isl_set_reset_tuple_id, image), to_line));
}

Result<OperandFootprint> array_footprint(const Context& context, const Nest& nest, const Set& tile,
                                         Operand operand, int64_t line_bytes) {
  const Access& access = nest[operand];
  const std::string what = fmt::format("footprint of {} in {}", operand_name(operand), nest.name);
  context.restart();
  const Set image = call(isl_set_coalesce, call(isl_set_apply, tile,
                                                access_relation(context, nest, Statement::update, operand)));
  if (!image || context.failed()) return context.refusal(what);

  std::vector<Axis> axes;
  const Factors factors = factorise(image, access.tensor, axes);
  if (factors == Factors::failed || context.failed()) return context.refusal(what);
  if (factors == Factors::product) {
    OperandFootprint result{.elements = 1};
    for (const Axis& axis : axes) result.elements *= count(axis.indices);
    if (const auto lines = count_lines(axes, size_of(access.tensor.type), line_bytes)) {
      result.lines = *lines;
      return result;
    }
  }
  const std::optional<int64_t> elements = enumerate(context, image);
  const std::optional<int64_t> lines =
      elements ? enumerate(context, lines_of(context, image, access, line_bytes)) : std::nullopt;
  if (!lines) return context.refusal(what);
  return OperandFootprint{*elements, *lines, false};
}

}  // namespace

Result<ExactFootprint> exact_footprint(const Nest& nest, const std::vector<TileRange>& tile,
                                       int64_t line_bytes) {
  if (tile.size() != nest.dims.size()) {
    return invalid_argument(
        fmt::format("footprint in {}: {} ranges for {} dims", nest.name, tile.size(), nest.dims.size()));
  }
  const Context context;
  const Set iterations = tile_set(context, nest, tile);
  ExactFootprint footprint{.array = {}, .line_bytes = line_bytes};
  for (int o = 0; o < operand_count; ++o) {
    Result<OperandFootprint> one =
        array_footprint(context, nest, iterations, static_cast<Operand>(o), line_bytes);
    if (!one) return one.error();
    footprint.array[o] = *one;
  }
  return footprint;
}

Result<ExactFootprint> exact_footprint(const Nest& nest, const Schedule& schedule, int depth,
                                       int64_t line_bytes) {
  if (depth < 0 || depth > std::ssize(schedule.loops)) {
    return invalid_argument(fmt::format("footprint in {}: depth {} of a schedule with {} loops", nest.name,
                                        depth, schedule.loops.size()));
  }
  return exact_footprint(nest, interior_tile(nest, schedule, depth), line_bytes);
}

}  // namespace cortex
