#include "runtime/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "graph/lower/lower.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/model/ask_for_c.h"
#include "polyopt/schedule/kernel_key.h"
#include "polyopt/search/search.h"
#include "runtime/library/library.h"
#include "support/checked.h"
#include "support/fnv.h"

namespace cortex {
namespace {

// A library made for another width is no match unless insisted on.
Isa width_of(Isa isa, const Problem& problem) { return problem.src == DataType::f32 ? f32_isa(isa) : isa; }

// The latest library that has `key` for this thread count, on the best ISA the context may use.
const cortex_kernel_entry* find_generated(const Context& context, const Problem& problem,
                                          const std::string& key, int threads, bool any_isa) {
  for (auto library = context.libraries.rbegin(); library != context.libraries.rend(); ++library) {
    for (int i = static_cast<int>(context.isa); i >= 0; --i) {
      const Isa isa = static_cast<Isa>(i);
      if (!runs(context.isa, isa)) continue;
      if (!any_isa && width_of(isa, problem) != width_of(context.isa, problem)) break;
      if (const auto* entry = find_entry(**library, kernel_entry_hash(key, isa_name(isa), threads), key))
        return entry;
    }
  }
  return nullptr;
}

// For those who insist on generated code: scheduled for another thread count it still runs; the nearest is
// likely the best.
const cortex_kernel_entry* find_for_any_threads(const Context& context, const Problem& problem,
                                                const std::string& key, int threads) {
  if (const auto* entry = find_generated(context, problem, key, threads, true)) return entry;
  std::vector<int> others;
  for (const cortex_kernel_library* library : context.libraries) {
    for (int i = 0; i < library->count; ++i) {
      if (library->entries[i].key == std::string_view(key)) others.push_back(library->entries[i].threads);
    }
  }
  std::sort(others.begin(), others.end(),
            [&](int x, int y) { return std::abs(x - threads) < std::abs(y - threads); });
  for (const int other : others) {
    if (const auto* entry = find_generated(context, problem, key, other, true)) return entry;
  }
  return nullptr;
}

class Builder {
 public:
  Builder(const Context& context, const Problem& problem, const PlanOptions& options) : context_(context) {
    plan_.problem = problem;
    plan_.options = options;
  }

  Result<Plan> build(bool* not_found) {
    not_found_ = not_found;
    for (Status (Builder::*step)() :
         {&Builder::check_options, &Builder::lower_problem, &Builder::choose_schedule,
          &Builder::choose_kernel, &Builder::size_operands, &Builder::place_copies,
          &Builder::place_scratch}) {
      if (Status s = (this->*step)(); !s) return s.error();
    }
    return std::move(plan_);
  }

 private:
  Status check_options() {
    const Problem& p = plan_.problem;
    PlanOptions& o = plan_.options;
    if (o.threads < 1 || o.threads > (1 << 16)) {
      return invalid_argument(fmt::format("plan for {} threads: 1 to 65536", o.threads));
    }
    if (Status s = validate(p); !s) return s;
    if (p.is_matmul()) {
      if (o.src_layout != CORTEX_LAYOUT_NATIVE || o.dst_layout != CORTEX_LAYOUT_NATIVE) {
        return invalid_argument(
            "src_layout and dst_layout nhwc or nchw are for convolutions: use native for a matmul");
      }
      const bool transposed = p.matmul().b_transposed;
      if (o.weights_layout == CORTEX_WEIGHTS_DEFAULT) {
        o.weights_layout = transposed ? CORTEX_WEIGHTS_NK : CORTEX_WEIGHTS_KN;
      } else if (!o.prepacked &&
                 (o.weights_layout == CORTEX_WEIGHTS_NK || o.weights_layout == CORTEX_WEIGHTS_KN)) {
        // The kernel reads what the caller holds: no separate reordering.
        std::get<MatmulProblem>(plan_.problem.op).b_transposed = o.weights_layout == CORTEX_WEIGHTS_NK;
      }
    } else if (o.weights_layout == CORTEX_WEIGHTS_DEFAULT) {
      o.weights_layout = CORTEX_WEIGHTS_OIHW;
    }
    return Status::success();
  }

