// The hot path: stages of tasks over the caller's memory.
#include <cstring>

#include "graph/lower/lower.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/zero_point.h"
#include "support/aligned_buffer.h"
#include "support/checked.h"

namespace cortex {
namespace {

// Stores past the caches keep no order: whoever learns that this thread is done must find them done too.
void finish_stores() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

void run_kernel(const Plan& plan, const cortex_kernel_call& call) {
  if (plan.entry) {
    plan.entry->run(&call);
  } else {
    plan.interpreter->run(call);
  }
  if (plan.program.kernel.c_far == 2) finish_stores();
}

void run_sum(const Plan& plan, const cortex_kernel_call& call) {
  if (plan.entry) {
    plan.entry->sum(&call);
  } else {
    plan.sum->run(call);
  }
}

// What the parts of a split reduction are multiplied by.
struct Ones {
  alignas(64) float value[CORTEX_MAX_PARTS];
  constexpr Ones() : value{} {
    for (float& one : value) one = 1;
  }
};
constexpr Ones ones;

struct Stage {
  const Plan* plan;
  const Copy* copy = nullptr;
  const void* from = nullptr;
  void* to = nullptr;
  int64_t bytes = 0;  // of a plain copy
  int parts = 1;
  const cortex_kernel_call* call = nullptr;
  const SparseCall* sparse = nullptr;
  char* scratch = nullptr;  // of the first thread
};

cortex_kernel_call call_of(const Stage& stage, int index) {
  cortex_kernel_call call = *stage.call;
  for (int i = CORTEX_MAX_PARALLEL_LOOPS - 1; i >= 0; --i) {
    call.coord[i] = index % call.grid[i];
    index /= call.grid[i];
  }
  return call;
}

void kernel_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  cortex_kernel_call call = call_of(stage, index);
  if (stage.plan->scratch.per_thread) call.scratch = stage.scratch + index * stage.plan->scratch.per_thread;
  run_kernel(*stage.plan, call);
}

void sum_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  run_sum(*stage.plan, call_of(stage, index));
}

void sparse_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  run_sparse(*stage.plan->sparse, *stage.sparse, stage.scratch + index * stage.plan->scratch.per_thread,
             index, stage.plan->tasks);
  if (stage.plan->sparse->past_caches) finish_stores();
}

void bitmap_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  run_bitmap(*stage.plan->bitmap, *stage.sparse, stage.scratch + index * stage.plan->scratch.per_thread,
             index, stage.plan->tasks);
}

void copy_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  stage.copy->run(stage.plan->pack, stage.from, stage.to, index, stage.parts);
}

void move_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  const int64_t begin = stage.bytes * index / stage.parts, end = stage.bytes * (index + 1) / stage.parts;
  std::memcpy(static_cast<char*>(stage.to) + begin, static_cast<const char*>(stage.from) + begin,
              static_cast<std::size_t>(end - begin));
}

void shift_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  shift_to_u8(stage.to, stage.bytes, index, stage.parts);
}

void halo_task(void* arg, int index) {
  const Stage& stage = *static_cast<const Stage*>(arg);
  fill_halo(stage.plan->problem, stage.to, index, stage.parts);
}

void run_tasks(const cortex_thread_pool* pool, int tasks, void (*task)(void*, int), Stage& stage) {
  if (pool && tasks > 1) {
    pool->run(pool->context, tasks, task, &stage);
    return;
  }
  for (int i = 0; i < tasks; ++i) task(&stage, i);
}

class Execution {
 public:
  Execution(const Plan& plan, const cortex_execute_args& args)
      : plan_(plan), args_(args), scratch_(static_cast<char*>(args.scratch)) {}

  void run() {
    cortex_kernel_call call{};
    call.a = args_.src;
    call.b = args_.weights;
    call.c = args_.dst;
    if (plan_.problem.epilogue.bias) call.bias = args_.bias;
    for (int i = 0; i < CORTEX_MAX_PARALLEL_LOOPS; ++i) call.grid[i] = plan_.grid[i];

    if (!plan_.src_in.empty()) call.a = copy(plan_.src_in, args_.src, plan_.scratch.src);
    if (plan_.problem.epilogue.scale) call.scale = args_.scale;
    if (!plan_.sparse && !plan_.bitmap && a_is_copied(plan_.problem)) finish_src();
    if (!plan_.weights_in.empty()) call.b = copy(plan_.weights_in, args_.weights, plan_.scratch.weights);
    if (plan_.compensation_at >= 0) call.compensation = compensation(call.b);
    if (plan_.dst_out) call.c = scratch_ + plan_.scratch.dst;
    if (plan_.problem.epilogue.residual) call.residual = residual();

    Stage stage{&plan_};
    stage.call = &call;
    stage.scratch = scratch_ + plan_.scratch.threads;
    const SparseCall sparse{
        static_cast<const char*>(call.a),        static_cast<const char*>(call.b), call.bias, call.scale,
        static_cast<const char*>(call.residual), static_cast<char*>(call.c)};
    stage.sparse = &sparse;
    if (plan_.sum_tasks > 0) {
      run_split(call, stage);
    } else {
      run_tasks(args_.pool, plan_.tasks,
                plan_.sparse   ? sparse_task
                : plan_.bitmap ? bitmap_task
                               : kernel_task,
                stage);
    }

    if (plan_.dst_out) copy_to(*plan_.dst_out, call.c, args_.dst);
  }

