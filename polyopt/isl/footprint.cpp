#include "polyopt/isl/footprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyopt/isl/count.h"
#include "polyopt/isl/statements.h"
#include "support/checked.h"

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

  std::vector<Runs> indices;
  const Factors factors = factorise(image, indices);
  if (factors == Factors::failed || context.failed()) return context.refusal(what);
  if (factors == Factors::product) {
    std::optional<int64_t> elements = 1;
    std::vector<Axis> axes;
    for (std::size_t j = 0; j < indices.size(); ++j) {
      elements = elements ? checked_mul(*elements, count(indices[j])) : elements;
      axes.push_back({std::move(indices[j]), access.tensor.strides[j] * size_of(access.tensor.type)});
    }
    if (!elements) return overflow_error(what + ": more elements than 64 bits count");
    if (const auto lines = count_lines(axes, size_of(access.tensor.type), line_bytes)) {
      return OperandFootprint{*elements, *lines, true};
    }
  }
  const Result<int64_t> elements = enumerate_points(context, image, what);
  if (!elements) return elements.error();
  const Result<int64_t> lines = enumerate_points(context, lines_of(context, image, access, line_bytes), what);
  if (!lines) return lines.error();
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
