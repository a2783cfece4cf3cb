// Every ready model, and cells nobody wrote before, against the model evaluated as written in double; equal
// bits for any number of threads, any batch, any set of transformations that keeps the order of sums.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"
#include "polyopt/recursive/make_program.h"
#include "runtime/recursive/compile.h"
#include "runtime/recursive/testing/executor_case.h"

namespace cortex::recursive::testing {
namespace {

void check_model(const Model& model, std::mt19937& random, const std::string& what) {
  const Parameters parameters = random_parameters(model, random);
  const Batch batch = random_batch(model, random);
  const auto expected = evaluate(model, parameters, batch.view());
  std::vector<float> first;
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (!supports(isa)) continue;
    CompileOptions options;
    options.isa = isa;
    const auto plain = compiled(model, parameters, options);
    first = all_states(*plain, batch.view(), 1);
    expect_near(first, expected, model, what);
    for (const int threads : {2, 3}) {
      const std::vector<float> other = all_states(*plain, batch.view(), threads);
      EXPECT_EQ(std::memcmp(other.data(), first.data(), first.size() * 4), 0)
          << what << " threads " << threads;
    }
  }
  CompileOptions options;
  options.isa = detected_isa();
  for (const std::string& name : transformation_names()) {
    options.disable = name;
    expect_near(all_states(*compiled(model, parameters, options), batch.view(), 2), expected, model,
                what + " without " + name);
  }
}

TEST(Executor, ReadyModels) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const std::string& name : ready_models()) {
    for (const bool features : {false, true}) {
      const Result<std::string> text = ready_model(name, features);
      if (!text) continue;
      for (const int h : {8, 33, 80}) check_model(parsed(*text, h), random, name);
    }
  }
}

// Cells that use what the ready ones do not.
const char* const cells[] = {
    R"(model gates  # a product per child that depends on the parent, in several phases
structure tree
children any
size h = 8
size v = 1
table X[v][h]
parameter U[h][h]
parameter W[2h][h]
parameter b[h]
state h[h]
state m[h]
node
  hs = sum(child.h)
  q = tanh(U @ hs + X[word])
  r = sigmoid(U @ (q * child.h) + b)
  s = sum(r * child.h)
  a = W @ s
  h = maximum(a[0:h], a[h:2h]) * 0.5 + 1 - q
  m = max(child.m) + hs
output h m
)",
    R"(model attention  # two reductions, one over the other's result
structure dag
children any
size h = 8
size v = 1
table X[v][h]
parameter U[h][h]
state h[h]
node
  s = tanh(U @ child.h)
  e = exp(s)
  w = sum(e)
  h = sum(e / (w + 0.5) * child.h) + X[word] - minimum(w, X[word])
output h
)",
    R"(model selected
structure tree
children 3
size h = 8
size e = 1
input w[e]
parameter P[h][e]
parameter U[h][2h]
state h[h]
state k[h]
leaf
  h = relu(P @ w)
  k = 0.25
node
  p = U @ concat(child[select].h, child[2].k)
  h = tanh(p + P @ w)
  k = child[0].k - h
output h k
)",
    R"(model counts  # the same for every child, summed over them
structure tree
children any
size h = 8
size v = 1
table X[v][h]
parameter U[h][h]
state h[h]
state n[h]
node
  n = 0.1 * sum(child.n * 0 + 1) + max(0 * child.h)
  h = tanh(U @ sum(child.h) + X[word] * n)
output h n
)",
    R"(model matrices
structure tree
children 2
size h = 8
size v = 1
table X[v][h]
parameter A[h][h]
parameter B[h][h]
parameter u[h]
state h[h]
state M[h][h]
node
  M = A @ (sum(child.M) + B) + B
  h = tanh(X[word] @ child[1].M + (u @ M) * 0.1)
output M h
)"};

TEST(Executor, OtherCells) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const char* text : cells) {
    for (const int h : {5, 33}) check_model(parsed(text, h), random, text);
  }
}

TEST(Executor, ResultsDoNotDependOnTheBatch) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const Model model = parsed(*ready_model("treelstm", false), 48);
  const Parameters parameters = random_parameters(model, random);
  const auto made = compiled(model, parameters, for_this_machine());
  Batch whole;
  std::vector<Batch> single(30);
  for (Batch& one : single) {
    const auto tree =
        random_structure(Structure::tree, std::uniform_int_distribution<int>(1, 40)(random), -1, random);
    one.add(tree);
    one.fill(random, 7, 1);
    whole.add(tree);
    whole.words.insert(whole.words.end(), one.words.begin(), one.words.end());
  }
  const std::vector<float> all = all_states(*made, whole.view(), 2);
  std::size_t at = 0;
  for (const Batch& one : single) {
    const std::vector<float> alone = all_states(*made, one.view(), 1);
    const std::size_t half = alone.size() / 2;
    EXPECT_EQ(std::memcmp(alone.data(), all.data() + at, half * 4), 0);
    EXPECT_EQ(std::memcmp(alone.data() + half, all.data() + all.size() / 2 + at, half * 4), 0);
    at += half;
  }
}

