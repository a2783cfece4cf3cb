// What a hostile or careless program does to the C interface of recursive models: it gets a status and one
// line.
#include <atomic>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <thread>

#include "runtime/capi/recursive_case.h"

namespace cortex::recursive_capi_testing {
namespace {

void expect_refusal(cortex_status status, const cortex_message& message, const std::string& why) {
  EXPECT_EQ(status, CORTEX_INVALID_ARGUMENT) << why;
  EXPECT_NE(std::string(message.text).find(why), std::string::npos) << message.text << " lacks " << why;
  EXPECT_EQ(std::string(message.text).find('\n'), std::string::npos) << message.text;
}

std::vector<float> roots_of(cortex_recursive_executor* executor, const cortex_recursive_batch& batch,
                            int64_t width = 16) {
  std::vector<float> rows(static_cast<std::size_t>(batch.structures * width));
  cortex_recursive_result result{};
  result.data = rows.data();
  cortex_message message;
  EXPECT_EQ(cortex_recursive_run(executor, &batch, &result, 1, &message), CORTEX_OK) << message.text;
  return rows;
}

// A struct as another version of the header has it: longer or shorter.
template <typename T>
struct Longer {
  T known;
  uint64_t unknown[3] = {};
};

TEST(RecursiveMisuse, StructsOfOtherVersions) {
  const auto context = make_context();
  cortex_message message;
  cortex_recursive_model* none = nullptr;
  const auto create = [&](const cortex_recursive_options* options) {
    const cortex_status status = cortex_recursive_create(context.get(), options, &none, &message);
    if (status == CORTEX_OK) cortex_recursive_destroy(none);
    none = nullptr;
    return status;
  };
  Longer<cortex_recursive_options> options{cortex_recursive_options_init()};
  options.known.name = "treelstm";
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{4097}, SIZE_MAX}) {
    options.known.struct_size = size;
    expect_refusal(create(&options.known), message, "cortex_recursive_options: struct_size");
  }
  options.known.struct_size = sizeof options;
  EXPECT_EQ(create(&options.known), CORTEX_OK) << message.text;
  options.unknown[2] = 1;
  expect_refusal(create(&options.known), message, "cortex_recursive_options");
  options.known.struct_size = offsetof(cortex_recursive_options, weights);  // before weights were an option
  options.known.weights = 77;
  EXPECT_EQ(create(&options.known), CORTEX_OK) << message.text;

  const auto model = ready("treelstm");
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  Longer<cortex_recursive_batch> batch{trees.view()};
  for (const std::size_t size : {std::size_t{0}, std::size_t{4097}, SIZE_MAX}) {
    batch.known.struct_size = size;
    expect_refusal(cortex_recursive_run(executor.get(), &batch.known, nullptr, 0, &message), message,
                   "cortex_recursive_batch: struct_size");
  }
  batch.known.struct_size = sizeof batch;
  EXPECT_EQ(cortex_recursive_run(executor.get(), &batch.known, nullptr, 0, &message), CORTEX_OK);
  batch.unknown[0] = 1;
  expect_refusal(cortex_recursive_run(executor.get(), &batch.known, nullptr, 0, &message), message,
                 "cortex_recursive_batch");

  Longer<cortex_recursive_tensor> tensor{cortex_recursive_tensor_init(), {1, 2, 3}};
  tensor.known.struct_size = 0;
  expect_refusal(cortex_recursive_output(model.get(), 0, &tensor.known, &message), message,
                 "cortex_recursive_tensor: struct_size");
  tensor.known.struct_size = sizeof tensor;
  EXPECT_EQ(cortex_recursive_output(model.get(), 1, &tensor.known, &message), CORTEX_OK);
  EXPECT_STREQ(tensor.known.name, "c");
  EXPECT_EQ(tensor.unknown[0], 0u) << "what this version does not know";
  expect_refusal(cortex_recursive_output(model.get(), 2, &tensor.known, &message), message,
                 "the model has 2");
  expect_refusal(cortex_recursive_parameter(model.get(), -1, &tensor.known, &message), message,
                 "the model has 4");

