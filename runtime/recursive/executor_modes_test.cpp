// Ways to run a model that must not change what comes out: whole structures a thread, weights in bf16.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"
#include "polyopt/recursive/make_program.h"
#include "runtime/recursive/compile.h"
#include "runtime/recursive/testing/executor_case.h"
#include "support/bf16.h"

namespace cortex::recursive::testing {
namespace {

// Whole structures a thread: the bits of columns a thread, and what is wrong is said in the batch's own
// numbers.
TEST(Executor, StaticBatching) {
  std::mt19937 random(12);
  for (const std::string& name : ready_models()) {
    for (const bool features : {false, true}) {
      if (!ready_model(name, features)) continue;
      SCOPED_TRACE(name);
      ReadyCase ready(name, features, random);
      Batch& batch = ready.batch;
      CompiledModel* const made = ready.made.get();
      const std::vector<float> expected = all_states(*made, batch.view(), 1);
      made->sharing = Sharing::structures;
      for (const int threads : {2, 3, 7}) EXPECT_EQ(all_states(*made, batch.view(), threads), expected);

      const auto executor = Executor::create(*made, 2);
      std::vector<float> roots(64 * 24 * 48), again(roots.size());
      cortex_recursive_result result{};
      result.where = CORTEX_RECURSIVE_ROOTS;
      result.data = roots.data();
      ASSERT_TRUE((*executor)->run(batch.view(), &result, 1).ok());
      made->sharing = Sharing::columns;
      result.data = again.data();
      ASSERT_TRUE((*executor)->run(batch.view(), &result, 1).ok());
      EXPECT_EQ(roots, again);
      made->sharing = Sharing::structures;
      result.rows = 10000;
      EXPECT_FALSE((*executor)->run(batch.view(), &result, 1).ok());
      result.rows = 0;
      batch.child_ids.back() = -5;
      const Status wrong = (*executor)->run(batch.view(), &result, 1);
      ASSERT_FALSE(wrong.ok());
      EXPECT_NE(wrong.error().message.find(" 6: node "), std::string::npos) << wrong.error().message;
    }
  }
}

// Weights in bf16: the bits of f32 weights that are bf16 values; near those of the weights as given.
TEST(Executor, Bf16WeightsAreTheirOwnF32) {
  for (const char* name : {"treelstm", "treegru", "treefc", "mvrnn"}) {
    for (const bool features : {false, true}) {
      if (features && std::string(name) != "treelstm" && std::string(name) != "treegru") continue;
      SCOPED_TRACE(name);
      std::mt19937 random(8);
      const Model model = parsed(*ready_model(name, features), 40);
      Batch batch;
      for (int s = 0; s < 6; ++s) batch.add(random_structure(Structure::tree, s < 2 ? 1 : 30, 2, random));
      batch.fill(random, 7, 19);
      Parameters given = random_parameters(model, random), rounded = given;
      for (std::size_t p = 0; p < given.size(); ++p) {
        if (model.parameters[p].table || model.parameters[p].dims.size() < 2) continue;
        if (model.parameters[p].name == "W_M" || model.parameters[p].name == "b_M") continue;
        for (float& x : rounded[p]) x = from_bf16(to_bf16(x));
      }
      CompileOptions options = for_this_machine();
      const auto expected = all_states(*compiled(model, rounded, options), batch.view(), 1);
      const auto exact = all_states(*compiled(model, given, options), batch.view(), 1);
      options.bf16 = true;
      const auto narrow = compiled(model, given, options);
      for (const int threads : {1, 2}) EXPECT_EQ(all_states(*narrow, batch.view(), threads), expected);
      float largest = 0, difference = 0;
      for (std::size_t i = 0; i < exact.size(); ++i) {
        largest = std::max(largest, std::abs(exact[i]));
        difference = std::max(difference, std::abs(exact[i] - expected[i]));
      }
      EXPECT_GT(difference, 0.0f);
      EXPECT_LE(difference, 0.05f * largest);
    }
  }
}

}  // namespace
}  // namespace cortex::recursive::testing
