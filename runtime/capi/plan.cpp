#include <fmt/format.h>

#include "runtime/capi/capi.h"

using namespace cortex;

namespace {

Result<PlanOptions> read_options(const cortex_plan_options& o) {
  const auto bad = [](const char* name, int value) {
    return invalid_argument(fmt::format("cortex_plan_options: {} {} is unknown", name, value));
  };
  if (o.src_layout < CORTEX_LAYOUT_NATIVE || o.src_layout > CORTEX_LAYOUT_NCHW)
    return bad("src_layout", o.src_layout);
  if (o.dst_layout < CORTEX_LAYOUT_NATIVE || o.dst_layout > CORTEX_LAYOUT_NCHW)
    return bad("dst_layout", o.dst_layout);
  if (o.weights_layout < CORTEX_WEIGHTS_DEFAULT || o.weights_layout > CORTEX_WEIGHTS_NK) {
    return bad("weights_layout", o.weights_layout);
  }
  if (o.weights_handling != CORTEX_WEIGHTS_PREPACKED && o.weights_handling != CORTEX_WEIGHTS_PLAIN) {
    return bad("weights_handling", o.weights_handling);
  }
  if (o.kernel < CORTEX_KERNEL_AUTO || o.kernel > CORTEX_KERNEL_INTERPRETED) return bad("kernel", o.kernel);
  PlanOptions out;
  out.threads = o.threads == 0 ? 1 : o.threads;
  out.src_layout = static_cast<cortex_layout>(o.src_layout);
  out.dst_layout = static_cast<cortex_layout>(o.dst_layout);
  out.weights_layout = static_cast<cortex_weights_layout>(o.weights_layout);
  out.prepacked = o.weights_handling == CORTEX_WEIGHTS_PREPACKED;
  out.kernel = static_cast<cortex_kernel_choice>(o.kernel);
  if (o.schedule) out.schedule = o.schedule;
  if (o.schedule && out.schedule.empty()) {
    return invalid_argument(
        "cortex_plan_options: schedule is an empty text: give a schedule, or NULL to have one searched");
  }
  if (o.sparse_share != 0 && o.sparse_share != 1 && o.sparse_share != 2 && o.sparse_share != 4 &&
      o.sparse_share != CORTEX_SPARSE_OR_DENSE && o.sparse_share != CORTEX_SPARSE_BITMAP &&
      o.sparse_share != CORTEX_SPARSE_PATTERNS)
    return bad("sparse_share", o.sparse_share);
  if (!o.sparse_weights && o.sparse_share != 0 && o.sparse_share != CORTEX_SPARSE_OR_DENSE) {
    return invalid_argument(fmt::format(
        "cortex_plan_options: sparse_share {} without sparse_weights: give the weights whose zeros "
        "the plan may rely on, or leave sparse_share 0",
        o.sparse_share));
  }
  if (o.reserved0 != 0) return invalid_argument("cortex_plan_options: reserved fields must be zero");
  out.sparse_weights = o.sparse_weights;
  out.sparse_share = o.sparse_share;
  return out;
}

}  // namespace

extern "C" cortex_status cortex_plan_create(const cortex_context* context, const cortex_problem* problem,
                                            const cortex_plan_options* options, cortex_plan** plan,
                                            cortex_message* message) {
  return guarded(message, [&] {
    if (!context || !problem || !plan) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_plan_create: NULL argument");
    }
    cortex_plan_options o{};
    if (options && !read_struct(options, &o, message, "cortex_plan_options")) return CORTEX_INVALID_ARGUMENT;
    const Result<PlanOptions> read = read_options(o);
    if (!read) return fail(message, read.error());
    bool not_found = false;
    Result<Plan> made = make_plan(context->value, problem->value, *read, &not_found);
    if (!made) {
      return not_found ? fail(message, CORTEX_NOT_FOUND, made.error().message) : fail(message, made.error());
    }
    *plan = new cortex_plan{std::move(made).value()};
    return CORTEX_OK;
  });
}

extern "C" void cortex_plan_destroy(cortex_plan* plan) { delete plan; }

extern "C" cortex_status cortex_plan_query(const cortex_plan* plan, cortex_plan_info* info,
                                           cortex_message* message) {
  return guarded(message, [&] {
    if (!plan || !info) return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_plan_query: NULL argument");
    const std::size_t size = info->struct_size;
    if (size < sizeof(std::size_t) || size > 4096) {
      return fail(message, CORTEX_INVALID_ARGUMENT,
                  "cortex_plan_info: struct_size is not the size of the struct");
    }
    const Plan& p = plan->value;
    cortex_plan_info out{};
    out.struct_size = size;
    out.src_bytes = p.src_bytes;
    out.weights_bytes = p.weights_bytes;
    out.packed_weights_bytes = p.packed_bytes;
    out.bias_bytes = p.bias_bytes;
    out.scale_bytes = p.scale_bytes;
    out.src_images = static_cast<int32_t>(p.src_points.images);
    out.dst_images = static_cast<int32_t>(p.dst_points.images);
    out.src_block = p.src_points.block;
    out.dst_block = p.dst_points.block;
    out.residual_bytes = p.residual_bytes;
    out.dst_bytes = p.dst_bytes;
    out.scratch_bytes = p.scratch.total;
    out.flops = 2.0 * static_cast<double>(multiply_adds(p.problem));
    out.predicted_seconds = p.predicted_seconds;
    out.threads = p.options.threads;
    out.tasks = p.tasks;
    out.generated = p.entry != nullptr;
    out.isa = isa_name(p.isa);
    out.kernel = p.program.kernel.name.c_str();
    out.schedule = p.schedule_text.c_str();
    out.problem = p.problem_text.c_str();
    out.src_layout = p.src_layout.c_str();
    out.dst_layout = p.dst_layout.c_str();
    out.native_src_layout = p.native_src_layout.c_str();
    out.native_dst_layout = p.native_dst_layout.c_str();
    out.weights_layout = p.weights_layout.c_str();
    if (size > sizeof out) std::memset(reinterpret_cast<char*>(info) + sizeof out, 0, size - sizeof out);
    std::memcpy(info, &out, size < sizeof out ? size : sizeof out);
    return CORTEX_OK;
  });
}

extern "C" const cortex_kernel_entry* cortex_plan_kernel(const cortex_plan* plan) {
  return plan ? plan->value.entry : nullptr;
}

extern "C" cortex_status cortex_plan_pack_weights(const cortex_plan* plan, const void* weights, void* packed,
                                                  cortex_message* message) {
  return guarded(message, [&] {
    if (!plan || !weights || !packed) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_plan_pack_weights: NULL argument");
    }
    const auto alignment = static_cast<uintptr_t>(size_of(plan->value.problem.wei));
    const auto misaligned = [&](const char* name, const void* pointer, uintptr_t wanted) {
      if (reinterpret_cast<uintptr_t>(pointer) % wanted == 0) return false;
      fail(message, CORTEX_INVALID_ARGUMENT,
           fmt::format("cortex_plan_pack_weights: {} must be {}-byte aligned", name, wanted));
      return true;
    };
    if (misaligned("weights", weights, alignment) || misaligned("packed", packed, 4))
      return CORTEX_INVALID_ARGUMENT;
    if (!plan->value.options.prepacked) {
      return fail(message, CORTEX_INVALID_ARGUMENT,
                  "cortex_plan_pack_weights: this plan takes plain weights, it has nothing to pack");
    }
    if (Status s = pack_weights(plan->value, weights, packed); !s) return fail(message, s.error());
    return CORTEX_OK;
  });
}
