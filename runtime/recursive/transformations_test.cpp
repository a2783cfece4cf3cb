// Every transformation that can be left out, seen where it works: in the program a model becomes, or in the
// calls of microkernels as a batch runs. That it keeps the results is tested beside (executor_test).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "polyopt/recursive/make_program.h"
#include "runtime/recursive/testing/executor_case.h"

namespace cortex::recursive::testing {
namespace {

struct Call {
  bool product = false;  // else an element-wise step
  const void *a = nullptr, *b = nullptr;
  int64_t rows = 0;
  bool last_first = false;
};
std::vector<Call> calls;
CellKernels real;

void count_gemm(const cortex_cell_gemm_args* args) {
  calls.push_back({true, args->a, args->b, args->m, args->last_first != 0});
  real.gemm(args);
}
void count_pointwise(const cortex_cell_step* steps, int32_t count, float* const* rows, int64_t n) {
  calls.push_back({});
  real.pointwise(steps, count, rows, n);
}

Model model_of(const std::string& name, bool features = false, int64_t h = 24) {
  return parsed(*ready_model(name, features), h);
}

Batch perfect_trees(int trees, int levels) {
  Batch batch;
  std::mt19937 random(2);
  for (int t = 0; t < trees; ++t) {
    std::vector<std::vector<int32_t>> children(static_cast<std::size_t>((1 << levels) - 1));
    for (int32_t v = 0; 2 * v + 2 < static_cast<int32_t>(children.size()); ++v)
      children[static_cast<std::size_t>(v)] = {2 * v + 1, 2 * v + 2};
    batch.add(children);
  }
  batch.fill(random, 7, 19);
  return batch;
}

// What one thread calls for the batch, once warm.
struct Run {
  std::unique_ptr<CompiledModel> made;
  std::vector<Call> calls;
  int64_t rows() const {  // of all products
    int64_t sum = 0;
    for (const Call& call : calls) sum += call.product ? call.rows : 0;
    return sum;
  }
  int64_t products() const {
    return std::count_if(calls.begin(), calls.end(), [](const Call& c) { return c.product; });
  }
  int64_t most_rows() const {
    int64_t most = 0;
    for (const Call& call : calls) most = std::max(most, call.product ? call.rows : 0);
    return most;
  }
};

Run run(const Model& model, const Batch& batch, const std::string& disable,
        Unrolling unrolling = Unrolling::choose) {
  std::mt19937 random(1);
  CompileOptions options = for_this_machine();
  options.disable = disable;
  Run out{compiled(model, random_parameters(model, random), options), {}};
  if (out.made->unrolling == Unrolling::choose) out.made->unrolling = unrolling;
  real = out.made->kernels;
  out.made->kernels.gemm = count_gemm;
  out.made->kernels.pointwise = count_pointwise;
  const auto executor = Executor::create(*out.made, 1);
  for (int i = 0; i < 2; ++i) {
    calls.clear();
    EXPECT_TRUE((*executor)->run(batch.view(), nullptr, 0).ok());
  }
  out.calls = calls;
  return out;
}

ModelProgram program_of(const Model& model, const std::set<std::string>& disabled) {
  Result<ModelProgram> made = make_program(model, 16, disabled);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return *made;
}

template <typename S>
std::vector<const S*> steps_of(const CellProgram& cell) {
  std::vector<const S*> found;
  for (const Phase& phase : cell.phases) {
    for (const Step& step : phase.steps) {
      if (const S* one = std::get_if<S>(&step)) found.push_back(one);
    }
  }
  return found;
}

int64_t elementwise_steps(const CellProgram& cell) {
  int64_t count = 0;
  for (const Pointwise* p : steps_of<Pointwise>(cell)) {
    for (const Pointwise::Segment& s : p->segments) count += static_cast<int64_t>(s.steps.size());
  }
  return count;
}

void dynamic_batching() {
  const Model model = model_of("treegru");
  const Batch batch = perfect_trees(6, 4);
  const Run with = run(model, batch, ""), without = run(model, batch, "dynamic-batching");
  EXPECT_EQ(with.most_rows(), 6 * 4);  // all nodes above the leaves
  EXPECT_EQ(without.most_rows(), 1);
  EXPECT_EQ(with.rows(), without.rows());
  EXPECT_EQ(with.products() * 14, without.products()) << "6 x 7 inner nodes on 3 levels";
}

// Without leaf tables, so that leaves run: their products with absent children.
void leaves_in_products() {
  const Model model = model_of("treernn");
  const Batch batch = perfect_trees(5, 4);
  const Run with = run(model, batch, "leaf-tables");
  EXPECT_EQ(with.rows(), 5 * 7) << "inner nodes alone";
  EXPECT_EQ(run(model, batch, "leaf-tables,zero-propagation").rows(), 5 * 15);
  EXPECT_EQ(run(model, batch, "leaf-tables,leaf-specialization").rows(), 5 * 15);
  EXPECT_FALSE(program_of(model, {"leaf-specialization"}).program.has_leaf);
  EXPECT_TRUE(program_of(model, {}).program.has_leaf);
}

void refactoring() {
  const auto per_child = [](const Program& program) {
    const auto gemms = steps_of<Gemm>(program.node);
    return std::count_if(gemms.begin(), gemms.end(), [](const Gemm* g) { return g->per_child; });
  };
  EXPECT_EQ(per_child(program_of(model_of("treelstm"), {}).program), 0);
  EXPECT_EQ(per_child(program_of(model_of("treelstm"), {"refactoring"}).program), 1);
  // A node with three parents: one row of the product, not three.
  Model model = model_of("treelstm");
  model.structure = Structure::dag;
  Batch batch;
  batch.add({{}, {0}, {0}, {0}, {1, 2, 3}});
  std::mt19937 random(1);
  batch.fill(random, 7, 1);
  EXPECT_EQ(run(model, batch, "leaf-tables").rows(), 4 * 3 + 4);
  EXPECT_EQ(run(model, batch, "leaf-tables,refactoring").rows(), 4 * 3 + 6);
}

void hoisting() {
  const Model model = model_of("treegru", true);
  const ModelProgram with = program_of(model, {}), without = program_of(model, {"hoisting"});
  EXPECT_FALSE(with.program.hoisted.empty());
  EXPECT_TRUE(without.program.hoisted.empty());
  EXPECT_EQ(steps_of<Gemm>(with.program.node).size() + with.program.hoisted.size(),
            steps_of<Gemm>(without.program.node).size());
  const Batch batch = perfect_trees(6, 4);
  EXPECT_EQ(run(model, batch, "").most_rows(), 6 * 15) << "all nodes at once";
  EXPECT_EQ(run(model, batch, "hoisting").most_rows(), 6 * 8) << "the largest level's";
}

void leaf_tables() {
  const Batch batch = perfect_trees(5, 4);
  const Model model = model_of("treelstm");
  const Run with = run(model, batch, ""), without = run(model, batch, "leaf-tables");
  const auto elementwise = [](const Run& r) { return static_cast<int64_t>(r.calls.size()) - r.products(); };
  EXPECT_GE(elementwise(without) - elementwise(with), 5 * 8) << "a call for every leaf";
  EXPECT_EQ(without.rows() - with.rows(), 5 * 8) << "a product of every leaf";
}

void fusion() {
  for (const char* name : {"treelstm", "treegru", "seqlstm"}) {
    const ModelProgram with = program_of(model_of(name), {}),
                       without = program_of(model_of(name), {"fusion"});
    EXPECT_LT(elementwise_steps(with.program.node), elementwise_steps(without.program.node)) << name;
  }
}

// TreeLSTM's product for the parents' forget gates is the last step of a level. Fused, it runs beside the
// next level's products, behind the sums over children.
void cross_level_fusion() {
  const Batch batch = perfect_trees(3, 5);
  for (const bool fused : {true, false}) {
    const Run r = run(model_of("treelstm"), batch,
                      fused ? "alternating-order" : "alternating-order,cross-level-fusion");
    const CellProgram& node = r.made->directions[0].program.node;
    ASSERT_FALSE(node.phases.back().barrier);
    const auto& last = std::get<Gemm>(node.phases.back().steps.back());
    const void* b = r.made->directions[0].parameters.packed(last.weights).data;
    int64_t beside = 0, alone = 0;
    for (std::size_t i = 0; i + 1 < r.calls.size(); ++i) {
      if (!r.calls[i].product || r.calls[i].b != b) continue;
      ++(r.calls[i + 1].product && r.calls[i + 1].b != b ? beside : alone);
    }
    EXPECT_EQ(beside, fused ? 3 : 0) << "of the levels below the roots'";
    EXPECT_EQ(alone, fused ? 0 : 3);
  }
}

void read_caching() {
  const Model model = model_of("treegru");  // two products read the sum of the children
  const auto gathers = [&](const std::set<std::string>& disabled) {
    return steps_of<Gather>(program_of(model, disabled).program.node).size();
  };
  EXPECT_LT(gathers({}), gathers({"read-caching"}));
}

void dense_indexing() {
  Batch batch;
  std::mt19937 random(1);
  for (int s = 0; s < 3; ++s) batch.add(random_structure(Structure::sequence, 9, 1, random));
  batch.fill(random, 7, 1);
  const auto places = [&](const std::string& disable) {  // where products read
    std::set<const void*> read;
    for (const Call& call : run(model_of("seqrnn"), batch, disable).calls) {
      if (call.product) read.insert(call.a);
    }
    return read.size();
  };
  EXPECT_EQ(places("leaf-tables"), 8u) << "each step's states, where they are";
  EXPECT_EQ(places("leaf-tables,dense-indexing"), 1u) << "one panel, copied to";
}

void alternating_order() {
  const Batch batch = perfect_trees(3, 5);
  std::set<bool> ways, way;
  for (const Call& call : run(model_of("treegru"), batch, "").calls) {
    if (call.product) ways.insert(call.last_first);
  }
  for (const Call& call : run(model_of("treegru"), batch, "alternating-order").calls) {
    if (call.product) way.insert(call.last_first);
  }
  EXPECT_EQ(ways, (std::set<bool>{false, true}));
  EXPECT_EQ(way, (std::set<bool>{false}));
}

void unrolling() {
  const Batch batch = perfect_trees(3, 4);
  EXPECT_EQ(run(model_of("treegru"), batch, "", Unrolling::always).most_rows(), 1);
  EXPECT_EQ(run(model_of("treegru"), batch, "unrolling", Unrolling::always).most_rows(), 3 * 4);
}

// 2.8 MFLOP and 16 structures a thread, 64 KiB of weights: the choice is to share structures. They meet three
// times.
void static_batching() {
  const Batch batch = perfect_trees(40, 5);
  std::mt19937 random(1);
  const Model model = model_of("treernn", false, 128);
  const auto barriers = [&](const std::string& disable) {
    CompileOptions options = for_this_machine();
    options.disable = disable;
    const auto made = compiled(model, random_parameters(model, random), options);
    const auto executor = Executor::create(*made, 2);
    EXPECT_TRUE((*executor)->run(batch.view(), nullptr, 0).ok());
    return (*executor)->info().barriers;
  };
  EXPECT_EQ(barriers(""), 3);
  EXPECT_GT(barriers("static-batching"), 3);
}

// One barrier a level where only the next level reads across columns, one more between dependent products;
// one at the end. Leaves by words need none.
TEST(Barriers, OneALevelWhereThatSuffices) {
  const Batch batch = perfect_trees(3, 5);
  std::mt19937 random(1);
  for (const auto& [name, a_level] :
       {std::pair{"treernn", 1}, {"treelstm", 1}, {"dagrnn", 1}, {"treegru", 2}}) {
    const Model model = model_of(name);
    const auto made = compiled(model, random_parameters(model, random), for_this_machine());
    made->sharing = Sharing::columns;
    const auto executor = Executor::create(*made, 2);
    ASSERT_TRUE((*executor)->run(batch.view(), nullptr, 0).ok());
    EXPECT_EQ((*executor)->info().levels, 5);
    EXPECT_EQ((*executor)->info().barriers, 4 * a_level + 1) << name;
  }
}

void nothing_here() {}

const std::map<std::string, std::function<void()>> tests = {
    {"dynamic-batching", dynamic_batching},
    {"leaf-specialization", leaves_in_products},
    {"zero-propagation", leaves_in_products},
    {"refactoring", refactoring},
    {"hoisting", hoisting},
    {"leaf-tables", leaf_tables},
    {"fusion", fusion},
    {"cross-level-fusion", cross_level_fusion},
    {"read-caching", read_caching},
    {"dense-indexing", dense_indexing},
    {"alternating-order", alternating_order},
    {"unrolling", unrolling},
    {"static-batching", static_batching},
    {"generated-cells", nothing_here},  // tests/generated/cells_test
};

class Transformation : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Recursive, Transformation, ::testing::ValuesIn(transformation_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
TEST_P(Transformation, IsSeen) {
  const auto test = tests.find(GetParam());
  ASSERT_NE(test, tests.end()) << "a transformation without a test";
  test->second();
}

}  // namespace
}  // namespace cortex::recursive::testing
