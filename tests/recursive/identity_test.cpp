// A node's result depends on its structure alone: not on threads, neighbours, numbering, or who else runs.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "tests/recursive/model_runner.h"

namespace cortex::recursive_test {
namespace {

constexpr const char* problems[] = {
    "treefc h40 mb12 perfect4", "treernn h40 mb12 tree40",       "treegru h40 mb12 tree40",
    "treelstm h40 mb12 tree40", "treelstm-nary h20 mb12 tree40", "mvrnn h16 mb12 tree40",
    "dagrnn h40 mb12 dag40",    "seqlstm h40 mb12 seq20",        "seqgru h40 mb12 seq20",
    "seqrnn h40 mb12 seq20",
};

struct Fixture {
  explicit Fixture(const char* text, const Structures* trees = nullptr)
      : problem(parse_recursive(text)->front()),
        operands(bench::make_recursive_operands(problem, trees, {1, 9}).value()),
        model(make_model(problem, operands)) {}
  const Structures& batch() const { return operands.batches[0]; }

  RecursiveProblem problem;
  bench::RecursiveOperands operands;
  Model model;
};

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The root's h of structure s of a run.
std::vector<float> root_of(const std::vector<float>& states, const Structures& batch, int32_t s,
                           int64_t hidden) {
  const float* h = states.data() + int64_t{batch.root[size_t(s)]} * hidden;
  return {h, h + hidden};
}

TEST(Identity, OfAnyNumberOfThreads) {
  for (const char* text : problems) {
    const Fixture f(text);
    const std::vector<float> one = run(make_executor(f.model, 1), f.problem, f.batch());
    for (const int threads : {2, 3, 5}) {
      EXPECT_TRUE(equal_bits(one, run(make_executor(f.model, threads), f.problem, f.batch())))
          << text << threads;
    }
  }
}

TEST(Identity, OfAnyBatchComposition) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (const char* text : problems) {
    const Fixture f(text);
    const Executor executor = make_executor(f.model, 1), two = make_executor(f.model, 2);
    const std::vector<float> all = run(executor, f.problem, f.batch());
    for (int round = 0; round < 6; ++round) {
      std::vector<int32_t> chosen(size_t(f.batch().structure_count()));
      std::iota(chosen.begin(), chosen.end(), 0);
      std::shuffle(chosen.begin(), chosen.end(), random);
      chosen.resize(1 + random() % chosen.size());
      if (round == 0) chosen.resize(1);
      Structures some = select(f.batch(), chosen);
      // Sequences without child lists are in order; with them, as here, any numbering will do.
      if (round % 2) some = shuffled(some, random());
      const std::vector<float> states = run(round % 3 ? executor : two, f.problem, some);
      for (size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_TRUE(equal_bits(root_of(states, some, int32_t(i), f.problem.hidden),
                               root_of(all, f.batch(), chosen[i], f.problem.hidden)))
            << text << ", structure " << chosen[i] << " in a batch of " << chosen.size();
      }
    }
  }
}

// The first tree of `trees`, a batch of those from `first` on, that has a node whose states are not those it
// has in the batch of all; -1: none.
int32_t first_that_differs(const std::vector<float>& states, const Structures& trees, int32_t first,
                           const std::vector<float>& all_states, const Structures& all,
                           const RecursiveProblem& problem) {
  const int64_t hidden = problem.hidden, second = bench::second_state_size(problem);
  for (int32_t s = 0; s < trees.structure_count(); ++s) {
    const int64_t at = trees.first_node[size_t(s)], in_all = all.first_node[size_t(first + s)];
    const int64_t nodes = trees.first_node[size_t(s) + 1] - at;
    const auto equal = [&](int64_t begin, int64_t begin_in_all, int64_t size) {
      return std::memcmp(states.data() + begin + at * size, all_states.data() + begin_in_all + in_all * size,
                         size_t(nodes * size) * sizeof(float)) == 0;
    };
    if (!equal(0, 0, hidden)) return first + s;
    if (!equal(trees.node_count() * hidden, all.node_count() * hidden, second)) return first + s;
  }
  return -1;
}

// Every node of every shipped tree, in every state. Threads own columns of small batches and whole trees of
// large ones, so that all of that is compared too.
void same_alone_and_in_batches(const char* text, bool binary) {
  SCOPED_TRACE(fmt::format("{}, {} trees", text, binary ? "binary" : "n-ary"));
  const Fixture f(text, &shipped_trees(binary));
  const Structures& all = f.batch();
  const int32_t trees = all.structure_count();
  ASSERT_EQ(trees, 2000);
  ASSERT_EQ(all.node_count(), shipped_trees(binary).node_count());
  const std::vector<float> expected = run(make_executor(f.model, 1), f.problem, all);
  for (const float value : expected) ASSERT_TRUE(std::isfinite(value));
  for (const int threads : {1, 2}) {
    const Executor executor = make_executor(f.model, threads);
    for (const int32_t batch : {1, 10, 2000}) {
      for (int32_t first = 0; first < trees; first += batch) {
        std::vector<int32_t> chosen(static_cast<size_t>(batch));
        std::iota(chosen.begin(), chosen.end(), first);
        const Structures some = select(all, chosen);
        ASSERT_EQ(first_that_differs(run(executor, f.problem, some), some, first, expected, all, f.problem),
                  -1)
            << "in a batch of " << batch << ", " << threads << " threads";
      }
    }
  }
}

// More columns than one thread's panel holds, and a last panel that is not full.
TEST(Identity, OfTwoThousandTreesAloneAndInBatches) {
  same_alone_and_in_batches("treelstm h40 mb2000 trees", false);
  same_alone_and_in_batches("treelstm h40 mb2000 trees", true);
  same_alone_and_in_batches("treelstm-nary h20 mb2000 trees", true);
  same_alone_and_in_batches("treegru h40 mb2000 trees", false);
  same_alone_and_in_batches("treefc h40 mb2000 trees", true);
  same_alone_and_in_batches("mvrnn h10 mb2000 trees", true);
}

// Up to 15 children a node: 15 x 15 forget matrices.
TEST(Identity, OfTwoThousandTreesWithAMatrixPerChild) {
  same_alone_and_in_batches("treelstm-nary h6 mb2000 trees", false);
}

TEST(Identity, ThirtyTwoThreadsShareAModel) {
  for (const char* text : {"treelstm h40 mb6 tree30", "seqgru h40 mb6 seq12"}) {
    const Fixture f(text);
    const std::vector<float> expected = run(make_executor(f.model, 1), f.problem, f.batch());
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 32; ++t) {
      threads.emplace_back([&] {
        const Executor executor = make_executor(f.model, 1);
        for (int i = 0; i < 20; ++i) wrong += !equal_bits(expected, run(executor, f.problem, f.batch()));
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << text;
  }
}

int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoll(line.substr(6));
  }
  return 0;
}

// Every batch is one never seen before. The arena has its size after batches that hold any of them; from then
// on neither it nor the heap nor what the process has resident grows.
void stays_flat(const char* text, int threads) {
  SCOPED_TRACE(fmt::format("{} threads {}", text, threads));
  const Fixture f(text);
  const Executor executor = make_executor(f.model, threads);
  std::mt19937 random(3);
  constexpr int most = 40;
  const int all = int(f.batch().structure_count());
  std::vector<float> roots(size_t(most * f.batch().node_count()) * size_t(f.problem.hidden));
  const auto run_some = [&](const std::vector<int32_t>& chosen) {
    const Structures some = select(f.batch(), chosen);
    const cortex_recursive_batch batch = batch_of(some);
    cortex_recursive_result result{};
    result.where = CORTEX_RECURSIVE_ROOTS;
    result.data = roots.data();
    ASSERT_EQ(cortex_recursive_run(executor.get(), &batch, &result, 1, nullptr), CORTEX_OK);
  };
  const auto round = [&](int batches) {
    for (int i = 0; i < batches; ++i) {
      std::vector<int32_t> chosen(1 + random() % most);
      for (int32_t& s : chosen) s = int32_t(random() % unsigned(all));
      run_some(chosen);
    }
  };
  const auto arena = [&] {
    cortex_recursive_info info = cortex_recursive_info_init();
    cortex_recursive_executor_query(executor.get(), &info, nullptr);
    return info.arena_bytes;
  };
  for (int32_t s = 0; s < all; ++s) run_some(std::vector<int32_t>(most, s));
  round(1000);
  const int64_t before = arena(), resident = resident_kib();
  EXPECT_GT(before, 0);
  const size_t heap = mallinfo2().uordblks;
  const int batches = std::getenv("CORTEX_TEST_LONG") ? 100000 : 2000;
  round(batches);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(mallinfo2().uordblks, heap);
  EXPECT_LE(resident_kib(), resident + 512) << "KiB";
#endif
  EXPECT_EQ(arena(), before);
  fmt::print("{}, {} threads: resident after 1,000 batches {} KiB, after {} {} KiB\n", text, threads,
             resident, 1000 + batches, resident_kib());
}

TEST(Memory, StaysFlatOverBatchesOfVaryingShape) {
  stays_flat("treelstm h16 mb64 tree30", 1);
  stays_flat("treegru h32 mb64 tree30", 2);
  stays_flat("dagrnn h16 mb64 dag30", 1);
  stays_flat("seqlstm h16 mb64 seq12", 2);
}

}  // namespace
}  // namespace cortex::recursive_test