  Status lower_problem() {
    Result<Nest> lowered = lower(plan_.problem);
    if (!lowered) return lowered.error();
    lowered_ = std::move(lowered).value();
    lowered_.b_constant = lowered_.b_constant && plan_.options.prepacked;
    nest_ = coalesce(lowered_);
    return Status::success();
  }

  Status choose_schedule() {
    const PlanOptions& o = plan_.options;
    Schedule schedule;
    if (!o.schedule.empty()) {
      if (o.kernel == CORTEX_KERNEL_GENERATED) {
        return invalid_argument(
            "a schedule text and kernel = generated: generated kernels bring their own schedule");
      }
      Result<Schedule> parsed = parse_schedule(o.schedule, nest_);
      if (!parsed) return parsed.error();
      return resolve_schedule(*parsed);
    }
    const std::string key = kernel_table_key(plan_.problem, o.prepacked);
    if (const cortex_kernel_entry* entry =
            o.kernel == CORTEX_KERNEL_GENERATED
                ? find_for_any_threads(context_, plan_.problem, key, o.threads)
                : find_generated(context_, plan_.problem, key, o.threads, false)) {
      Result<Schedule> parsed = parse_schedule(entry->schedule, nest_);
      if (!parsed) return parsed.error();
      if (Status s = resolve_schedule(*parsed); !s) return s;
      plan_.predicted_seconds = entry->predicted_seconds;
      if (o.kernel != CORTEX_KERNEL_INTERPRETED) plan_.entry = entry;
      return Status::success();
    }
    if (o.kernel == CORTEX_KERNEL_GENERATED) {
      *not_found_ = true;
      return unsupported(fmt::format(
          "no generated kernel for {} with {} threads on {} in {} libraries: generate one, or allow kernel = "
          "auto",
          to_string(plan_.problem), o.threads, isa_name(context_.isa), context_.libraries.size()));
    }
    SearchOptions search_options;
    search_options.threads = o.threads;
    search_options.prepacked_b = o.prepacked;
    Result<SearchResult> found = search(nest_, context_.machine, search_options);
    if (!found) return found.error();
    if (found->best.empty()) {
      return internal_error(fmt::format("search found no schedule for {}", to_string(plan_.problem)));
    }
    plan_.predicted_seconds = found->best.front().prediction.seconds;
    return resolve_schedule(found->best.front().schedule);
  }

  Status resolve_schedule(const Schedule& schedule) {
    Result<Program> program = resolve(nest_, schedule);
    if (!program) return program.error();
    plan_.program = std::move(program).value();
    ask_for_c(plan_.program, context_.machine);
    plan_.schedule_text = to_string(schedule, nest_);
    return Status::success();
  }

  Status choose_kernel() {
    const KernelInfo* kernel = find_kernel(plan_.program.kernel.name);
    if (!kernel) return internal_error(fmt::format("no microkernel \"{}\"", plan_.program.kernel.name));
    plan_.isa = kernel->isa;
    if (!is_built(kernel->isa)) {
      return unsupported(fmt::format("microkernel {}: {}", kernel->name, not_built(kernel->isa)));
    }
    if (!runs(context_.isa, kernel->isa)) {
      return unsupported(fmt::format("microkernel {} needs {}, this context may use {}", kernel->name,
                                     isa_name(kernel->isa), isa_name(context_.isa)));
    }
    plan_.pack = pack_function(context_.isa);
    plan_.grid = thread_grid(plan_.program, plan_.options.threads);
    plan_.tasks = 1;
    for (const int extent : plan_.grid) plan_.tasks *= extent;
    const ProgramSplit& split = plan_.program.split;
    if (split.sum) {
      plan_.sum_grid = thread_grid(*split.sum, plan_.options.threads);
      plan_.sum_tasks = 1;
      for (const int extent : plan_.sum_grid) plan_.sum_tasks *= extent;
    }
    if (const cortex_kernel_entry* entry = plan_.entry) {
      if (entry->packed_weights_bytes != plan_.program.packed_weights_bytes) {
        return invalid_argument(
            fmt::format("generated kernel for {} packs weights into {} bytes, this version into {}: generate "
                        "the library again",
                        entry->problem, entry->packed_weights_bytes, plan_.program.packed_weights_bytes));
      }
      const int64_t parts_bytes = split.sum ? split.scratch_bytes() : 0;
      if (entry->parts_bytes != parts_bytes) {
        return invalid_argument(fmt::format(
            "generated kernel for {} keeps parts of sums in {} bytes, this version in {}: generate "
            "the library again",
            entry->problem, entry->parts_bytes, parts_bytes));
      }
      return Status::success();
    }
    Result<Interpreter> code = Interpreter::compile(plan_.program, context_.isa);
    if (!code) return code.error();
    plan_.interpreter = std::move(code).value();
    if (!split.sum) return Status::success();
    Result<Interpreter> sum = Interpreter::compile(*split.sum, context_.isa);
    if (!sum) return sum.error();
    plan_.sum = std::move(sum).value();
    return Status::success();
  }

