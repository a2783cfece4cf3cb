// Dense, by lists or by bitmap: what the caller asks for, or what is predicted to be fastest.
#include "runtime/plan/plan.h"

namespace cortex {
namespace {

// Seconds of one thread that moves the plan's operands from and to the caller's layouts. EPYC (Zen 5): a
// transposed element of 4 bytes takes 0.8 cycles from L3. EPYC (Zen 4): one of 2 bytes, moved by itself, 1.7.
double reorder_seconds(const Plan& plan, const Machine& machine) {
  double cycles = 0;
  const auto add = [&](const Copy& copy) {
    const auto elements = static_cast<double>(copy.bytes / copy.desc.elem_size);
    cycles += elements * (copy.desc.elem_size == 4 ? 0.8 : 1.7);
  };
  for (const Copy& copy : plan.src_in) add(copy);
  if (plan.residual_in) add(*plan.residual_in);
  if (plan.dst_out) add(*plan.dst_out);
  return cycles / (machine.ghz * 1e9);
}

double seconds_of(const Plan& plan, const Machine& machine) {
  return plan.predicted_seconds + reorder_seconds(plan, machine) / plan.options.threads;
}

// Lists have rows in their lanes, bitmaps columns: for few rows.
constexpr int64_t most_bitmap_rows = 16;

// beside_dense: the dense plan may be taken instead.
Result<Plan> make_zeros_plan(const Context& context, const Problem& problem, const PlanOptions& options,
                             bool beside_dense) {
  if (options.sparse_share == CORTEX_SPARSE_BITMAP) return make_bitmap_plan(context, problem, options);
  Result<Plan> lists = make_sparse_plan(context, problem, options);
  const bool few_rows = problem.is_matmul() && problem.matmul().m <= most_bitmap_rows;
  if (!lists || options.sparse_share != 0 || !few_rows) return lists;
  Result<Plan> bitmap = make_bitmap_plan(context, problem, options);
  if (!bitmap || (beside_dense && bitmap->bitmap->outrun)) return lists;
  return seconds_of(*lists, context.machine) < seconds_of(*bitmap, context.machine) ? std::move(lists)
                                                                                    : std::move(bitmap);
}

// Zeros may be too few to be worth lists.
Result<Plan> make_fastest_plan(const Context& context, const Problem& problem, PlanOptions options,
                               bool* not_found) {
  options.sparse_share = 0;
  Result<Plan> sparse = make_zeros_plan(context, problem, options, true);
  const Error* const refused = sparse ? nullptr : &sparse.error();
  if (refused && refused->code != ErrorCode::unsupported) return sparse;
  options.sparse_weights = nullptr;
  Result<Plan> dense = make_dense_plan(context, problem, options, not_found);
  if (!dense) return dense.error();
  if (refused) return dense;
  return seconds_of(*dense, context.machine) < seconds_of(*sparse, context.machine) ? std::move(dense)
                                                                                    : std::move(sparse);
}

}  // namespace

Result<Plan> make_plan(const Context& context, const Problem& problem, const PlanOptions& options,
                       bool* not_found) {
  if (options.sparse_weights && options.sparse_share == CORTEX_SPARSE_OR_DENSE)
    return make_fastest_plan(context, problem, options, not_found);
  if (options.sparse_weights) return make_zeros_plan(context, problem, options, false);
  return make_dense_plan(context, problem, options, not_found);
}

}  // namespace cortex
