// A convolution that sums its window and a recurrent cell, through the C++ interface; and an error with its
// message.
#include <cortex/cortex.hpp>
#include <cortex/recursive.hpp>

#include <cstdio>
#include <vector>

// h = tanh(U h_0 + x + b) over two steps of zeros and halves, both ways, run by a team.
bool recursion(const cortex::Context& context) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.name = "seqrnn";
  options.hidden = 2;
  options.bidirectional = 1;
  cortex::RecursiveModel model(context, options);
  for (const cortex_recursive_tensor& p : model.parameters())
    model.set(p.name, std::vector<float>(static_cast<std::size_t>(p.count), 0.25f));
  cortex::RecursiveExecutor executor(model, 2);
  const std::vector<std::int32_t> offsets = {0, 2}, words = {0, 0};
  cortex_recursive_batch batch = cortex_recursive_batch_init();
  batch.structures = 1;
  batch.nodes = 2;
  batch.structure_offsets = offsets.data();
  batch.words = words.data();
  std::vector<float> h(4);
  cortex_recursive_result result{};
  result.data = h.data();
  executor.run(batch, {result});
  return h[0] > 0.46212f && h[0] < 1.0f && h == std::vector<float>(4, h[0]) && executor.info().nodes == 2 &&
         model.outputs().at(0).count == 4;
}

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
  const bool right = recursion(context) && dst[0] == 4 * 16.0f && dst[16 * (9 + 1)] == 9 * 16.0f;
  std::puts(right ? "c++: ok" : "c++: wrong result");
  return right ? 0 : 1;
}