 private:
  // The parts of a split reduction, each by one thread, then the sum of them.
  void run_split(const cortex_kernel_call& whole, Stage& stage) {
    cortex_kernel_call part = whole;
    part.c = scratch_ + plan_.scratch.parts;
    part.bias = nullptr;
    part.residual = nullptr;
    stage.call = &part;
    run_tasks(args_.pool, plan_.tasks, kernel_task, stage);

    cortex_kernel_call sum = whole;
    sum.a = ones.value;
    sum.b = part.c;
    for (int i = 0; i < CORTEX_MAX_PARALLEL_LOOPS; ++i) sum.grid[i] = plan_.sum_grid[i];
    stage.call = &sum;
    run_tasks(args_.pool, plan_.sum_tasks, sum_task, stage);
  }

  const void* copy(const Copies& copies, const void* from, int64_t at) {
    for (const Copy& part : copies) copy_to(part, from, scratch_ + at);
    return scratch_ + at;
  }

  void copy_to(const Copy& copy, const void* from, void* to) {
    Stage stage{&plan_};
    stage.copy = &copy;
    stage.from = from;
    stage.to = to;
    stage.parts = plan_.options.threads;
    run_tasks(args_.pool, stage.parts, copy_task, stage);
  }

  // After the copy of the source, where padding is 0.
  void finish_src() {
    const Problem& p = plan_.problem;
    Stage stage{&plan_};
    stage.to = scratch_ + plan_.scratch.src;
    stage.bytes = plan_.nest_src_bytes;
    stage.parts = plan_.options.threads;
    if (p.src == DataType::s8) run_tasks(args_.pool, stage.parts, shift_task, stage);
    if (p.is_conv() && p.src_zero_point) run_tasks(args_.pool, stage.parts, halo_task, stage);
  }

  const int32_t* compensation(const void* nest_weights) {
    if (plan_.options.prepacked) {
      return reinterpret_cast<const int32_t*>(static_cast<const char*>(args_.weights) +
                                              plan_.compensation_at);
    }
    auto* sums = reinterpret_cast<int32_t*>(scratch_ + plan_.scratch.compensation);
    compensate(plan_.problem, nest_weights, sums);
    return sums;
  }

  const void* residual() {
    const ScratchMap& at = plan_.scratch;
    // Reordered into what will be C: the kernel then adds in place, unless partial sums go there first.
    if (plan_.residual_in) {
      char* to = scratch_ + (plan_.residual_aside ? at.residual : at.dst);
      copy_to(*plan_.residual_in, args_.residual, to);
      return to;
    }
    if (!plan_.residual_aside || args_.residual != args_.dst) return args_.residual;
    Stage stage{&plan_};
    stage.from = args_.residual;
    stage.to = scratch_ + at.residual;
    stage.bytes = plan_.residual_bytes;
    stage.parts = plan_.options.threads;
    run_tasks(args_.pool, stage.parts, move_task, stage);
    return stage.to;
  }

  const Plan& plan_;
  const cortex_execute_args& args_;
  char* scratch_;
};

}  // namespace

void execute(const Plan& plan, const cortex_execute_args& args) {
  if (!plan.is_plain_call()) return Execution(plan, args).run();
  cortex_kernel_call call;
  call.a = args.src;
  call.b = args.weights;
  call.c = args.dst;
  call.bias = plan.problem.epilogue.bias ? args.bias : nullptr;
  call.residual = nullptr;
  call.scale = plan.problem.epilogue.scale ? args.scale : nullptr;
  call.compensation = nullptr;
  call.scratch = args.scratch;
  for (int i = 0; i < CORTEX_MAX_PARALLEL_LOOPS; ++i) {
    call.grid[i] = 1;
    call.coord[i] = 0;
  }
  run_kernel(plan, call);
}

Status pack_weights(const Plan& plan, const void* weights, void* packed) {
  if (plan.sparse) {
    return pack_sparse(*plan.sparse, view_weights(plan.problem, plan.options.weights_layout, weights),
                       packed);
  }
  if (plan.bitmap) {
    return pack_bitmap(*plan.bitmap, view_weights(plan.problem, plan.options.weights_layout, weights),
                       packed);
  }
  const ProgramPack* panels = nullptr;
  for (const ProgramPack& pack : plan.program.packs) {
    if (pack.ahead_of_time) panels = &pack;
  }
  AlignedBuffer ordered;
  const void* from = weights;
  if (!plan.weights_order.empty()) {
    void* to = packed;
    if (panels) {
      ordered = AlignedBuffer(static_cast<std::size_t>(plan.nest_weights_bytes));
      to = ordered.data();
      if (!to) return Error{ErrorCode::out_of_memory, "pack_weights: no memory for the reordered weights"};
    }
    for (const Copy& part : plan.weights_order) part.run(plan.pack, weights, to, 0, 1);
    from = to;
  }
  if (plan.compensation_at >= 0) {
    compensate(plan.problem, from,
               reinterpret_cast<int32_t*>(static_cast<char*>(packed) + plan.compensation_at));
  }
  if (!panels) {
    if (from != packed) std::memcpy(packed, from, static_cast<std::size_t>(plan.nest_weights_bytes));
    return Status::success();
  }
  int64_t box[CORTEX_PACK_MAX_RANK] = {};
  for (int j = 0; j < panels->desc.rank; ++j) {
    box[j] = 1;
    for (std::size_t d = 0; d < plan.program.nest.dims.size(); ++d) {
      box[j] += panels->coeff[j][d] * (plan.program.nest.dims[d].extent - 1);
    }
  }
  plan.pack(&panels->desc, from, packed, panels->constant.data(), box);
  return Status::success();
}

}  // namespace cortex
