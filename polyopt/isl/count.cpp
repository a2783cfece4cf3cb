#include "polyopt/isl/count.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/checked.h"

namespace cortex::polyhedral {
namespace {

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
  if (isl_val_is_int(lo.get()) != isl_bool_true || isl_val_is_int(hi.get()) != isl_bool_true)
    return isl_stat_error;  // unbounded
  const Run run{isl_val_get_num_si(lo.get()), isl_val_get_num_si(hi.get()),
                std::max<int64_t>(1, isl_val_get_num_si(stride.get()))};
  if (isl_val_cmp_si(size.get(), run.count()) != 0) return isl_set_foreach_point(set.get(), push_point, runs);
  static_cast<Runs*>(runs)->push_back(run);
  return isl_stat_ok;
}

Set project_onto(const Set& set, unsigned axis, unsigned rank) {
  Set one = call(isl_set_project_out, set, isl_dim_set, axis + 1, rank - axis - 1);
  return call(isl_set_reset_tuple_id, call(isl_set_project_out, std::move(one), isl_dim_set, 0u, axis));
}

}  // namespace

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

Factors factorise(const Set& set, std::vector<Runs>& axes) {
  const isl_size dims = isl_set_dim(set.get(), isl_dim_set);
  if (dims < 0) return Factors::failed;
  const unsigned rank = static_cast<unsigned>(dims);
  Set product;
  for (unsigned j = 0; j < rank; ++j) {
    const Set axis = project_onto(set, j, rank);
    axes.emplace_back();
    if (!to_runs(axis, axes.back())) return Factors::failed;
    product = j == 0 ? axis : call(isl_set_flat_product, std::move(product), axis);
  }
  if (rank == 0) return Factors::product;
  const isl_bool equal = isl_set_is_equal(call(isl_set_reset_tuple_id, set).get(), product.get());
  if (equal == isl_bool_error) return Factors::failed;
  return equal == isl_bool_true ? Factors::product : Factors::no_product;
}

Result<int64_t> enumerate_points(const Context& context, const Set& set, const std::string& what) {
  const Val n(isl_set_count_val(set.get()));
  if (!n || context.failed()) return context.refusal(what);
  if (isl_val_is_int(n.get()) != isl_bool_true) {
    return invalid_argument(fmt::format("{}: the set is not bounded", what));
  }
  if (isl_val_cmp_si(n.get(), std::numeric_limits<int64_t>::max()) > 0) {
    return overflow_error(fmt::format("{}: more points than 64 bits count", what));
  }
  return isl_val_get_num_si(n.get());
}

Result<Count> count_points(const Context& context, const Set& set, const std::string& what) {
  if (!set || context.failed()) return context.refusal(what);
  std::vector<Runs> axes;
  const Factors factors = factorise(set, axes);
  if (factors == Factors::failed || context.failed()) return context.refusal(what);
  if (factors == Factors::product && !axes.empty()) {
    std::optional<int64_t> n = 1;
    for (const Runs& axis : axes) n = n ? checked_mul(*n, count(axis)) : n;
    if (!n) return overflow_error(fmt::format("{}: more points than 64 bits count", what));
    return Count{*n, true};
  }
  const Result<int64_t> n = enumerate_points(context, set, what);
  if (!n) return n.error();
  return Count{*n, false};
}

}  // namespace cortex::polyhedral
