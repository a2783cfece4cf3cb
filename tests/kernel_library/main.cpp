// Runs a generated kernel, then prints how many the library has.
#include <cortex/cortex.hpp>

#include <cstdio>
#include <vector>

#ifndef LIBRARY
#define HEADER "my_kernels.h"
#define LIBRARY my_kernels
#endif
#include HEADER

int main() {
  cortex_context_options choose = cortex_context_options_init();
  choose.max_isa = "baseline";
  cortex::Context context(choose);
  context.add_library(*LIBRARY());
  const cortex::Problem problem("--attr-post-ops=relu 12x34:34x56");
  cortex_plan_options options = cortex_plan_options_init();
  options.kernel = CORTEX_KERNEL_GENERATED;
  const cortex::Plan plan(context, problem, options);
  const std::vector<float> a(12 * 34, 1.0f), b(34 * 56, 0.5f);
  std::vector<float> c(12 * 56);
  const cortex::Buffer packed = plan.pack_weights(b.data()), scratch = plan.scratch();
  cortex_execute_args args = cortex_execute_args_init();
  args.src = a.data();
  args.weights = packed.data();
  args.dst = c.data();
  args.scratch = scratch.data();
  plan.execute(args);
  for (const float x : c) {
    if (x != 17.0f) return 1;
  }
  std::printf("%d\n", static_cast<int>(LIBRARY()->count));
}
