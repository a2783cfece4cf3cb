// What the C interface refuses, and that it says why.
#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/capi/testing.h"

namespace {

using namespace capi_testing;

TEST(Capi, ContextRefusesUnknownIsaAndMissingMachine) {
  cortex_message message;
  cortex_context* context = nullptr;
  cortex_context_options options = cortex_context_options_init();
  options.max_isa = "avx1024";
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("avx1024"), std::string::npos);
  EXPECT_EQ(context, nullptr);

  ASSERT_EQ(setenv("CORTEX_MAX_ISA", "sse9", 1), 0);
  EXPECT_EQ(cortex_context_create(nullptr, &context, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("sse9"), std::string::npos);
  ASSERT_EQ(setenv("CORTEX_MAX_ISA", "baseline", 1), 0);
  ASSERT_EQ(cortex_context_create(nullptr, &context, &message), CORTEX_OK) << message.text;
  EXPECT_STREQ(cortex_context_isa(context), "baseline");
  EXPECT_STREQ(message.text, "");
  cortex_context_destroy(context);
  unsetenv("CORTEX_MAX_ISA");

  context = nullptr;
  options = cortex_context_options_init();
  options.machine_path = "/nonexistent/machine.json";
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_IO_ERROR);
  EXPECT_NE(std::string(message.text).find("/nonexistent/machine.json"), std::string::npos);
  options.machine_path = "/";
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_IO_ERROR);
  EXPECT_NE(std::string(message.text).find("directory"), std::string::npos) << message.text;
  options.machine_path = "/dev/null";
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_INVALID_ARGUMENT);
}

TEST(Capi, StructsAreVersioned) {
  cortex_message message;
  cortex_context* context = nullptr;
  cortex_context_options options = cortex_context_options_init();
  options.struct_size = 3;
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_INVALID_ARGUMENT);
  options = cortex_context_options_init();
  options.reserved[2] = 1;
  EXPECT_EQ(cortex_context_create(&options, &context, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("reserved"), std::string::npos);
  // A newer program: a longer struct is fine while what is unknown here is zero.
  struct Longer {
    cortex_context_options known;
    uint64_t more;
  } longer = {cortex_context_options_init(), 0};
  longer.known.struct_size = sizeof longer;
  ASSERT_EQ(cortex_context_create(&longer.known, &context, &message), CORTEX_OK) << message.text;
  cortex_context_destroy(context);
  longer.more = 1;
  EXPECT_EQ(cortex_context_create(&longer.known, &context, &message), CORTEX_INVALID_ARGUMENT);
}

