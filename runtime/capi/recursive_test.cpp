// The C interface of recursive models from outside, linked to the shared library: refusals in one clear line,
// no allocation once warm, many threads on one model.
#include <cortex/recursive.h>
#include <gtest/gtest.h>

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

namespace {

struct Destroy {
  void operator()(cortex_context* p) const { cortex_context_destroy(p); }
  void operator()(cortex_recursive_model* p) const { cortex_recursive_destroy(p); }
  void operator()(cortex_recursive_executor* p) const { cortex_recursive_executor_destroy(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

Handle<cortex_context> make_context() {
  cortex_context* out = nullptr;
  EXPECT_EQ(cortex_context_create(nullptr, &out, nullptr), CORTEX_OK);
  return Handle<cortex_context>(out);
}

Handle<cortex_recursive_model> make_model(const cortex_recursive_options& options, bool set = true) {
  const auto context = make_context();
  cortex_recursive_model* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_recursive_create(context.get(), &options, &out, &message), CORTEX_OK) << message.text;
  std::mt19937 random(5);
  for (int32_t p = 0; set && p < cortex_recursive_parameter_count(out); ++p) {
    cortex_recursive_tensor tensor = cortex_recursive_tensor_init();
    EXPECT_EQ(cortex_recursive_parameter(out, p, &tensor, nullptr), CORTEX_OK);
    std::vector<float> values(static_cast<std::size_t>(tensor.count));
    std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
    for (float& x : values) x = uniform(random);
    EXPECT_EQ(cortex_recursive_set_parameter(out, tensor.name, values.data(), tensor.count, nullptr),
              CORTEX_OK);
  }
  return Handle<cortex_recursive_model>(out);
}

Handle<cortex_recursive_model> ready(const char* name, int64_t h = 16) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.name = name;
  options.hidden = h;
  options.vocabulary = 50;
  return make_model(options);
}

Handle<cortex_recursive_executor> make_executor(const cortex_recursive_model* model, int threads = 1) {
  cortex_recursive_executor* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_recursive_executor_create(model, threads, &out, &message), CORTEX_OK) << message.text;
  return Handle<cortex_recursive_executor>(out);
}

// Two structures of three nodes: 2 has children 0 and 1, 5 has 3 and 4.
struct TwoTrees {
  std::vector<int32_t> structures{0, 3, 6}, offsets{0, 0, 0, 2, 2, 2, 4}, ids{0, 1, 3, 4},
      words{1, 2, -1, 3, 4, -1};
  cortex_recursive_batch batch = cortex_recursive_batch_init();
  cortex_recursive_batch view() {
    batch.structures = static_cast<int64_t>(structures.size()) - 1;
    batch.nodes = static_cast<int64_t>(offsets.size()) - 1;
    batch.structure_offsets = structures.data();
    batch.child_offsets = offsets.data();
    batch.child_ids = ids.data();
    batch.words = words.data();
    return batch;
  }
};

TEST(RecursiveCapi, EveryReadyModelDescribesItself) {
  std::string names = cortex_recursive_ready_models();
  EXPECT_NE(names.find("treelstm,"), std::string::npos);
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const auto model = ready(names.substr(at, end - at).c_str());
    at = end + 1;
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

// Random binary trees as bracketed sentences have them: children before parents.
TwoTrees random_trees(std::mt19937& random, int structures, int leaves) {
  TwoTrees t;
  t.structures = {0};
  t.offsets = {0};
  t.ids.clear();
  t.words.clear();
  for (int s = 0; s < structures; ++s) {
    std::vector<int32_t> open;
    int left = std::uniform_int_distribution<int>(1, leaves)(random);
    while (left > 0 || open.size() > 1) {
      const int32_t node = static_cast<int32_t>(t.words.size());
      if (left > 0 && (open.size() < 2 || random() % 2)) {
        t.words.push_back(static_cast<int32_t>(random() % 50));
        --left;
      } else {
        t.ids.insert(t.ids.end(), {open[open.size() - 2], open.back()});
        open.resize(open.size() - 2);
        t.words.push_back(-1);
      }
      t.offsets.push_back(static_cast<int32_t>(t.ids.size()));
      open.push_back(node);
    }
    t.structures.push_back(static_cast<int32_t>(t.words.size()));
  }
  return t;
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
TEST(RecursiveCapi, AllocatesNothingOnceWarm) {
  const auto model = ready("treelstm", 32);
  const auto executor = make_executor(model.get());
  std::mt19937 random(12);
  std::vector<TwoTrees> batches;
  for (int i = 0; i < 200; ++i) batches.push_back(random_trees(random, 4, 30));
  std::vector<float> rows(4 * 32);
  const auto run_all = [&] {
    for (TwoTrees& trees : batches) {
      const cortex_recursive_batch batch = trees.view();
      cortex_recursive_result result{};
      result.data = rows.data();
      ASSERT_EQ(cortex_recursive_run(executor.get(), &batch, &result, 1, nullptr), CORTEX_OK);
    }
  };
  run_all();
  const long before = allocations.load();
  for (int i = 0; i < 5; ++i) run_all();
  EXPECT_EQ(allocations.load(), before);
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
