#include <gtest/gtest.h>

#include <algorithm>

#include "graph/recursive/passes/passes.h"
#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

Model ready(const std::string& name) {
  Result<Model> model = parse_model(*ready_model(name, false), {{"h", 8}});
  EXPECT_TRUE(model.ok());
  return *model;
}

int count(const Cell& cell, Op op) {
  return static_cast<int>(
      std::count_if(cell.values.begin(), cell.values.end(), [&](const Value& v) { return v.op == op; }));
}

TEST(PushSlices, AProductBecomesOnePerGate) {
  const Result<Model> out = push_slices(ready("treelstm"));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(count(out->node, Op::matmul), 4);
  for (const Value& v : out->node.values) {
    if (v.op != Op::slice) continue;
    const Op of = out->node.values[static_cast<std::size_t>(v.args[0])].op;
    EXPECT_TRUE(of == Op::parameter || of == Op::table_row);
  }
}

TEST(SpecializeLeaves, LeavesReadNoChild) {
  const Result<Model> out = specialize_leaves(*push_slices(ready("treelstm")));
  ASSERT_TRUE(out.ok()) << out.error().message;
  ASSERT_TRUE(out->leaf.has_value());
  EXPECT_EQ(count(*out->leaf, Op::child), 0);
  EXPECT_EQ(count(*out->leaf, Op::matmul), 3) << "products with zero are still there";
  EXPECT_EQ(to_text(*out).find("leaf"), to_text(*out).rfind("leaf"));
}

TEST(PropagateZeros, ProductsOfLeavesVanish) {
  for (const std::string name : {"treelstm", "treelstm-nary", "treegru", "seqlstm", "dagrnn"}) {
    const Result<Model> out = propagate_zeros(*specialize_leaves(*push_slices(ready(name))));
    ASSERT_TRUE(out.ok()) << out.error().message;
    EXPECT_EQ(count(*out->leaf, Op::matmul), 0) << to_text(*out);
    EXPECT_EQ(count(*out->leaf, Op::constant), name == "treegru" ? 1 : 0) << to_text(*out);  // 1 - z
  }
}

// What is the same for every child is still summed over them.
TEST(PropagateZeros, CountsOfChildrenStay) {
  for (const char* what : {"sum(child.h * 0 + 1)", "max(0 * child.h)", "sum(exp(child.h * 0))"}) {
    const Result<Model> model = parse_model(
        "model m\nstructure tree\nchildren any\nsize h = 4\nstate h[h]\nnode\n  h = " + std::string(what) +
        "\noutput h\n");
    ASSERT_TRUE(model.ok()) << model.error().message;
    const Result<Model> out = transform(*model, {});
    ASSERT_TRUE(out.ok()) << what << ": " << out.error().message;
    EXPECT_EQ(count(out->node, Op::sum) + count(out->node, Op::max), 1);
  }
}

TEST(RefactorRecursion, TheForgetProductMovesToTheChild) {
  const Result<Model> out =
      refactor_recursion(*propagate_zeros(*specialize_leaves(*push_slices(ready("treelstm")))));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->states.size(), 3u);
  EXPECT_EQ(count(*out->leaf, Op::matmul), 1);
  for (const Value& v : out->node.values) EXPECT_FALSE(v.op == Op::matmul && v.per_child);
  const Result<Model> again = parse_model(to_text(*out));
  ASSERT_TRUE(again.ok()) << again.error().message << to_text(*out);
  EXPECT_EQ(to_text(*again), to_text(*out));
}

TEST(Transform, EveryReadyModel) {
  for (const std::string& name : ready_models()) {
    const Result<Model> out = transform(ready(name), {});
    ASSERT_TRUE(out.ok()) << name << out.error().message;
    const Result<Model> plain =
        transform(ready(name), {"leaf-specialization", "zero-propagation", "refactoring"});
    ASSERT_TRUE(plain.ok()) << name << plain.error().message;
  }
}

}  // namespace
}  // namespace cortex::recursive
