// What tests of the C interface of recursive models share: handles, models with parameters, batches.
#pragma once

#include <cortex/recursive.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace cortex::recursive_capi_testing {

struct Destroy {
  void operator()(cortex_context* p) const { cortex_context_destroy(p); }
  void operator()(cortex_recursive_model* p) const { cortex_recursive_destroy(p); }
  void operator()(cortex_recursive_executor* p) const { cortex_recursive_executor_destroy(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

inline Handle<cortex_context> make_context() {
  cortex_context* out = nullptr;
  EXPECT_EQ(cortex_context_create(nullptr, &out, nullptr), CORTEX_OK);
  return Handle<cortex_context>(out);
}

inline Handle<cortex_recursive_model> make_model(const cortex_recursive_options& options, bool set = true) {
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

inline Handle<cortex_recursive_model> ready(const char* name, int64_t h = 16, int64_t features = 0,
                                            bool both_ways = false) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.input = features;
  options.bidirectional = both_ways;
  options.name = name;
  options.hidden = h;
  options.vocabulary = 50;
  return make_model(options);
}

inline Handle<cortex_recursive_executor> make_executor(const cortex_recursive_model* model, int threads = 1) {
  cortex_recursive_executor* out = nullptr;
  cortex_message message;
  EXPECT_EQ(cortex_recursive_executor_create(model, threads, &out, &message), CORTEX_OK) << message.text;
  return Handle<cortex_recursive_executor>(out);
}

inline std::vector<std::string> ready_names() {
  std::vector<std::string> names;
  const std::string all = cortex_recursive_ready_models();
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find(',', at), all.size());
    names.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return names;
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

// Random binary trees as bracketed sentences have them: children before parents.
inline TwoTrees random_trees(std::mt19937& random, int structures, int leaves) {
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

// Sequences of any length up to `most`, a child list for every step.
inline TwoTrees random_chains(std::mt19937& random, int structures, int most) {
  TwoTrees t;
  t.structures = t.offsets = {0};
  t.ids.clear();
  t.words.clear();
  for (int s = 0; s < structures; ++s) {
    for (int i = 0, n = std::uniform_int_distribution<int>(1, most)(random); i < n; ++i) {
      if (i) t.ids.push_back(static_cast<int32_t>(t.words.size()) - 1);
      t.words.push_back(static_cast<int32_t>(random() % 50));
      t.offsets.push_back(static_cast<int32_t>(t.ids.size()));
    }
    t.structures.push_back(static_cast<int32_t>(t.words.size()));
  }
  return t;
}

}  // namespace cortex::recursive_capi_testing
