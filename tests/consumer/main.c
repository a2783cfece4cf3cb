/* Identity times a ramp, and a recurrent cell of one step, through the C interface. */
#include <cortex/cortex.h>
#include <cortex/recursive.h>
#include <stdio.h>
#include <stdlib.h>

enum { size = 24 };

/* h = tanh(U h_0 + x + b) of one step: tanh(0.5). */
static int recursion(const cortex_context* context) {
  static const float x[2] = {0.5f, 0.5f}, u[4] = {1, 2, 3, 4}, b[2] = {0, 0};
  const int32_t offsets[2] = {0, 1}, words[1] = {0};
  float h[2] = {0, 0};
  cortex_message why;
  cortex_recursive_model* model = NULL;
  cortex_recursive_executor* executor = NULL;
  cortex_recursive_options options = cortex_recursive_options_init();
  cortex_recursive_batch batch = cortex_recursive_batch_init();
  cortex_recursive_result result = {NULL, CORTEX_RECURSIVE_ROOTS, 0, NULL, 0, 1, {0, 0}};
  options.name = "seqrnn";
  options.hidden = 2;
  batch.structures = batch.nodes = 1;
  batch.structure_offsets = offsets;
  batch.words = words;
  result.data = h;
  if (cortex_recursive_create(context, &options, &model, &why) ||
      cortex_recursive_set_parameter(model, "X", x, 2, &why) ||
      cortex_recursive_set_parameter(model, "U", u, 4, &why) ||
      cortex_recursive_set_parameter(model, "b", b, 2, &why) ||
      cortex_recursive_executor_create(model, 1, &executor, &why) ||
      cortex_recursive_run(executor, &batch, &result, 1, &why)) {
    fprintf(stderr, "%s\n", why.text);
    return 0;
  }
  cortex_recursive_executor_destroy(executor);
  cortex_recursive_destroy(model);
  return h[0] > 0.46210f && h[0] < 0.46213f && h[1] == h[0];
}

int main(void) {
  static float a[size * size], b[size * size], c[size * size];
  cortex_message why;
  cortex_context* context = NULL;
  cortex_problem* problem = NULL;
  cortex_plan* plan = NULL;
  cortex_matmul_desc desc = cortex_matmul_desc_init();
  cortex_plan_options options = cortex_plan_options_init();
  cortex_plan_info info = cortex_plan_info_init();
  cortex_execute_args args = cortex_execute_args_init();
  char* memory;
  size_t misaligned;
  int i;

  if (cortex_version() / 100 != CORTEX_VERSION_MAJOR * 100 + CORTEX_VERSION_MINOR) return 1;
  for (i = 0; i < size * size; ++i) {
    a[i] = i % (size + 1) == 0 ? 1.0f : 0.0f;
    b[i] = (float)i;
  }
  desc.m = desc.n = desc.k = size;
  options.weights_handling = CORTEX_WEIGHTS_PLAIN;
  if (cortex_context_create(NULL, &context, &why) || cortex_problem_create_matmul(&desc, &problem, &why) ||
      cortex_plan_create(context, problem, &options, &plan, &why) || cortex_plan_query(plan, &info, &why)) {
    fprintf(stderr, "%s\n", why.text);
    return 1;
  }
  memory = malloc((size_t)info.scratch_bytes + 64);
  misaligned = (size_t)memory % 64;
  args.src = a;
  args.weights = b;
  args.dst = c;
  args.scratch = memory + (misaligned ? 64 - misaligned : 0);
  if (cortex_plan_execute(plan, &args, &why)) {
    fprintf(stderr, "%s\n", why.text);
    return 1;
  }
  for (i = 0; i < size * size; ++i) {
    if (c[i] != b[i]) return 1;
  }
  if (!recursion(context)) return 1;
  free(memory);
  cortex_plan_destroy(plan);
  cortex_problem_destroy(problem);
  cortex_context_destroy(context);
  puts("c: ok");
  return 0;
}
