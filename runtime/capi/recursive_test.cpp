// The C interface of recursive models from outside, linked to the shared library: refusals in one clear line,
// no allocation once warm, many threads on one model.
#include "runtime/capi/recursive_case.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

// Every allocation of the process passes here, the shared library's too. Sanitizers have an allocator of
// their own, which must not be bypassed.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CORTEX_COUNTS_ALLOCATIONS 1
namespace {
std::atomic<long> allocations{0};
std::atomic<bool> starve{false};  // every thread that is not spared
thread_local bool spared = false;
bool refuse_memory() { return starve.load(std::memory_order_relaxed) && !spared; }
}  // namespace
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return refuse_memory() ? nullptr : __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return refuse_memory() ? nullptr : __libc_memalign(alignment, size);
}
}
#endif

namespace cortex::recursive_capi_testing {
namespace {

TEST(RecursiveCapi, EveryReadyModelDescribesItself) {
  EXPECT_NE(std::string(cortex_recursive_ready_models()).find("treelstm,"), std::string::npos);
  for (const std::string& name : ready_names()) {
    const auto model = ready(name.c_str());
    EXPECT_GT(cortex_recursive_output_count(model.get()), 0);
    cortex_recursive_tensor output = cortex_recursive_tensor_init();
    EXPECT_EQ(cortex_recursive_output(model.get(), 0, &output, nullptr), CORTEX_OK);
    EXPECT_STREQ(output.name, "h");
    EXPECT_EQ(output.count, 16);
    cortex_recursive_options again = cortex_recursive_options_init();
    again.text = cortex_recursive_text(model.get());
    EXPECT_STREQ(cortex_recursive_text(make_model(again).get()), again.text);
  }
}

TEST(RecursiveCapi, RootsAndNodesAgree) {
  const auto model = ready("treelstm");
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  const cortex_recursive_batch batch = trees.view();
  std::vector<float> roots(2 * 16), nodes(6 * 20, -7.0f);
  cortex_recursive_result results[2] = {};
  results[0].data = roots.data();
  results[0].rows = 2;
  results[1].name = "h";
  results[1].where = CORTEX_RECURSIVE_NODES;
  results[1].data = nodes.data();
  results[1].row_bytes = 80;
  cortex_message message;
  ASSERT_EQ(cortex_recursive_run(executor.get(), &batch, results, 2, &message), CORTEX_OK) << message.text;
  EXPECT_EQ(std::memcmp(roots.data(), nodes.data() + 2 * 20, 64), 0);
  EXPECT_EQ(std::memcmp(roots.data() + 16, nodes.data() + 5 * 20, 64), 0);
  EXPECT_EQ(nodes[16], -7.0f) << "beside the row";
  // 2 inner nodes x 3 h h, 4 edges x h h
  EXPECT_EQ(cortex_recursive_flops(model.get(), &batch), 2.0 * (2 * 3 + 4) * 16 * 16);
  cortex_recursive_info info = cortex_recursive_info_init();
  EXPECT_EQ(cortex_recursive_executor_query(executor.get(), &info, nullptr), CORTEX_OK);
  EXPECT_EQ(info.levels, 2);
  EXPECT_EQ(info.edges, 4);
}

void refused(const char* model_name, TwoTrees trees, const std::string& why) {
  const auto model = ready(model_name);
  const auto executor = make_executor(model.get());
  const cortex_recursive_batch batch = trees.view();
  cortex_message message;
  EXPECT_EQ(cortex_recursive_run(executor.get(), &batch, nullptr, 0, &message), CORTEX_INVALID_ARGUMENT)
      << why;
  const std::string text = message.text;
  EXPECT_NE(text.find(why), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(cortex_recursive_flops(model.get(), &batch), -1);
}

TEST(RecursiveCapi, MalformedStructuresAreRefused) {
  TwoTrees t;
  t.ids = {0, 0, 3, 4};
  refused("treelstm", t, "tree 0: node 0 has two parents");
  t = TwoTrees();
  t.ids = {0, 1, 3, 2};
  refused("treelstm", t, "tree 1: node 5 has child 2; the structure's nodes are 3 to 5");
  t.ids = {0, 1, 3, 77};
  refused("treelstm", t, "has child 77");
  t.ids = {0, 1, 3, -1};
  refused("treelstm", t, "has child -1");
  t = TwoTrees();
  t.offsets = {0, 0, 0, 2, 2, 3, 4};
  t.ids = {0, 1, 5, 4};
  refused("treelstm", t, "tree 1: its nodes form a cycle");
  t = TwoTrees();
  t.offsets = {0, 0, 0, 2, 2, 2, 3};
  refused("treelstm", t, "tree 1: has two roots, nodes 4 and 5");
  t = TwoTrees();
  t.offsets = {0, 0, 0, 2, 1, 2, 4};
  refused("treelstm", t, "node 3: child_offsets fall from 2 to 1");
  t = TwoTrees();
  t.words[4] = 50;
  refused("treelstm", t, "tree 1: node 4 has word 50; words are 0 to 49");
  t.words[4] = -2;
  refused("treelstm", t, "word -2");
  t = TwoTrees();
  t.structures = {0, 3, 3, 6};
  refused("treelstm", t, "tree 1: has no nodes");
  t.structures = {0};
  refused("treelstm", t, "0 structures");
  t.structures = {0, 3};
  refused("treelstm", t, "structure_offsets end with 3");
  t = TwoTrees();
  refused("seqlstm", t, "node 2 has 2 children; the model takes at most 1");
  t.structures = {0, 6};
  refused("treefc", t, "two roots");
  t = TwoTrees();
  t.structures = {0, 4};
  t.offsets = {0, 0, 0, 0, 3};
  t.ids = {0, 1, 2};
  t.words = {0, 0, 0, 0};
  refused("mvrnn", t, "node 3 has 3 children; the model takes at most 2");
}

TEST(RecursiveCapi, OptionsAndParametersAreChecked) {
  const auto context = make_context();
  const auto refuse = [&](cortex_recursive_options options, const std::string& why) {
    cortex_recursive_model* out = nullptr;
    cortex_message message;
    EXPECT_EQ(cortex_recursive_create(context.get(), &options, &out, &message), CORTEX_INVALID_ARGUMENT);
    EXPECT_NE(std::string(message.text).find(why), std::string::npos) << message.text;
    EXPECT_EQ(out, nullptr);
  };
  cortex_recursive_options options = cortex_recursive_options_init();
  refuse(options, "either name or text");
  options.name = "treelstn";
  refuse(options, "no ready model treelstn");
  options.name = "treelstm";
  options.hidden = -4;
  refuse(options, "hidden -4");
  options.hidden = 0;
  options.max_children = 3;
  refuse(options, "no size n");
  options.max_children = 0;
  options.bidirectional = 1;
  refuse(options, "bidirectional is for sequences");
  options.bidirectional = 0;
  options.weights = 2;
  refuse(options, "weights 2 is unknown");
  options.weights = CORTEX_RECURSIVE_WEIGHTS_F32;
  options.disable = "speed";
  refuse(options, "transformation 'speed' is unknown");
  options.disable = nullptr;
  options.reserved[0] = 1;
  refuse(options, "reserved");

  options.reserved[0] = 0;
  const auto model = make_model(options, false);
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  const cortex_recursive_batch batch = trees.view();
  cortex_message message;
  EXPECT_EQ(cortex_recursive_run(executor.get(), &batch, nullptr, 0, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("parameter X has not been set"), std::string::npos)
      << message.text;
  float x = 0;
  EXPECT_EQ(cortex_recursive_set_parameter(model.get(), "Y", &x, 1, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_EQ(cortex_recursive_set_parameter(model.get(), "U", &x, 1, &message), CORTEX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(message.text).find("196608 elements"), std::string::npos) << message.text;
  cortex_recursive_executor* none = nullptr;
  EXPECT_EQ(cortex_recursive_executor_create(model.get(), 0, &none, &message), CORTEX_INVALID_ARGUMENT);
}

TEST(RecursiveCapi, ManyThreadsShareOneModel) {
  const auto model = ready("treelstm", 64);
  std::mt19937 random(11);
  std::vector<TwoTrees> batches;
  std::vector<std::vector<float>> expected;
  const auto run = [&](cortex_recursive_executor* executor, TwoTrees trees) {
    const cortex_recursive_batch batch = trees.view();
    std::vector<float> rows(static_cast<std::size_t>(batch.structures) * 64);
    cortex_recursive_result result{};
    result.data = rows.data();
    cortex_message message;
    EXPECT_EQ(cortex_recursive_run(executor, &batch, &result, 1, &message), CORTEX_OK) << message.text;
    return rows;
  };
  const auto first = make_executor(model.get());
  for (int i = 0; i < 8; ++i) {
    batches.push_back(random_trees(random, 1 + i % 3, 20));
    expected.push_back(run(first.get(), batches.back()));
  }
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&, t] {
      const auto executor = make_executor(model.get(), t % 8 == 0 ? 2 : 1);
      for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t b = (i + static_cast<std::size_t>(t)) % batches.size();
        if (run(executor.get(), batches[b]) != expected[b]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

#ifdef CORTEX_COUNTS_ALLOCATIONS
// Every ready model, with words and with features, both ways where it can; one thread, and a team that shares
// columns or structures as the batch suggests.
TEST(RecursiveCapi, AllocatesNothingOnceWarm) {
  std::mt19937 random(12);
  for (const std::string& name : ready_names()) {
    const bool sequences = name.substr(0, 3) == "seq", tables_only = name == "treefc" || name == "mvrnn";
    std::vector<TwoTrees> batches;
    for (int i = 0; i < 40; ++i)
      batches.push_back(sequences ? random_chains(random, 1 + i % 12, 20)
                                  : random_trees(random, 1 + i % 12, 30));
    const std::vector<float> features(12 * 60 * 8, 0.5f);
    std::vector<float> rows(12 * 64 * 2 * 64);
    for (const int64_t width : {0, 8}) {
      if (width && tables_only) continue;
      const auto model = ready(name.c_str(), name == "mvrnn" ? 16 : 64, width, sequences);
      for (const int threads : {1, 2}) {
        SCOPED_TRACE(name + (width ? " with features" : "") + (threads > 1 ? ", a team" : ""));
        const auto executor = make_executor(model.get(), threads);
        const auto run_all = [&] {
          for (TwoTrees& trees : batches) {
            cortex_recursive_batch batch = trees.view();
            batch.features = features.data();
            cortex_recursive_result result{};
            result.data = rows.data();
            ASSERT_EQ(cortex_recursive_run(executor.get(), &batch, &result, 1, nullptr), CORTEX_OK);
          }
        };
        run_all();
        run_all();  // memory grows by a quarter beyond what is asked for: the first round may do so more than
                    // once
        const long before = allocations.load();
        for (int i = 0; i < 3; ++i) run_all();
        EXPECT_EQ(allocations.load(), before);
      }
    }
  }
}

// Threads with structures of their own: one of them gets no memory. The batch is refused, and the next one
// runs.
TEST(RecursiveCapi, AThreadWithoutMemoryRefusesTheBatch) {
  const auto model = ready("treegru", 64);
  const auto executor = make_executor(model.get(), 2);
  std::mt19937 random(13);
  TwoTrees trees = random_trees(random, 400, 30);
  const cortex_recursive_batch batch = trees.view();
  const auto run = [&](cortex_recursive_executor* on, cortex_message* message) {
    std::vector<float> rows(400 * 64);
    cortex_recursive_result result{};
    result.data = rows.data();
    const cortex_status status = cortex_recursive_run(on, &batch, &result, 1, message);
    return std::pair{status, rows};
  };
  cortex_message message;
  spared = true;
  starve = true;
  const cortex_status status = run(executor.get(), &message).first;
  starve = false;
  EXPECT_EQ(status, CORTEX_OUT_OF_MEMORY);
  EXPECT_NE(std::string(message.text).find("out of memory"), std::string::npos) << message.text;
  const auto alone = make_executor(model.get(), 1);
  EXPECT_EQ(run(executor.get(), &message), run(alone.get(), &message)) << message.text;
}
#endif

}  // namespace
}  // namespace cortex::recursive_capi_testing
