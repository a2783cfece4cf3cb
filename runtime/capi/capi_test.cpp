// The C interface from outside, linked to the shared library: errors, tables, allocation, concurrency.
#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

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

struct Destroy {
  void operator()(cortex_context* p) const { cortex_context_destroy(p); }
  void operator()(cortex_problem* p) const { cortex_problem_destroy(p); }
  void operator()(cortex_plan* p) const { cortex_plan_destroy(p); }
  void operator()(cortex_thread_pool* p) const { cortex_thread_pool_destroy(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

Handle<cortex_context> make_context() {
  cortex_context* out = nullptr;
  EXPECT_EQ(cortex_context_create(nullptr, &out, nullptr), CORTEX_OK);
  return Handle<cortex_context>(out);
}

Handle<cortex_problem> parse(const char* text) {
  cortex_problem* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_problem_parse(text, &out, &message), CORTEX_OK) << message.text;
  return Handle<cortex_problem>(out);
}

Handle<cortex_plan> plan_for(const cortex_context* context, const char* text, cortex_plan_options options) {
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
  epilogue.activation = 99;
  EXPECT_EQ(cortex_problem_set_epilogue(product.get(), &epilogue, &message), CORTEX_INVALID_ARGUMENT);
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
  refused("struct_size", [](Args& a) { a.struct_size = 8; });
  const cortex_thread_pool broken = cortex_thread_pool_init();
  refused("pool", [&](Args& a) { a.pool = &broken; });
  EXPECT_EQ(cortex_plan_execute(nullptr, &memory.args, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(cortex_plan_execute(plan.get(), nullptr, nullptr), CORTEX_INVALID_ARGUMENT);
  ASSERT_EQ(cortex_plan_execute(plan.get(), &memory.args, &message), CORTEX_OK);
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

TEST(Capi, OnePlanInManyThreads) {
  const auto context = make_context();
  const auto plan = plan_for(context.get(), "64x100:100x48", cortex_plan_options_init());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Memory memory(plan.get());
      for (int i = 0; i < 200; ++i) {
        std::fill(memory.dst.begin(), memory.dst.end(), -1.0f);
        cortex_message message;
        if (cortex_plan_execute(plan.get(), &memory.args, &message) != CORTEX_OK) ++wrong;
        for (const float v : memory.dst) wrong += v != 100.0f;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
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

void nothing(const cortex_kernel_call*) {}

// One entry, as a generated library would hold it.
struct Library {
  cortex_kernel_entry entry = {};
  int32_t table[2] = {-1, -1};
  cortex_kernel_library library = {};
  Library() {
    entry.key = "some key";
    entry.problem = "32x32:32x32";
    entry.isa = "avx2";
    entry.threads = 2;
    entry.schedule = "";
    entry.run = nothing;
    entry.hash = cortex_kernel_hash(entry.key, entry.isa, entry.threads);
    table[entry.hash % 2] = 0;
    library.abi = CORTEX_KERNEL_LIBRARY_ABI;
    library.name = "test_library";
    library.generator = "by hand";
    library.count = 1;
    library.entries = &entry;
    library.slots = 2;
    library.table = table;
  }
};

TEST(Capi, KernelLookup) {
  const Library l;
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, nullptr), &l.entry);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, "some key"), &l.entry);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, "another key"), nullptr);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash + 1, nullptr), nullptr);
  EXPECT_EQ(cortex_kernel_find(nullptr, l.entry.hash, nullptr), nullptr);
}

TEST(Capi, DamagedLibrariesAreRefused) {
  const auto context = make_context();
  cortex_message message;
  const Library good;
  EXPECT_EQ(cortex_context_add_library(context.get(), &good.library, &message), CORTEX_OK) << message.text;
  const auto refused = [&](auto damage) {
    Library l;
    damage(l);
    EXPECT_EQ(cortex_context_add_library(context.get(), &l.library, &message), CORTEX_ABI_MISMATCH);
    EXPECT_NE(std::string(message.text).find("generate"), std::string::npos) << message.text;
  };
  refused([](Library& l) { l.library.abi = 999; });
  refused([](Library& l) { l.library.entries = nullptr; });
  refused([](Library& l) { l.library.table = nullptr; });
  refused([](Library& l) { l.library.count = -1; });
  refused([](Library& l) { l.library.slots = 1; });
  refused([](Library& l) { l.library.slots = 3; });
  refused([](Library& l) { l.table[0] = l.table[1] = 0; });
  refused([](Library& l) { l.table[0] = l.table[1] = -1; });
  refused([](Library& l) { l.table[0] = 5; });
  refused([](Library& l) { l.entry.hash ^= 1; });
  refused([](Library& l) { l.entry.run = nullptr; });
  refused([](Library& l) { l.entry.schedule = nullptr; });
  EXPECT_EQ(cortex_context_add_library(context.get(), nullptr, &message), CORTEX_INVALID_ARGUMENT);
}

}  // namespace