  Longer<cortex_recursive_info> info{cortex_recursive_info_init(), {1, 2, 3}};
  info.known.struct_size = 5;
  expect_refusal(cortex_recursive_executor_query(executor.get(), &info.known, &message), message,
                 "cortex_recursive_info: struct_size");
  info.known.struct_size = sizeof info;
  EXPECT_EQ(cortex_recursive_executor_query(executor.get(), &info.known, &message), CORTEX_OK);
  EXPECT_EQ(info.known.nodes, 6);
  EXPECT_EQ(info.unknown[2], 0u);
}

TEST(RecursiveMisuse, NullsAndResults) {
  const auto context = make_context();
  const auto model = ready("treelstm");
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  const cortex_recursive_batch batch = trees.view();
  cortex_recursive_options options = cortex_recursive_options_init();
  cortex_recursive_model* made = nullptr;
  cortex_recursive_executor* team = nullptr;
  cortex_recursive_tensor tensor = cortex_recursive_tensor_init();
  cortex_message m;
  const float x = 0;
  expect_refusal(cortex_recursive_create(nullptr, &options, &made, &m), m, "cortex_recursive_create: NULL");
  expect_refusal(cortex_recursive_create(context.get(), nullptr, &made, &m), m, "NULL");
  expect_refusal(cortex_recursive_create(context.get(), &options, nullptr, &m), m, "NULL");
  expect_refusal(cortex_recursive_parameter(nullptr, 0, &tensor, &m), m, "cortex_recursive_parameter: NULL");
  expect_refusal(cortex_recursive_output(model.get(), 0, nullptr, &m), m, "cortex_recursive_output: NULL");
  expect_refusal(cortex_recursive_set_parameter(model.get(), nullptr, &x, 1, &m), m, "set_parameter: NULL");
  expect_refusal(cortex_recursive_set_parameter(model.get(), "U", nullptr, 1, &m), m, "set_parameter: NULL");
  expect_refusal(cortex_recursive_executor_create(nullptr, 1, &team, &m), m, "executor_create: NULL");
  expect_refusal(cortex_recursive_executor_create(model.get(), 65, &team, &m), m, "1 to 64");
  expect_refusal(cortex_recursive_executor_create(model.get(), INT_MIN, &team, &m), m, "1 to 64");
  expect_refusal(cortex_recursive_run(nullptr, &batch, nullptr, 0, &m), m, "cortex_recursive_run: NULL");
  expect_refusal(cortex_recursive_run(executor.get(), nullptr, nullptr, 0, &m), m,
                 "cortex_recursive_run: NULL");
  expect_refusal(cortex_recursive_run(executor.get(), &batch, nullptr, 1, &m), m, "results is NULL");
  expect_refusal(cortex_recursive_run(executor.get(), &batch, nullptr, -1, &m), m, "results is NULL");
  expect_refusal(cortex_recursive_executor_query(executor.get(), nullptr, &m), m, "executor_query: NULL");
  EXPECT_EQ(made, nullptr);
  EXPECT_EQ(team, nullptr);
  EXPECT_EQ(cortex_recursive_flops(nullptr, &batch), -1);
  EXPECT_STREQ(cortex_recursive_text(nullptr), "");
  EXPECT_EQ(cortex_recursive_parameter_count(nullptr), 0);
  cortex_recursive_destroy(nullptr);
  cortex_recursive_executor_destroy(nullptr);

  std::vector<float> rows(6 * 16);
  const auto refused = [&](const std::function<void(cortex_recursive_result&)>& spoil,
                           const std::string& why) {
    cortex_recursive_result result{};
    result.data = rows.data();
    spoil(result);
    expect_refusal(cortex_recursive_run(executor.get(), &batch, &result, 1, &m), m, why);
  };
  refused([](auto& r) { r.data = nullptr; }, "result 0, (the first): data is NULL");
  refused([](auto& r) { r.name = "q"; }, "no output q");
  refused([](auto& r) { r.where = 2; }, "where 2 is unknown");
  refused([](auto& r) { r.rows = 3; }, "room for 3 rows, and there are 2");
  refused([](auto& r) { r.row_bytes = 60; }, "row_bytes 60; a row has 64");
  refused([](auto& r) { r.row_bytes = -64; }, "row_bytes -64");
  refused([](auto& r) { r.reserved0 = 1; }, "reserved fields must be zero");
  refused([](auto& r) { r.reserved[1] = 1; }, "reserved fields must be zero");
}

