/* A 3x3 convolution with bias and ReLU on NCHW activations and OIHW weights, as frameworks hold them. */
#include <cortex/cortex.h>
#include <stdio.h>
#include <stdlib.h>

static void* aligned(int64_t bytes) { return aligned_alloc(64, ((size_t)bytes + 64) / 64 * 64); }

static float* filled(int64_t bytes, float value) {
  float* data = aligned(bytes);
  for (int64_t i = 0; i < bytes / (int64_t)sizeof(float); ++i) data[i] = value;
  return data;
}

int main(void) {
  cortex_message why;
  cortex_context* context = NULL;
  cortex_problem* problem = NULL;
  cortex_plan* plan = NULL;

  cortex_conv_desc desc = cortex_conv_desc_init();
  desc.in_channels = 64;
  desc.out_channels = 32;
  for (int axis = 1; axis < 3; ++axis) { /* height and width; depth stays unused */
    desc.in[axis] = 28;
    desc.kernel[axis] = 3;
    desc.pad_begin[axis] = desc.pad_end[axis] = 1;
  }
  cortex_epilogue_desc epilogue = cortex_epilogue_desc_init();
  epilogue.bias = 1;
  epilogue.activation = CORTEX_ACTIVATION_RELU;
  cortex_plan_options options = cortex_plan_options_init();
  options.src_layout = options.dst_layout = CORTEX_LAYOUT_NCHW;
  options.weights_layout = CORTEX_WEIGHTS_OIHW;

  if (cortex_context_create(NULL, &context, &why) || cortex_problem_create_conv(&desc, &problem, &why) ||
      cortex_problem_set_epilogue(problem, &epilogue, &why) ||
      cortex_plan_create(context, problem, &options, &plan, &why)) {
    fprintf(stderr, "%s\n", why.text);
    return 1;
  }
  cortex_plan_info info = cortex_plan_info_init();
  cortex_plan_query(plan, &info, NULL);
  printf("%s\n  %s\n", info.problem, info.schedule);

  float* src = filled(info.src_bytes, 1.0f);
  float* weights = filled(info.weights_bytes, 0.5f);
  float* bias = filled(info.bias_bytes, -200.0f);
  float* dst = aligned(info.dst_bytes);
  void* packed = aligned(info.packed_weights_bytes);
  void* scratch = aligned(info.scratch_bytes);
  cortex_execute_args args = cortex_execute_args_init();
  args.src = src;
  args.weights = packed;
  args.bias = bias;
  args.dst = dst;
  args.scratch = scratch;
  if (cortex_plan_pack_weights(plan, weights, packed, &why) || cortex_plan_execute(plan, &args, &why)) {
    fprintf(stderr, "%s\n", why.text);
    return 1;
  }
  /* Inside, 9 taps x 64 channels x 0.5 - 200 = 88; in the corner 4 taps: 128 - 200, cut to 0 by ReLU. */
  printf("corner %g, inside %g\n", dst[0], dst[28 + 1]);
  const int correct = dst[0] == 0.0f && dst[28 + 1] == 88.0f;

  free(src), free(weights), free(bias), free(dst), free(packed), free(scratch);
  cortex_plan_destroy(plan);
  cortex_problem_destroy(problem);
  cortex_context_destroy(context);
  return correct ? 0 : 1;
}