TEST(Capi, ImpossibleProblemsAreRefused) {
  cortex_message message;
  cortex_problem* problem = nullptr;
  cortex_conv_desc good = cortex_conv_desc_init();
  good.in_channels = good.out_channels = 4;
  good.in[2] = 8;
  good.kernel[2] = 3;
  ASSERT_EQ(cortex_problem_create_conv(&good, &problem, &message), CORTEX_OK) << message.text;
  cortex_problem_destroy(problem);
  problem = nullptr;

  const auto refused = [&](auto change, cortex_status status) {
    cortex_conv_desc desc = good;
    change(desc);
    EXPECT_EQ(cortex_problem_create_conv(&desc, &problem, &message), status) << message.text;
    EXPECT_GT(std::strlen(message.text), 10u);
    EXPECT_EQ(std::strchr(message.text, '\n'), nullptr);
    EXPECT_EQ(problem, nullptr);
  };
  refused([](cortex_conv_desc& d) { d.kernel[2] = 9; }, CORTEX_INVALID_ARGUMENT);
  refused([](cortex_conv_desc& d) { d.kernel[2] = -1; }, CORTEX_INVALID_ARGUMENT);
  refused([](cortex_conv_desc& d) { d.in_channels = 0; }, CORTEX_INVALID_ARGUMENT);
  refused([](cortex_conv_desc& d) { d.groups = 3; }, CORTEX_INVALID_ARGUMENT);
  refused([](cortex_conv_desc& d) { d.stride[2] = -2; }, CORTEX_INVALID_ARGUMENT);
  refused([](cortex_conv_desc& d) { d.pad_begin[2] = INT64_MAX; }, CORTEX_OVERFLOW);
  refused([](cortex_conv_desc& d) { d.dilation[2] = INT64_MAX; }, CORTEX_OVERFLOW);
  refused([](cortex_conv_desc& d) { d.in_channels = d.batch = INT64_C(1) << 30, d.in[1] = 1 << 30; },
          CORTEX_OVERFLOW);
  EXPECT_EQ(cortex_problem_parse("mb1ic", &problem, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(cortex_problem_parse(nullptr, &problem, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(cortex_problem_parse("32x32:32x32", nullptr, nullptr), CORTEX_INVALID_ARGUMENT);
}

TEST(Capi, PlansRefuseWhatTheyCannotDo) {
  const auto context = make_context();
  cortex_message message;
  cortex_plan* plan = nullptr;
  const auto refused = [&](const char* text, cortex_plan_options options, cortex_status status) {
    const auto problem = parse(text);
    EXPECT_EQ(cortex_plan_create(context.get(), problem.get(), &options, &plan, &message), status)
        << message.text;
    EXPECT_GT(std::strlen(message.text), 10u);
    EXPECT_EQ(plan, nullptr);
  };
  cortex_plan_options o = cortex_plan_options_init();
  o.kernel = CORTEX_KERNEL_GENERATED;
  refused("32x32:32x32", o, CORTEX_NOT_FOUND);
  o = cortex_plan_options_init();
  o.src_layout = CORTEX_LAYOUT_NCHW;
  refused("32x32:32x32", o, CORTEX_INVALID_ARGUMENT);
  o = cortex_plan_options_init();
  o.weights_layout = CORTEX_WEIGHTS_HWIO;
  refused("32x32:32x32", o, CORTEX_INVALID_ARGUMENT);
  o.weights_layout = CORTEX_WEIGHTS_KN;
  refused("mb1ic8ih8oc8oh8kh1", o, CORTEX_INVALID_ARGUMENT);
  o = cortex_plan_options_init();
  o.threads = -1;
  refused("32x32:32x32", o, CORTEX_INVALID_ARGUMENT);
  o = cortex_plan_options_init();
  o.dst_layout = 17;
  refused("mb1ic8ih8oc8oh8kh1", o, CORTEX_INVALID_ARGUMENT);
  o = cortex_plan_options_init();
  o.schedule = "no such schedule";
  refused("32x32:32x32", o, CORTEX_INVALID_ARGUMENT);
  o.schedule = "";
  refused("32x32:32x32", o, CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("schedule is an empty text"), std::string::npos) << message.text;
  EXPECT_EQ(cortex_plan_create(nullptr, nullptr, nullptr, &plan, &message), CORTEX_INVALID_ARGUMENT);
}

TEST(Capi, ExecuteRefusesBadArguments) {
  const auto context = make_context();
  cortex_plan_options options = cortex_plan_options_init();
  options.src_layout = CORTEX_LAYOUT_NCHW;
  const auto plan = plan_for(context.get(), "--bia_dt=f32 mb1ic16ih8oc16oh8kh3ph1", options);
  Memory memory(plan.get());
  ASSERT_GT(memory.info.scratch_bytes, 0);
  cortex_message message;
  ASSERT_EQ(cortex_plan_execute(plan.get(), &memory.args, &message), CORTEX_OK) << message.text;

  const auto refused = [&](const char* word, auto change) {
    std::fill(memory.dst.begin(), memory.dst.end(), -1.0f);
    cortex_execute_args args = memory.args;
    change(args);
    EXPECT_EQ(cortex_plan_execute(plan.get(), &args, &message), CORTEX_INVALID_ARGUMENT);
    EXPECT_NE(std::string(message.text).find(word), std::string::npos) << message.text;
    for (const float v : memory.dst) ASSERT_EQ(v, -1.0f) << "written despite the refusal";
  };
  using Args = cortex_execute_args;
  refused("src", [](Args& a) { a.src = nullptr; });
  refused("weights", [](Args& a) { a.weights = nullptr; });
  refused("bias", [](Args& a) { a.bias = nullptr; });
  refused("dst", [](Args& a) { a.dst = nullptr; });
  refused("scratch", [](Args& a) { a.scratch = nullptr; });
  refused("scratch", [](Args& a) { a.scratch = static_cast<char*>(a.scratch) + 4; });
  refused("src", [](Args& a) { a.src = static_cast<const char*>(a.src) + 1; });
  refused("src", [](Args& a) { a.src_bytes = 4; });
  refused("dst", [](Args& a) { a.dst_bytes = 4; });
  refused("weights", [](Args& a) { a.weights_bytes = 4; });
  refused("scratch", [](Args& a) { a.scratch_bytes = 64; });
  refused("struct_size", [](Args& a) { a.struct_size = 0; });
  refused("struct_size", [](Args& a) { a.struct_size = 1 << 20; });
  refused("src is NULL", [](Args& a) { a.struct_size = sizeof(size_t); });
  refused("reserved", [](Args& a) { a.reserved[1] = 1; });
  refused("src", [](Args& a) { a.src_bytes = -1; });
  const cortex_thread_pool broken = cortex_thread_pool_init();
  refused("no run function", [&](Args& a) { a.pool = &broken; });
  const cortex_thread_pool unset = {};
  refused("struct_size of the thread pool", [&](Args& a) { a.pool = &unset; });
  EXPECT_EQ(cortex_plan_execute(nullptr, &memory.args, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(cortex_plan_execute(plan.get(), nullptr, nullptr), CORTEX_INVALID_ARGUMENT);
  ASSERT_EQ(cortex_plan_execute(plan.get(), &memory.args, &message), CORTEX_OK);
}

// An older program's struct ends earlier, a newer one's later: both run while they ask for nothing unknown.
TEST(Capi, ExecuteTakesStructsOfOtherVersions) {
  const auto context = make_context();
  const auto plan = plan_for(context.get(), "16x8:8x16", cortex_plan_options_init());
  Memory memory(plan.get());
  const auto runs = [&](const cortex_execute_args* args) {
    std::fill(memory.dst.begin(), memory.dst.end(), -1.0f);
    cortex_message message;
    EXPECT_EQ(cortex_plan_execute(plan.get(), args, &message), CORTEX_OK) << message.text;
    for (const float v : memory.dst) ASSERT_EQ(v, 8.0f);
  };
  cortex_execute_args older = memory.args;
  older.struct_size = offsetof(cortex_execute_args, src_bytes);
  older.src_bytes = 1;  // not part of it
  runs(&older);
  struct Longer {
    cortex_execute_args known;
    uint64_t more;
  } newer = {memory.args, 0};
  newer.known.struct_size = sizeof newer;
  runs(&newer.known);
  newer.more = 1;
  EXPECT_EQ(cortex_plan_execute(plan.get(), &newer.known, nullptr), CORTEX_INVALID_ARGUMENT);
}

// No pointer is followed before it is looked at, and what a call does not write stays as it was.
TEST(Capi, NullsAreRefusedEverywhere) {
  cortex_message message;
  const auto refused = [&](const char* function, cortex_status status) {
    EXPECT_EQ(status, CORTEX_INVALID_ARGUMENT) << function;
    EXPECT_NE(std::string(message.text).find("NULL"), std::string::npos) << function << ": " << message.text;
  };
  const auto context = make_context();
  const auto problem = parse("8x8:8x8");
  const auto plan = plan_for(context.get(), "8x8:8x8", cortex_plan_options_init());
  const cortex_conv_desc conv = cortex_conv_desc_init();
  const cortex_matmul_desc matmul = cortex_matmul_desc_init();
  const cortex_epilogue_desc epilogue = cortex_epilogue_desc_init();
  cortex_plan_info info = cortex_plan_info_init();
  cortex_problem* made_problem = nullptr;
  cortex_plan* made_plan = nullptr;
  float word = 0;
  refused("context_create", cortex_context_create(nullptr, nullptr, &message));
  refused("add_library", cortex_context_add_library(nullptr, nullptr, &message));
  refused("add_library", cortex_context_add_library(context.get(), nullptr, &message));
  refused("parse", cortex_problem_parse(nullptr, &made_problem, &message));
  refused("parse", cortex_problem_parse("8x8:8x8", nullptr, &message));
  refused("conv", cortex_problem_create_conv(nullptr, &made_problem, &message));
  refused("conv", cortex_problem_create_conv(&conv, nullptr, &message));
  refused("matmul", cortex_problem_create_matmul(nullptr, &made_problem, &message));
  refused("matmul", cortex_problem_create_matmul(&matmul, nullptr, &message));
  refused("epilogue", cortex_problem_set_epilogue(nullptr, &epilogue, &message));
  refused("epilogue", cortex_problem_set_epilogue(problem.get(), nullptr, &message));
  refused("plan", cortex_plan_create(nullptr, problem.get(), nullptr, &made_plan, &message));
  refused("plan", cortex_plan_create(context.get(), nullptr, nullptr, &made_plan, &message));
  refused("plan", cortex_plan_create(context.get(), problem.get(), nullptr, nullptr, &message));
  refused("query", cortex_plan_query(nullptr, &info, &message));
  refused("query", cortex_plan_query(plan.get(), nullptr, &message));
  refused("pack", cortex_plan_pack_weights(nullptr, &word, &word, &message));
  refused("pack", cortex_plan_pack_weights(plan.get(), nullptr, &word, &message));
  refused("pack", cortex_plan_pack_weights(plan.get(), &word, nullptr, &message));
  refused("pool", cortex_thread_pool_create(1, nullptr, &message));
  refused("execute", cortex_plan_execute(nullptr, nullptr, &message));
  EXPECT_EQ(made_problem, nullptr);
  EXPECT_EQ(made_plan, nullptr);
  EXPECT_STREQ(cortex_context_isa(nullptr), "");
  EXPECT_STREQ(cortex_problem_text(nullptr), "");
  EXPECT_EQ(cortex_problem_flops(nullptr), 0);
  EXPECT_EQ(cortex_plan_kernel(nullptr), nullptr);
  cortex_context_destroy(nullptr);
  cortex_problem_destroy(nullptr);
  cortex_plan_destroy(nullptr);
  cortex_thread_pool_destroy(nullptr);
}

// A message is one line and ends, however long what it is about.
TEST(Capi, LongMessagesAreCut) {
  cortex_message message;
  std::memset(&message, 'x', sizeof message);
  cortex_problem* problem = nullptr;
  const std::string option = "--stag=" + std::string(5000, 'a');
  EXPECT_EQ(cortex_problem_parse((option + " 8x8:8x8").c_str(), &problem, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(std::strlen(message.text), sizeof message.text - 1);
  EXPECT_EQ(cortex_problem_parse("8x8:8x8n\"\xff\"", &problem, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(problem, nullptr);
}

}  // namespace
