// The C interface from outside, linked to the shared library: values, allocation, concurrency.
#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/capi/testing.h"

extern "C" int c99_smoke(void);

// Every allocation of the process passes here, the shared library's too. Sanitizers have an allocator of
// their own, which must not be bypassed.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CORTEX_COUNTS_ALLOCATIONS 1
namespace {
std::atomic<long> allocations{0};
}  // namespace
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
}
#endif

namespace {

using namespace capi_testing;

TEST(Capi, HeadersAreC99) { EXPECT_EQ(c99_smoke(), 0); }

TEST(Capi, VersionAndStatusStrings) {
  EXPECT_EQ(cortex_version(),
            10000 * CORTEX_VERSION_MAJOR + 100 * CORTEX_VERSION_MINOR + CORTEX_VERSION_PATCH);
  std::vector<std::string> seen;
  for (int s = CORTEX_OK; s <= CORTEX_INTERNAL; ++s) {
    seen.emplace_back(cortex_status_string(static_cast<cortex_status>(s)));
    EXPECT_FALSE(seen.back().empty());
    for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_NE(seen[i], seen.back());
  }
  EXPECT_STREQ(cortex_status_string(static_cast<cortex_status>(15)), "unknown status");
}

TEST(Capi, ProblemsFromStructsAreThoseFromText) {
  cortex_conv_desc desc = cortex_conv_desc_init();
  desc.batch = 2;
  desc.in_channels = 8;
  desc.out_channels = 16;
  desc.in[1] = 14, desc.in[2] = 15;
  desc.kernel[1] = desc.kernel[2] = 3;
  desc.stride[1] = desc.stride[2] = 2;
  desc.pad_begin[1] = desc.pad_end[1] = desc.pad_begin[2] = desc.pad_end[2] = 1;
  cortex_message message;
  cortex_problem* made = nullptr;
  ASSERT_EQ(cortex_problem_create_conv(&desc, &made, &message), CORTEX_OK) << message.text;
  const Handle<cortex_problem> conv(made);
  const auto parsed = parse("mb2ic8ih14iw15oc16oh7ow8kh3kw3sh2sw2ph1pw1");
  EXPECT_STREQ(cortex_problem_text(conv.get()), cortex_problem_text(parsed.get()));
  // Rows see 2 + 6*3 taps (one falls on padding), columns 2 + 6*3 + 2.
  EXPECT_EQ(cortex_problem_flops(conv.get()), 2.0 * 2 * 8 * 16 * (2 + 6 * 3) * (2 + 6 * 3 + 2));

  cortex_matmul_desc matmul = cortex_matmul_desc_init();
  matmul.m = 5, matmul.n = 6, matmul.k = 7;
  matmul.b_transposed = 1;
  ASSERT_EQ(cortex_problem_create_matmul(&matmul, &made, &message), CORTEX_OK) << message.text;
  const Handle<cortex_problem> product(made);
  EXPECT_STREQ(cortex_problem_text(product.get()), cortex_problem_text(parse("--wtag=ba 5x7:7x6").get()));

  cortex_epilogue_desc epilogue = cortex_epilogue_desc_init();
  epilogue.bias = 1;
  epilogue.activation = CORTEX_ACTIVATION_RELU;
  ASSERT_EQ(cortex_problem_set_epilogue(product.get(), &epilogue, &message), CORTEX_OK);
  EXPECT_STREQ(cortex_problem_text(product.get()),
               cortex_problem_text(parse("--bia_dt=f32 --attr-post-ops=relu --wtag=ba 5x7:7x6").get()));
  // The struct has no field for the scale of integers: it stays.
  const auto integers = parse("--dt=u8:s8:u8 --attr-oscale=per_oc 5x7:7x6");
  ASSERT_EQ(cortex_problem_set_epilogue(integers.get(), &epilogue, &message), CORTEX_OK);
  EXPECT_NE(std::string(cortex_problem_text(integers.get())).find("per_oc"), std::string::npos);
  const auto context = make_context();
  const auto plan =
      plan_for(context.get(), "--dt=u8:s8:u8 --attr-oscale=per_oc 5x7:7x6", cortex_plan_options_init());
  cortex_plan_info info = cortex_plan_info_init();
  ASSERT_EQ(cortex_plan_query(plan.get(), &info, &message), CORTEX_OK) << message.text;
  EXPECT_EQ(info.scale_bytes, 6 * 4);
  epilogue.activation = 99;
  EXPECT_EQ(cortex_problem_set_epilogue(product.get(), &epilogue, &message), CORTEX_INVALID_ARGUMENT);
}

#ifdef CORTEX_COUNTS_ALLOCATIONS
TEST(Capi, ExecuteAllocatesNothing) {
  const auto context = make_context();
  cortex_thread_pool* made = nullptr;
  ASSERT_EQ(cortex_thread_pool_create(2, &made, nullptr), CORTEX_OK);
  const Handle<cortex_thread_pool> pool(made);
  for (const char* text : {"16x16:16x16", "--bia_dt=f32 200x300:300x100", "mb1ic16ih14oc32oh14kh3ph1",
                           "g32mb1ic32ih14oc32oh14kh3ph1"}) {
    cortex_plan_options options = cortex_plan_options_init();
    options.threads = 2;
    if (text[0] == 'm') options.src_layout = options.dst_layout = CORTEX_LAYOUT_NCHW;
    const auto plan = plan_for(context.get(), text, options);
    Memory memory(plan.get());
    memory.args.pool = pool.get();
    cortex_message message;
    const long before = allocations.load();
    for (int i = 0; i < 5; ++i) cortex_plan_execute(plan.get(), &memory.args, &message);
    EXPECT_EQ(allocations.load(), before) << text;
    std::vector<float>* witness = new std::vector<float>(10);
    EXPECT_GT(allocations.load(), before) << "the counter does not count";
    delete witness;
  }
}
#endif

// Each with memory of its own; every other one brings the same pool, which serves one at a time.
TEST(Capi, OnePlanInManyThreads) {
  const auto context = make_context();
  cortex_thread_pool* made = nullptr;
  ASSERT_EQ(cortex_thread_pool_create(2, &made, nullptr), CORTEX_OK);
  const Handle<cortex_thread_pool> pool(made);
  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 2;
  for (const char* text : {"64x100:100x48", "mb1ic10ih6oc16oh6kh3ph1"}) {
    const auto plan = plan_for(context.get(), text, options);
    Memory first(plan.get());
    ASSERT_EQ(cortex_plan_execute(plan.get(), &first.args, nullptr), CORTEX_OK);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 16; ++t) {
      threads.emplace_back([&, t] {
        Memory memory(plan.get());
        if (t % 2) memory.args.pool = pool.get();
        for (int i = 0; i < 100; ++i) {
          std::fill(memory.dst.begin(), memory.dst.end(), -1.0f);
          cortex_message message;
          if (cortex_plan_execute(plan.get(), &memory.args, &message) != CORTEX_OK) ++wrong;
          if (memory.dst != first.dst) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong.load(), 0) << text;
    EXPECT_EQ(std::count(first.dst.begin(), first.dst.end(), 0.0f), 0) << text;
  }
}

// A pool of the caller's own, tasks in reverse order: the order must not matter.
TEST(Capi, CallersPool) {
  const auto context = make_context();
  cortex_plan_options options = cortex_plan_options_init();
  options.threads = 4;
  const auto plan = plan_for(context.get(), "256x64:64x256", options);
  Memory memory(plan.get());
  cortex_thread_pool pool = cortex_thread_pool_init();
  int calls = 0;
  pool.context = &calls;
  pool.run = [](void* self, int tasks, void (*task)(void*, int), void* arg) {
    ++*static_cast<int*>(self);
    for (int i = tasks; i-- > 0;) task(arg, i);
  };
  memory.args.pool = &pool;
  ASSERT_EQ(cortex_plan_execute(plan.get(), &memory.args, nullptr), CORTEX_OK);
  for (const float v : memory.dst) ASSERT_EQ(v, 64.0f);
  EXPECT_EQ(calls > 0, memory.info.tasks > 1);
}

}  // namespace
