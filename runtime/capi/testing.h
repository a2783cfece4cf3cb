// What the tests of the C interface share: contexts, problems, a plan with its memory.
#pragma once

#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "runtime/testing/handle.h"

namespace capi_testing {

using cortex::testing::Handle;

inline Handle<cortex_context> make_context() {
  cortex_context* out = nullptr;
  EXPECT_EQ(cortex_context_create(nullptr, &out, nullptr), CORTEX_OK);
  return Handle<cortex_context>(out);
}

inline Handle<cortex_problem> parse(const char* text) {
  cortex_problem* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_problem_parse(text, &out, &message), CORTEX_OK) << message.text;
  return Handle<cortex_problem>(out);
}

inline Handle<cortex_plan> plan_for(const cortex_context* context, const char* text,
                                    cortex_plan_options options) {
  const auto problem = parse(text);
  cortex_plan* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_plan_create(context, problem.get(), &options, &out, &message), CORTEX_OK) << message.text;
  return Handle<cortex_plan>(out);
}

// Memory of a plan, every operand filled with ones, and arguments that point to it.
struct Memory {
  std::vector<float> src, weights, packed, bias, dst, scratch;
  cortex_plan_info info = cortex_plan_info_init();
  cortex_execute_args args = cortex_execute_args_init();

  explicit Memory(const cortex_plan* plan) {
    EXPECT_EQ(cortex_plan_query(plan, &info, nullptr), CORTEX_OK);
    const auto floats = [](int64_t bytes) { return static_cast<std::size_t>(bytes / 4); };
    src.assign(floats(info.src_bytes), 1.0f);
    weights.assign(floats(info.weights_bytes), 1.0f);
    packed.assign(floats(info.packed_weights_bytes), 0.0f);
    bias.assign(floats(info.bias_bytes), 1.0f);
    dst.assign(floats(info.dst_bytes), 0.0f);
    scratch.assign(floats(info.scratch_bytes) + 32, 0.0f);
    if (!packed.empty()) {
      EXPECT_EQ(cortex_plan_pack_weights(plan, weights.data(), packed.data(), nullptr), CORTEX_OK);
    }
    args.src = src.data();
    args.weights = packed.empty() ? weights.data() : packed.data();
    args.bias = bias.data();
    args.dst = dst.data();
    const uintptr_t at = reinterpret_cast<uintptr_t>(scratch.data());
    args.scratch = reinterpret_cast<void*>((at + 63) / 64 * 64);
  }
};

}  // namespace capi_testing
