// Plans for weights with zeros: channel-major activations around a SparseKernel; a BitmapKernel as it is.
#include <fmt/format.h>

#include "microkernels/catalogue/catalogue.h"
#include "runtime/plan/plan.h"
#include "support/checked.h"

namespace cortex {
namespace {

const char* kernel_type(DataType src) {
  return src == DataType::f32 ? "f32" : src == DataType::bf16 ? "bf16" : "u8s8";
}

Status check_options(const Problem& problem, PlanOptions& o) {
  if (o.threads < 1 || o.threads > (1 << 16))
    return invalid_argument(fmt::format("plan for {} threads: 1 to 65536", o.threads));
  if (Status s = validate(problem); !s) return s;
  const auto bad = [](const char* what) {
    return invalid_argument(fmt::format("a plan with sparse_weights: {}", what));
  };
  if (reinterpret_cast<uintptr_t>(o.sparse_weights) % static_cast<uintptr_t>(size_of(problem.wei)))
    return bad("they must be aligned as their elements are");
  if (!o.prepacked) return bad("weights are packed ahead; weights_handling must be prepacked");
  if (!o.schedule.empty()) return bad("there is no schedule to choose; leave schedule NULL");
  if (o.kernel == CORTEX_KERNEL_GENERATED) return bad("no kernels are generated for them; use kernel auto");
  const bool matmul = problem.is_matmul();
  if (matmul && (o.src_layout != CORTEX_LAYOUT_NATIVE || o.dst_layout != CORTEX_LAYOUT_NATIVE))
    return bad("src_layout and dst_layout nhwc or nchw are for convolutions: use native for a matmul");
  if (o.weights_layout == CORTEX_WEIGHTS_DEFAULT) {
    o.weights_layout = !matmul                         ? CORTEX_WEIGHTS_OIHW
                       : problem.matmul().b_transposed ? CORTEX_WEIGHTS_NK
                                                       : CORTEX_WEIGHTS_KN;
  }
  const bool of_matmul = o.weights_layout == CORTEX_WEIGHTS_KN || o.weights_layout == CORTEX_WEIGHTS_NK;
  if (of_matmul != matmul) return bad("weights_layout is one of the other operator");
  return Status::success();
}

void place_layouts(Plan& plan) {
  const Problem& p = plan.problem;
  const PlanOptions& o = plan.options;
  const bool matmul = p.is_matmul();
  const ConvProblem& c = plan.sparse->conv;
  const int64_t points = points_of(c), inputs = c.id * c.ih * c.iw;
  const bool src_channels_last = matmul ? !p.matmul().a_transposed : o.src_layout == CORTEX_LAYOUT_NHWC;
  const bool dst_channels_last = matmul || o.dst_layout == CORTEX_LAYOUT_NHWC;
  if (const Copy in = nhwc_to_nchw(c.mb, c.ic, inputs, size_of(p.src)); src_channels_last && !is_identity(in))
    plan.src_in = {in};
  if (const Copy out = nchw_to_nhwc(c.mb, c.oc, points, size_of(p.dst));
      dst_channels_last && !is_identity(out)) {
    plan.dst_out = out;
    if (p.epilogue.residual) plan.residual_in = nhwc_to_nchw(c.mb, c.oc, points, size_of(p.dst));
  }
  const Tiling& t = plan.sparse->tiling;
  plan.native_src_layout = matmul ? (src_channels_last ? "mk" : "km") : t.in.name(inputs);
  plan.native_dst_layout = matmul ? "mn" : t.out.name(points);
  if (!matmul) {
    plan.src_points = src_channels_last ? PointLayout{1, 1} : t.in;
    plan.dst_points = dst_channels_last ? PointLayout{1, 1} : t.out;
  }
  plan.src_layout = !matmul && src_channels_last ? "ndhwc" : plan.native_src_layout;
  plan.dst_layout = !matmul && dst_channels_last ? "ndhwc" : plan.native_dst_layout;
  plan.weights_layout = weights_layout_name(o.weights_layout);
}

Status place_scratch(Plan& plan, int64_t per_thread) {
  ScratchMap& s = plan.scratch;
  const auto place = [&](bool wanted, int64_t bytes) -> int64_t {
    if (!wanted) return -1;
    const int64_t at = s.total;
    s.total = round_up(s.total + bytes, 64);
    return at;
  };
  s.src = place(!plan.src_in.empty(), plan.src_bytes);
  s.dst = place(plan.dst_out.has_value(), plan.dst_bytes);
  s.per_thread = per_thread;
  const std::optional<int64_t> all = checked_mul(s.per_thread, plan.tasks);
  if (!all || !checked_add(s.total + 64, *all))
    return overflow_error(
        fmt::format("plan for {}: scratch does not fit the address space", plan.problem_text));
  s.threads = place(true, *all);
  return Status::success();
}

}  // namespace

Result<Plan> make_sparse_plan(const Context& context, const Problem& problem, const PlanOptions& options) {
  Plan plan;
  plan.problem = problem;
  plan.options = options;
  if (Status s = check_options(problem, plan.options); !s) return s.error();
  const WeightsView weights = view_weights(problem, plan.options.weights_layout, options.sparse_weights);
  const bool own_layouts = problem.is_conv() && options.src_layout == CORTEX_LAYOUT_NATIVE &&
                           options.dst_layout == CORTEX_LAYOUT_NATIVE;
  Result<SparseKernel> kernel = make_sparse_kernel(problem, weights, options.sparse_share, own_layouts,
                                                   options.threads, context.isa, context.machine);
  if (!kernel) return kernel.error();
  plan.options.sparse_weights = nullptr;  // not kept: the caller's
  const SparseKernel& k = *kernel;
  plan.isa = k.isa;
  plan.pack = pack_function(k.isa);
  plan.predicted_seconds = k.seconds;
  plan.tasks = static_cast<int>(
      std::min<int64_t>(options.threads, static_cast<int64_t>(k.tiling.tiles.size()) * k.row_parts));
  plan.schedule_text = k.text();
  plan.program.kernel.name =
      fmt::format("sparse_{}_{}{}x{}_{}", kernel_type(problem.src), k.sharing.rows,
                  k.sharing.patterns ? "p" : "", k.vector.lanes * k.tiling.vectors, isa_name(k.isa));
  const ConvProblem& c = k.conv;
  plan.src_bytes = size_of(problem.src) * c.mb * c.ic * c.id * c.ih * c.iw;
  plan.weights_bytes = size_of(problem.wei) * weights.rows * weights.channels * weights.taps;
  plan.dst_bytes = size_of(problem.dst) * c.mb * c.oc * points_of(c);
  plan.packed_bytes = k.packed_bytes;
  if (problem.epilogue.residual) plan.residual_bytes = plan.dst_bytes;
  if (problem.epilogue.bias) plan.bias_bytes = 4 * c.oc;
  if (problem.epilogue.scale) plan.scale_bytes = 4 * c.oc;
  plan.problem_text = to_string(problem);
  plan.sparse = std::make_shared<const SparseKernel>(std::move(kernel).value());
  place_layouts(plan);
  if (Status s = place_scratch(plan, plan.sparse->scratch_bytes); !s) return s.error();
  return plan;
}

Result<Plan> make_bitmap_plan(const Context& context, const Problem& problem, const PlanOptions& options) {
  Plan plan;
  plan.problem = problem;
  plan.options = options;
  if (Status s = check_options(problem, plan.options); !s) return s.error();
  const WeightsView weights = view_weights(problem, plan.options.weights_layout, options.sparse_weights);
  Result<BitmapKernel> kernel = make_bitmap_kernel(problem, weights, context.isa, context.machine);
  if (!kernel) return kernel.error();
  plan.options.sparse_weights = nullptr;  // not kept: the caller's
  const BitmapKernel& k = *kernel;
  plan.isa = k.isa;
  plan.pack = pack_function(k.isa);
  plan.tasks = static_cast<int>(std::min<int64_t>(options.threads, k.blocks()));
  // The longest share of the work.
  plan.predicted_seconds = k.seconds * static_cast<double>(ceil_div(k.blocks(), int64_t{plan.tasks})) /
                           static_cast<double>(k.blocks());
  plan.schedule_text = k.text();
  plan.program.kernel.name = k.name;
  plan.src_bytes = size_of(problem.src) * k.m * k.k;
  plan.weights_bytes = size_of(problem.wei) * k.k * k.n;
  plan.dst_bytes = size_of(problem.dst) * k.m * k.n;
  plan.packed_bytes = k.packed_bytes;
  if (problem.epilogue.residual) plan.residual_bytes = plan.dst_bytes;
  if (problem.epilogue.bias) plan.bias_bytes = 4 * k.n;
  if (problem.epilogue.scale) plan.scale_bytes = 4 * k.n;
  plan.problem_text = to_string(problem);
  plan.native_src_layout = plan.src_layout = k.a_transposed ? "km" : "mk";
  plan.native_dst_layout = plan.dst_layout = "mn";
  plan.weights_layout = weights_layout_name(plan.options.weights_layout);
  plan.bitmap = std::make_shared<const BitmapKernel>(std::move(kernel).value());
  if (Status s = place_scratch(plan, plan.bitmap->scratch_bytes); !s) return s.error();
  return plan;
}

}  // namespace cortex