  static int64_t product(const std::vector<int64_t>& extents) {
    int64_t all = 1;
    for (const int64_t extent : extents) all *= extent;
    return all;
  }
  static int64_t src_elements(const Problem& p) {
    if (p.is_matmul()) return product(p.matmul().batch_a) * p.matmul().m * p.matmul().k;
    const ConvProblem& c = p.conv();
    return c.mb * c.ic * c.id * c.ih * c.iw;
  }
  static int64_t weights_elements(const Problem& p) {
    if (p.is_matmul()) return product(p.matmul().batch_b) * p.matmul().k * p.matmul().n;
    const ConvProblem& c = p.conv();
    return c.oc * (c.ic / c.g) * c.kd * c.kh * c.kw;
  }

  int64_t compensation_bytes() const {
    const Problem& p = plan_.problem;
    return (p.is_conv() ? p.conv().oc : p.matmul().n) * static_cast<int64_t>(sizeof(int32_t));
  }

  Status size_operands() {
    const Problem& p = plan_.problem;
    plan_.nest_src_bytes = byte_size(lowered_[Operand::a].tensor);
    plan_.nest_weights_bytes = byte_size(lowered_[Operand::b].tensor);
    plan_.src_bytes = src_elements(p) * size_of(p.src);
    plan_.weights_bytes = weights_elements(p) * size_of(p.wei);
    plan_.dst_bytes = byte_size(lowered_[Operand::c].tensor);
    if (p.epilogue.residual) plan_.residual_bytes = plan_.dst_bytes;
    if (p.epilogue.bias) {
      plan_.bias_bytes = (p.is_conv() ? p.conv().oc : p.matmul().n) * static_cast<int64_t>(sizeof(float));
    }
    if (plan_.options.prepacked) {
      const int64_t bytes =
          plan_.program.packed_weights_bytes ? plan_.program.packed_weights_bytes : plan_.nest_weights_bytes;
      plan_.packed_bytes = round_up(bytes, 4);  // callers align them to that
    }
    if (p.epilogue.scale) {
      plan_.scale_bytes = (p.is_conv() ? p.conv().oc : p.matmul().n) * static_cast<int64_t>(sizeof(float));
    }
    if (nest_.epilogue.compensation) {
      if (p.is_matmul() && product(p.matmul().batch_b) > 1) {
        return unsupported(fmt::format(
            "plan for {}: s8 sources, or a zero point, times a matrix of weights per batch; use u8 "
            "without one",
            to_string(p)));
      }
      plan_.compensation_at = round_up(plan_.packed_bytes, 64);
      if (plan_.options.prepacked) plan_.packed_bytes = plan_.compensation_at + compensation_bytes();
    }
    plan_.problem_text = to_string(p);
    return Status::success();
  }

