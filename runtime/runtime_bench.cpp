// What the runtime adds to the microkernels: run with --benchmark_repetitions=5 on a quiet machine.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cortex/cortex.h"
#include "microkernels/catalogue/catalogue.h"
#include "runtime/threads/thread_pool.h"
#include "support/aligned_buffer.h"
#include "support/fnv.h"

namespace cortex {
namespace {

struct Prepared {
  cortex_context* context = nullptr;
  cortex_problem* problem = nullptr;
  cortex_plan* plan = nullptr;
  cortex_plan_info info = cortex_plan_info_init();
  cortex_execute_args args = cortex_execute_args_init();
  std::vector<AlignedBuffer> buffers;

  Prepared(const char* text, cortex_plan_options options) {
    cortex_message message;
    if (cortex_context_create(nullptr, &context, &message) ||
        cortex_problem_parse(text, &problem, &message) ||
        cortex_plan_create(context, problem, &options, &plan, &message)) {
      std::fprintf(stderr, "%s\n", message.text);
      std::abort();
    }
    cortex_plan_query(plan, &info, nullptr);
    args.src = zeros(info.src_bytes);
    args.weights = zeros(info.packed_weights_bytes ? info.packed_weights_bytes : info.weights_bytes);
    args.bias = static_cast<float*>(zeros(info.bias_bytes));
    args.residual = zeros(info.residual_bytes);
    args.dst = zeros(info.dst_bytes);
    args.scratch = zeros(info.scratch_bytes);
  }
  ~Prepared() {
    cortex_plan_destroy(plan);
    cortex_problem_destroy(problem);
    cortex_context_destroy(context);
  }
  void* zeros(int64_t bytes) {
    buffers.emplace_back(static_cast<std::size_t>(bytes));
    std::memset(buffers.back().data(), 0, static_cast<std::size_t>(bytes));
    return buffers.back().data();
  }
};

void execute(benchmark::State& state, const char* text) {
  Prepared p(text, cortex_plan_options_init());
  for (auto _ : state) cortex_plan_execute(p.plan, &p.args, nullptr);
  state.SetLabel(p.info.schedule);
  state.counters["GFLOP/s"] =
      benchmark::Counter(p.info.flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(execute, matmul_16, "16x16:16x16");
BENCHMARK_CAPTURE(execute, matmul_64, "64x64:64x64");
BENCHMARK_CAPTURE(execute, matmul_256, "256x256:256x256");
BENCHMARK_CAPTURE(execute, conv_14, "mb1ic256ih14oc256oh14kh3ph1");
BENCHMARK_CAPTURE(execute, conv_56, "mb1ic64ih56oc64oh56kh3ph1");

// NCHW in and out against NHWC: what the reorders cost.
void execute_nchw(benchmark::State& state) {
  cortex_plan_options options = cortex_plan_options_init();
  options.src_layout = options.dst_layout = CORTEX_LAYOUT_NCHW;
  Prepared p("mb1ic64ih56oc64oh56kh3ph1", options);
  for (auto _ : state) cortex_plan_execute(p.plan, &p.args, nullptr);
}
BENCHMARK(execute_nchw);

// The microkernel alone on the tile of matmul_16, operands in L1.
void kernel_16(benchmark::State& state) {
  const KernelInfo* kernel = find_kernel("brgemm_f32_f32_f32_24x16x1_avx512");
  if (!kernel || !supports(kernel->isa)) return state.SkipWithError("no AVX-512");
  AlignedBuffer a(1024), b(1024), c(1024);
  std::memset(a.data(), 0, 1024);
  std::memset(b.data(), 0, 1024);
  cortex_brgemm_args args{};
  args.a = a.data(), args.b = b.data(), args.c = c.data();
  args.m = args.n = args.k = 16, args.batch = 1;
  args.lda = args.ldb = args.ldc = 64;
  for (auto _ : state) kernel->brgemm(&args);
}
BENCHMARK(kernel_16);

void fork_join(benchmark::State& state) {
  auto pool = ThreadPool::create(static_cast<int>(state.range(0)));
  for (auto _ : state)
    (*pool)->run(
        static_cast<int>(state.range(0)), [](void*, int) {}, nullptr);
}
BENCHMARK(fork_join)->Arg(2)->UseRealTime();

void do_nothing(const cortex_kernel_call*) {}

void find_kernel_by_key(benchmark::State& state) {
  constexpr int count = 64;
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i)
    keys.push_back("conv g1mb1ic64ih56oc64oh56kh3ph1 number " + std::to_string(i));
  std::vector<cortex_kernel_entry> entries(count);
  std::vector<int32_t> table(2 * count, -1);
  for (int i = 0; i < count; ++i) {
    cortex_kernel_entry& e = entries[static_cast<std::size_t>(i)];
    e.key = keys[static_cast<std::size_t>(i)].c_str();
    e.problem = e.schedule = "";
    e.isa = "avx512";
    e.threads = 1;
    e.run = do_nothing;
    e.hash = kernel_entry_hash(e.key, e.isa, e.threads);
    uint64_t slot = e.hash % table.size();
    while (table[slot] >= 0) slot = (slot + 1) % table.size();
    table[slot] = i;
  }
  cortex_kernel_library library{};
  library.abi = CORTEX_KERNEL_LIBRARY_ABI;
  library.count = count;
  library.entries = entries.data();
  library.slots = static_cast<int32_t>(table.size());
  library.table = table.data();
  const bool hash_too = state.range(0) != 0;
  std::size_t i = 0;
  for (auto _ : state) {
    const cortex_kernel_entry& e = entries[i++ % count];
    const uint64_t hash = hash_too ? cortex_kernel_hash(e.key, "avx512", 1) : e.hash;
    benchmark::DoNotOptimize(cortex_kernel_find(&library, hash, e.key));
  }
  state.SetLabel(hash_too ? "hash of the key computed each time" : "hash known");
}
BENCHMARK(find_kernel_by_key)->Arg(0)->Arg(1);

}  // namespace
}  // namespace cortex

BENCHMARK_MAIN();
