// A fully connected layer on two threads: C = GELU(A B + bias), weights packed once and used many times.
#include <cortex/cortex.hpp>

#include <cstdio>
#include <vector>

int main() try {
  const cortex::Context context;
  const cortex::Problem problem("--bia_dt=f32 --attr-post-ops=gelu_tanh 128x768:768x3072");
  const cortex::ThreadPool pool(2);

  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 2;
  const cortex::Plan plan(context, problem, options);
  std::printf("%s on %s\n  %s\n", problem.text().c_str(), plan.info().isa, plan.info().schedule);

  const std::vector<float> a(128 * 768, 0.25f), b(768 * 3072, 0.125f), bias(3072, -23.0f);
  std::vector<float> c(128 * 3072);
  const cortex::Buffer packed = plan.pack_weights(b.data());
  const cortex::Buffer scratch = plan.scratch();

  cortex_execute_args args = cortex_execute_args_init();
  args.src = a.data();
  args.weights = packed.data();
  args.bias = bias.data();
  args.dst = c.data();
  args.scratch = scratch.data();
  args.pool = pool.get();
  for (int step = 0; step < 10; ++step) plan.execute(args);

  // 768 * 0.25 * 0.125 - 23 = 1, and GELU(1) = 0.8412 in its tanh form.
  std::printf("c[0] = %.4f\n", static_cast<double>(c[0]));
  return c[0] > 0.8411f && c[0] < 0.8413f ? 0 : 1;
} catch (const cortex::Error& error) {
  std::fprintf(stderr, "%s: %s\n", cortex_status_string(error.status()), error.what());
  return 1;
}