  Status place_copies() {
    const Problem& p = plan_.problem;
    const PlanOptions& o = plan_.options;
    Result<Copies> weights = weights_to_nest(p, lowered_, o.weights_layout);
    if (!weights) return weights.error();
    (o.prepacked ? plan_.weights_order : plan_.weights_in) = *weights;
    plan_.src_in = src_to_units(p, o.src_layout);
    plan_.weights_layout = weights_layout_name(o.weights_layout);

    // Partial sums of a split reduction lie in scratch.
    plan_.residual_aside =
        p.epilogue.residual && has_outer_reduction(plan_.program) && plan_.program.split.loop < 0;
    if (p.is_matmul()) {
      const MatmulProblem& m = p.matmul();
      plan_.src_layout = plan_.native_src_layout = m.a_transposed ? "km" : "mk";
      plan_.dst_layout = plan_.native_dst_layout = "mn";
      return Status::success();
    }
    const ConvProblem& c = p.conv();
    const auto name = [](cortex_layout layout) { return layout == CORTEX_LAYOUT_NCHW ? "ncdhw" : "ndhwc"; };
    plan_.src_layout = name(o.src_layout);
    plan_.dst_layout = name(o.dst_layout);
    plan_.native_src_layout = plan_.native_dst_layout = name(CORTEX_LAYOUT_NATIVE);
    plan_.src_points = {1, o.src_layout == CORTEX_LAYOUT_NCHW ? c.id * c.ih * c.iw : 1};
    plan_.dst_points = {1, o.dst_layout == CORTEX_LAYOUT_NCHW ? c.od * c.oh * c.ow : 1};
    if (o.src_layout == CORTEX_LAYOUT_NCHW && a_in_units(p)) {
      const Copy copy = nchw_to_nhwc(c.mb, c.ic, c.id * c.ih * c.iw, size_of(p.src));
      if (!is_identity(copy)) plan_.src_in = {copy};
    }
    if (o.dst_layout == CORTEX_LAYOUT_NCHW) {
      const Copy out = nhwc_to_nchw(c.mb, c.oc, c.od * c.oh * c.ow, size_of(p.dst));
      if (!is_identity(out)) {
        plan_.dst_out = out;
        if (p.epilogue.residual)
          plan_.residual_in = nchw_to_nhwc(c.mb, c.oc, c.od * c.oh * c.ow, size_of(p.dst));
      }
    }
    return Status::success();
  }

  Status place_scratch() {
    ScratchMap& s = plan_.scratch;
    bool fits = true;
    const auto place = [&](bool wanted, int64_t bytes) -> int64_t {
      if (!wanted) return -1;
      const int64_t at = s.total;
      const std::optional<int64_t> end = checked_add(s.total, bytes);
      fits = fits && end && *end <= INT64_MAX - 64;
      if (fits) s.total = round_up(*end, 64);
      return at;
    };
    s.src = place(!plan_.src_in.empty(), plan_.nest_src_bytes);
    s.weights = place(!plan_.weights_in.empty(), plan_.nest_weights_bytes);
    s.compensation = place(plan_.compensation_at >= 0 && !plan_.options.prepacked, compensation_bytes());
    s.dst = place(plan_.dst_out.has_value(), plan_.dst_bytes);
    s.residual = place(plan_.residual_aside, plan_.residual_bytes);
    s.parts = place(plan_.sum_tasks > 0, plan_.program.split.scratch_bytes());
    s.per_thread = round_up(plan_.entry ? plan_.entry->scratch_bytes : plan_.program.scratch_bytes, 64);
    const std::optional<int64_t> all = checked_mul(s.per_thread, plan_.tasks);
    s.threads = place(true, all.value_or(INT64_MAX));
    if (fits) return Status::success();
    return overflow_error(
        fmt::format("plan for {}: scratch does not fit the address space", plan_.problem_text));
  }

  const Context& context_;
  Plan plan_;
  Nest lowered_, nest_;
  bool* not_found_ = nullptr;
};

}  // namespace

Result<Plan> make_dense_plan(const Context& context, const Problem& problem, const PlanOptions& options,
                             bool* not_found) {
  return Builder(context, problem, options).build(not_found);
}

}  // namespace cortex