// What only models with a selected child or with features read.
TEST(RecursiveMisuse, SelectorsAndFeatures) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.text =
      "model m\nstructure tree\nchildren 2\nsize h = 16\nsize e = 8\ninput w[e]\nparameter W[h][e]\nstate "
      "h[h]\n"
      "node\n  h = tanh(child[select].h + W @ w)\noutput h\n";
  const auto model = make_model(options);
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  const std::vector<float> features(6 * 8, 0.25f);
  std::vector<int32_t> selectors{-1, -1, 1, -1, -1, 0};
  const auto run = [&](const std::function<void(cortex_recursive_batch&)>& spoil, cortex_message* m) {
    cortex_recursive_batch batch = trees.view();
    batch.features = features.data();
    batch.selectors = selectors.data();
    spoil(batch);
    return cortex_recursive_run(executor.get(), &batch, nullptr, 0, m);
  };
  cortex_message m;
  EXPECT_EQ(run([](auto& b) { b.words = nullptr; }, &m), CORTEX_OK)
      << m.text;  // no tables: nobody reads words
  expect_refusal(run([](auto& b) { b.features = nullptr; }, &m), m,
                 "features is NULL, and the model has an input");
  expect_refusal(run([](auto& b) { b.selectors = nullptr; }, &m), m,
                 "selectors is NULL, and the model reads child[select]");
  for (const int32_t which : {2, -2, INT32_MAX, INT32_MIN}) {
    selectors[5] = which;
    expect_refusal(run([](auto&) {}, &m), m,
                   "tree 1: node 5 selects child " + std::to_string(which) + " of 2");
  }
  selectors[5] = 1;
  selectors[3] = 0;
  expect_refusal(run([](auto&) {}, &m), m, "tree 1: node 3 selects child 0 of 0");
  trees.offsets[0] = 1;
  expect_refusal(run([](auto&) {}, &m), m, "child_offsets begin with 1, not 0");
}

TEST(RecursiveMisuse, GiganticSizes) {
  const auto context = make_context();
  const auto refused = [&](const std::function<void(cortex_recursive_options&)>& spoil) {
    cortex_recursive_options options = cortex_recursive_options_init();
    options.name = "treelstm";
    spoil(options);
    cortex_recursive_model* made = nullptr;
    cortex_message message;
    const cortex_status status = cortex_recursive_create(context.get(), &options, &made, &message);
    EXPECT_TRUE(status == CORTEX_INVALID_ARGUMENT || status == CORTEX_OUT_OF_MEMORY) << status;
    EXPECT_NE(message.text[0], '\0');
    EXPECT_EQ(std::string(message.text).find('\n'), std::string::npos) << message.text;
    EXPECT_EQ(made, nullptr);
  };
  for (const int64_t size : {int64_t{1} << 20, int64_t{1} << 33, INT64_MAX, INT64_MIN, int64_t{-1}}) {
    refused([&](auto& o) { o.hidden = size; });
    if (size < 0 || size > int64_t{1} << 33) refused([&](auto& o) { o.vocabulary = size; });
    if (size < 0 || size > int64_t{1} << 33) refused([&](auto& o) { o.input = size; });
    refused([&](auto& o) { o.name = "treelstm-nary", o.max_children = size; });
  }
  const std::string deep(5000000, '('), long_name(5000000, 'q');
  refused([&](auto& o) { o.name = nullptr, o.text = deep.c_str(); });
  refused([&](auto& o) { o.name = nullptr, o.text = long_name.c_str(); });
  refused([&](auto& o) { o.name = long_name.c_str(); });
  refused([&](auto& o) { o.disable = long_name.c_str(); });
  const std::string huge =
      "model m\nstructure tree\nchildren any\nsize h = 99999999999999999999\nstate h[h]\n";
  refused([&](auto& o) { o.name = nullptr, o.text = huge.c_str(); });
}