TEST(Executor, ChainsOfAMillionAndStars) {
  std::mt19937 random(1);
  const Model model = parsed(*ready_model("treernn", false), 4);
  const Parameters parameters = random_parameters(model, random);
  const auto made = compiled(model, parameters);
  for (const bool star : {false, true}) {
    const int32_t n = star ? 10001 : 1000000;
    std::vector<std::vector<int32_t>> children(static_cast<std::size_t>(n));
    for (int32_t i = 1; i < n; ++i)
      children[static_cast<std::size_t>(star ? 0 : i)].push_back(star ? i : i - 1);
    Batch batch;
    batch.add(children);
    batch.fill(random, 7, 1);
    const auto expected = evaluate(model, parameters, batch.view());
    expect_near(all_states(*made, batch.view(), star ? 2 : 1), expected, model, star ? "star" : "chain");
  }
}

// Leaves with and without a word, before and after the table changes.
TEST(Executor, LeafTablesFollowTheParameters) {
  Forest forest(4);
  const Model& model = forest.model;
  const Batch& batch = forest.batch;
  const Parameters first = random_parameters(model, forest.random),
                   second = random_parameters(model, forest.random);
  CompileOptions options = for_this_machine();
  const auto kept = compiled(model, first, options);
  ASSERT_NE(kept->directions[0].leaves, nullptr);
  options.disable = "leaf-tables";
  const auto computed = compiled(model, first, options), again = compiled(model, second, options);
  EXPECT_EQ(computed->directions[0].leaves, nullptr);
  EXPECT_EQ(all_states(*kept, batch.view(), 2), all_states(*computed, batch.view(), 1));
  for (std::size_t p = 0; p < second.size(); ++p) {
    const std::vector<float>& values = second[p];
    ASSERT_TRUE(
        kept->directions[0].parameters.set(p, values.data(), static_cast<int64_t>(values.size())).ok());
  }
  EXPECT_EQ(all_states(*kept, batch.view(), 2), all_states(*again, batch.view(), 1));
}

// The first batches of all executors meet at the table, whoever computes it.
TEST(Executor, ThirtyTwoExecutorsShareAModel) {
  Forest forest(6);
  const Batch& batch = forest.batch;
  const Parameters parameters = random_parameters(forest.model, forest.random);
  const auto compile_it = [&] { return compiled(forest.model, parameters, for_this_machine()); };
  const std::vector<float> expected = all_states(*compile_it(), batch.view(), 1);
  const auto shared = compile_it();
  std::vector<std::vector<float>> got(32);
  std::vector<std::thread> threads;
  for (std::vector<float>& states : got) {
    threads.emplace_back([&] { states = all_states(*shared, batch.view(), 1); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& states : got) EXPECT_EQ(states, expected);
}

TEST(Executor, LeafTablesAreForWordsAlone) {
  std::mt19937 random(4);
  const Model features = parsed(*ready_model("treelstm", true), 24);
  EXPECT_EQ(compiled(features, random_parameters(features, random))->directions[0].leaves, nullptr);
  // States of 50 h a word beside tables of h.
  const Model large = parsed(R"(model large
structure tree
children 2
size h = 8
size v = 1
table X[v][h]
parameter U[50h][h]
state h[50h]
state k[h]
leaf
  k = X[word]
  h = U @ X[word]
node
  k = sum(child.k)
  h = sum(child.h)
output h
)",
                             200);
  EXPECT_NE(compiled(large, random_parameters(large, random))->directions[0].leaves, nullptr) << "small yet";
  Model many = large;
  many.sizes["v"] = 200;
  EXPECT_EQ(compiled(many, random_parameters(many, random))->directions[0].leaves, nullptr);
}

TEST(Executor, BothDirections) {
  std::mt19937 random(3);
  const Model model = parsed(*ready_model("seqgru", true), 24);
  const Parameters parameters = random_parameters(model, random);
  CompileOptions options = for_this_machine();
  options.bidirectional = true;
  const auto made = compiled(model, parameters, options);
  Batch batch;
  for (const int length : {5, 1, 9}) {
    batch.structure_offsets.push_back(batch.nodes() + length);
  }
  std::uniform_real_distribution<float> uniform(-1, 1);
  batch.features.resize(static_cast<std::size_t>(batch.nodes() * 19));
  for (float& x : batch.features) x = uniform(random);
  cortex_recursive_batch view = batch.view();
  view.child_offsets = nullptr;
  const std::vector<float> got = all_states(*made, view, 2);
  const auto forward = evaluate(model, parameters, view), backward = evaluate(model, parameters, view, true);
  for (std::size_t v = 0; v < forward.size(); ++v) {
    for (std::size_t j = 0; j < 24; ++j) {
      EXPECT_NEAR(got[v * 48 + j], forward[v][0][j], 1e-5);
      EXPECT_NEAR(got[v * 48 + 24 + j], backward[v][0][j], 1e-5);
    }
  }
}

}  // namespace
}  // namespace cortex::recursive::testing
