// A convolution that sums its window, through the C++ interface; and an error with its message.
#include <cortex/cortex.hpp>

#include <cstdio>
#include <vector>

int main() {
  const cortex::Context context;
  try {
    const cortex::Problem impossible("mb1ic8ih4oc8kh9ph0");
    return 1;
  } catch (const cortex::Error& error) {
    if (error.status() == CORTEX_OK || !*error.what()) return 1;
  }
  cortex::Problem late(nullptr);
  cortex_message why;
  if (cortex::Problem::create("nonsense", late, &why) == CORTEX_OK || !why.text[0]) return 1;

  const cortex::Problem problem("mb2ic16ih9oc16oh9kh3ph1");
  const cortex::ThreadPool pool(2);
  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 2;
  const cortex::Plan plan(context, problem, options);
  const std::vector<float> src(2 * 16 * 81, 1.0f), weights(16 * 16 * 9, 1.0f);
  std::vector<float> dst(2 * 16 * 81);
  const cortex::Buffer packed = plan.pack_weights(weights.data()), scratch = plan.scratch();
  cortex_execute_args args = cortex_execute_args_init();
  args.src = src.data();
  args.weights = packed.data();
  args.dst = dst.data();
  args.scratch = scratch.data();
  args.pool = pool.get();
  plan.execute(args);
  const bool right = dst[0] == 4 * 16.0f && dst[16 * (9 + 1)] == 9 * 16.0f;
  std::puts(right ? "c++: ok" : "c++: wrong result");
  return right ? 0 : 1;
}