// Two threads, one of them doing what the other one's call must not meet, until one is refused.
void until_refused(const std::function<cortex_status(cortex_message*)>& mine,
                   const std::function<cortex_status(cortex_message*)>& others, const std::string& why) {
  std::atomic<bool> stop{false};
  std::atomic<int> met{0};
  const auto repeat = [&](const std::function<cortex_status(cortex_message*)>& call) {
    while (!stop) {
      cortex_message message;
      const cortex_status status = call(&message);
      if (status == CORTEX_OK) continue;
      EXPECT_EQ(status, CORTEX_INVALID_ARGUMENT);
      const std::string text = message.text;
      EXPECT_TRUE(text.find("another thread") != std::string::npos) << text;
      if (text.find(why) == std::string::npos) continue;
      ++met;
      stop = true;
    }
  };
  std::thread other([&] { repeat(others); });
  std::thread clock([&] {
    for (int i = 0; i < 600 && !stop; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop = true;
  });
  repeat(mine);
  other.join();
  clock.join();
  EXPECT_GT(met.load(), 0) << "never refused: " << why;
}

TEST(RecursiveMisuse, TwoThreadsAtOnce) {
  const auto model = ready("treelstm", 64);
  const auto executor = make_executor(model.get()), own = make_executor(model.get());
  std::mt19937 random(3);
  TwoTrees trees = random_trees(random, 100, 30);
  const cortex_recursive_batch batch = trees.view();
  const std::vector<float> before = roots_of(executor.get(), batch, 64);
  const auto run = [&](cortex_recursive_executor* on) {
    return [&batch, on](cortex_message* message) {
      return cortex_recursive_run(on, &batch, nullptr, 0, message);
    };
  };
  until_refused(run(executor.get()), run(executor.get()),
                "cortex_recursive_run: the executor is in use by another thread; make an executor for every");
  const auto query = [&](cortex_message* message) {
    cortex_recursive_info info = cortex_recursive_info_init();
    return cortex_recursive_executor_query(executor.get(), &info, message);
  };
  until_refused(query, run(executor.get()), "cortex_recursive_executor_query: the executor is in use");
  cortex_recursive_tensor tensor = cortex_recursive_tensor_init();
  ASSERT_EQ(cortex_recursive_parameter(model.get(), 0, &tensor, nullptr), CORTEX_OK);
  const std::vector<float> values(static_cast<std::size_t>(tensor.count), 0.05f);
  const auto set = [&](cortex_message* message) {
    return cortex_recursive_set_parameter(model.get(), tensor.name, values.data(), tensor.count, message);
  };
  until_refused(set, run(own.get()), "parameter X: another thread runs a batch");
  until_refused(run(own.get()), set, "another thread sets a parameter");
  // None the worse for it.
  EXPECT_EQ(roots_of(executor.get(), batch, 64), roots_of(own.get(), batch, 64));
  EXPECT_NE(roots_of(executor.get(), batch, 64), before);
}

TEST(RecursiveMisuse, ExecutorsOutliveTheirModel) {
  auto model = ready("treelstm");
  const auto executor = make_executor(model.get(), 2);
  TwoTrees trees;
  const cortex_recursive_batch batch = trees.view();
  const std::vector<float> before = roots_of(executor.get(), batch);
  model.reset();
  EXPECT_EQ(roots_of(executor.get(), batch), before);
}

// A NaN stays in the structure that has it, and among what hangs above it.
TEST(RecursiveMisuse, NansStayWhereTheyAre) {
  const auto model = ready("treelstm", 16, 8);
  const auto executor = make_executor(model.get());
  TwoTrees trees;
  cortex_recursive_batch batch = trees.view();
  std::vector<float> features(6 * 8, 0.25f);
  batch.features = features.data();
  const std::vector<float> before = roots_of(executor.get(), batch);
  features[3 * 8 + 2] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> after = roots_of(executor.get(), batch);
  EXPECT_EQ(std::memcmp(after.data(), before.data(), 16 * sizeof(float)), 0);
  for (std::size_t i = 16; i < 32; ++i) EXPECT_TRUE(std::isnan(after[i])) << i;
}

}  // namespace
}  // namespace cortex::recursive_capi_testing
