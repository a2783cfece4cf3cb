// cortex_plan_execute: the checks cost a few nanoseconds; what they find is worded off the hot path.
#include <fmt/format.h>

#include "runtime/capi/capi.h"

using namespace cortex;

namespace {

uintptr_t alignment_of(DataType type) { return static_cast<uintptr_t>(size_of(type)); }

struct OperandCheck {
  const char* name;
  const void* pointer;
  int64_t given, needed;
  uintptr_t alignment = 4;
};

[[gnu::noinline, gnu::cold]] cortex_status explain(const Plan& plan, const cortex_execute_args& args,
                                                   cortex_message* message) {
  return guarded(message, [&] {
    const auto bad = [&](std::string text) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_plan_execute: " + text);
    };
    for (const uint64_t word : args.reserved) {
      if (word != 0) return bad("reserved fields of the arguments must be zero");
    }
    const OperandCheck checks[] = {
        {"src", args.src, args.src_bytes, plan.src_bytes, alignment_of(plan.problem.src)},
        {"weights", args.weights, args.weights_bytes,
         plan.options.prepacked ? plan.packed_bytes : plan.weights_bytes,
         plan.options.prepacked ? 4 : alignment_of(plan.problem.wei)},
        {"bias", args.bias, args.bias_bytes, plan.bias_bytes},
        {"scale", args.scale, args.scale_bytes, plan.scale_bytes},
        {"residual", args.residual, args.residual_bytes, plan.residual_bytes, alignment_of(plan.problem.dst)},
        {"dst", args.dst, args.dst_bytes, plan.dst_bytes, alignment_of(plan.problem.dst)},
        {"scratch", args.scratch, args.scratch_bytes, plan.scratch.total, 64},
    };
    for (const OperandCheck& c : checks) {
      if (c.needed == 0) continue;
      if (!c.pointer) return bad(fmt::format("{} is NULL, the plan needs {} bytes", c.name, c.needed));
      if (reinterpret_cast<uintptr_t>(c.pointer) % c.alignment) {
        return bad(fmt::format("{} must be {}-byte aligned", c.name, c.alignment));
      }
      if (c.given != 0 && c.given < c.needed) {
        return bad(fmt::format("{} has {} bytes, the plan needs {}", c.name, c.given, c.needed));
      }
    }
    return bad(args.pool->struct_size < sizeof *args.pool
                   ? "struct_size of the thread pool is not the size of the struct"
                   : "the thread pool has no run function");
  });
}

bool good(const void* pointer, int64_t given, int64_t needed, uintptr_t alignment) {
  return needed == 0 || (pointer && reinterpret_cast<uintptr_t>(pointer) % alignment == 0 &&
                         (given == 0 || given >= needed));
}

bool good(const Plan& p, const cortex_execute_args& a) {
  return (a.reserved[0] | a.reserved[1]) == 0 && good(a.scale, a.scale_bytes, p.scale_bytes, 4) &&
         good(a.src, a.src_bytes, p.src_bytes, alignment_of(p.problem.src)) &&
         good(a.weights, a.weights_bytes, p.options.prepacked ? p.packed_bytes : p.weights_bytes,
              p.options.prepacked ? 4 : alignment_of(p.problem.wei)) &&
         good(a.bias, a.bias_bytes, p.bias_bytes, 4) &&
         good(a.residual, a.residual_bytes, p.residual_bytes, alignment_of(p.problem.dst)) &&
         good(a.dst, a.dst_bytes, p.dst_bytes, alignment_of(p.problem.dst)) &&
         good(a.scratch, a.scratch_bytes, p.scratch.total, 64) &&
         (!a.pool || (a.pool->struct_size >= sizeof *a.pool && a.pool->run));
}

cortex_status checked(const Plan& plan, const cortex_execute_args& args, cortex_message* message) {
  if (!good(plan, args)) return explain(plan, args, message);
  if (message) message->text[0] = '\0';
  execute(plan, args);
  return CORTEX_OK;
}

// Of a program built with an older or a newer header, or not from cortex_execute_args_init.
[[gnu::noinline, gnu::cold]] cortex_status execute_other_version(const Plan& plan,
                                                                 const cortex_execute_args* args,
                                                                 cortex_message* message) {
  return guarded(message, [&] {
    cortex_execute_args copy;
    if (!read_struct(args, &copy, message, "cortex_execute_args")) return CORTEX_INVALID_ARGUMENT;
    return checked(plan, copy, message);
  });
}

}  // namespace

extern "C" cortex_status cortex_plan_execute(const cortex_plan* plan, const cortex_execute_args* args,
                                             cortex_message* message) {
  if (!plan || !args) return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_plan_execute: NULL argument");
  if (args->struct_size != sizeof *args) return execute_other_version(plan->value, args, message);
  return checked(plan->value, *args, message);
}
