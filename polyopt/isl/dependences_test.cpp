#include "polyopt/isl/dependences.h"

#include <gtest/gtest.h>

#include "polyopt/analysis/testing.h"
#include "polyopt/isl/flow.h"

namespace cortex {
namespace {

using namespace cortex::testing;
using namespace polyhedral;

// The flow's relation, written by hand; flows of that kind, operand and pair of statements.
void expect_flow(const Context& context, const std::vector<Flow>& flows, DependenceKind kind, Operand operand,
                 Statement source, Statement target, const std::string& expected) {
  for (const Flow& flow : flows) {
    if (flow.kind != kind || flow.operand != operand || flow.source != source || flow.target != target)
      continue;
    const Map hand = context.map(expected);
    ASSERT_TRUE(hand) << expected;
    EXPECT_TRUE(isl_map_is_equal(flow.relation.get(), hand.get()) == isl_bool_true)
        << dependence_kind_name(kind) << " " << statement_name(source) << "->" << statement_name(target)
        << " is not " << expected;
    return;
  }
  ADD_FAILURE() << "no " << dependence_kind_name(kind) << " on " << operand_name(operand) << " "
                << statement_name(source) << " -> " << statement_name(target);
}

using enum DependenceKind;
using enum Statement;

TEST(Dependences, Matmul) {
  Nest nest = matmul_nest(5, 6, 7);
  nest.epilogue.activation = Activation::relu;
  const Context context;
  const auto flows = compute_flow(context, nest, FlowKinds::all);
  ASSERT_TRUE(flows) << flows.error().message;
  const std::string box = "0 <= m < 5 and 0 <= n < 6 and 0 <= k < 7";
  const std::string next = "{ S[m,n,k] -> S[m,n,l] : " + box + " and k < l < 7 }";
  for (DependenceKind kind : {raw, war, waw}) {
    expect_flow(context, *flows, kind, Operand::c, update, update, next);
    expect_flow(context, *flows, kind, Operand::c, update, epilogue, "{ S[m,n,k] -> E[m,n] : " + box + " }");
  }
  for (DependenceKind kind : {raw, waw}) {
    expect_flow(context, *flows, kind, Operand::c, init, update, "{ I[m,n] -> S[m,n,k] : " + box + " }");
  }
  expect_flow(context, *flows, rar, Operand::a, update, update,
              "{ S[m,n,k] -> S[m,o,k] : " + box + " and n < o < 6 }");
  expect_flow(context, *flows, rar, Operand::b, update, update,
              "{ S[m,n,k] -> S[o,n,k] : " + box + " and m < o < 5 }");
  // Nothing runs before I and nothing after E.
  for (const Flow& flow : *flows) {
    EXPECT_NE(flow.target, init);
    EXPECT_NE(flow.source, epilogue);
  }
}

TEST(Dependences, WithoutEpilogueThereIsNoE) {
  const Context context;
  const auto flows = compute_flow(context, matmul_nest(4, 4, 4), FlowKinds::all);
  ASSERT_TRUE(flows);
  for (const Flow& flow : *flows) EXPECT_NE(flow.target, epilogue);
}

TEST(Dependences, PaddedStridedConvolution) {
  const Nest nest =
      conv_nest({.n = 1, .ic = 2, .oc = 3, .oh = 4, .ow = 4, .kh = 3, .kw = 3, .stride = 2, .pad = 1});
  const Context context;
  const auto flows = compute_flow(context, nest, FlowKinds::all);
  ASSERT_TRUE(flows) << flows.error().message;
  const std::string box = "0 <= h,w < 4 and 0 <= o < 3 and 0 <= r,s < 3 and 0 <= c < 2";
  const std::string box2 = "0 <= h2,w2 < 4 and 0 <= o2 < 3 and 0 <= r2,s2 < 3";
  // Updates of one element: the window and the channel may differ.
  expect_flow(context, *flows, raw, Operand::c, update, update,
              "{ S[0,h,w,o,r,s,c] -> S[0,h,w,o,r2,s2,c2] : " + box +
                  " and 0 <= r2,s2 < 3 and 0 <= c2 < 2 and "
                  "(r < r2 or (r = r2 and s < s2) or (r = r2 and s = s2 and c < c2)) }");
  // Reuse of the input: same channel, same pixel inside the image (7 by 7), later in the nest's order.
  expect_flow(context, *flows, rar, Operand::a, update, update,
              "{ S[0,h,w,o,r,s,c] -> S[0,h2,w2,o2,r2,s2,c] : " + box + " and " + box2 +
                  " and 2h + r = 2h2 + r2 and 2w + s = 2w2 + s2 and 1 <= 2h + r < 8 and 1 <= 2w + s < 8 and "
                  "(h < h2 or (h = h2 and w < w2) or (h = h2 and w = w2 and o < o2)) }");
  expect_flow(context, *flows, rar, Operand::b, update, update,
              "{ S[0,h,w,o,r,s,c] -> S[0,h2,w2,o,r,s,c] : " + box +
                  " and 0 <= h2,w2 < 4 and "
                  "(h < h2 or (h = h2 and w < w2)) }");
}

TEST(Dependences, NearestTargetsAndWords) {
  const Nest nest = conv_nest({.n = 2, .ic = 8, .oc = 8, .oh = 6, .ow = 6, .kh = 3, .kw = 3});
  const auto all = dependences(nest);
  ASSERT_TRUE(all) << all.error().message;
  using Vectors = std::vector<std::vector<int64_t>>;
  bool input = false, output = false;
  for (const Dependence& d : *all) {
    if (d.kind == rar && d.operand == Operand::a) {
      input = true;  // oh+1 with kh-1, ow+1 with kw-1, and every oc
      EXPECT_EQ(d.nearest, (Vectors{{0, 1, 0, 0, -1, 0, 0}, {0, 0, 1, 0, 0, -1, 0}, {0, 0, 0, 1, 0, 0, 0}}));
      EXPECT_EQ(in_words(d, nest),
                "RAR on A: the same element is read again at (oh+1,kh-1), (ow+1,kw-1), (oc+1)");
      EXPECT_FALSE(d.reassociable);
    }
    if (d.kind == raw && d.source == 'S' && d.target == 'S') {
      output = true;
      EXPECT_EQ(d.nearest, (Vectors{{0, 0, 0, 0, 1, 0, 0}, {0, 0, 0, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 0, 1}}));
      EXPECT_TRUE(d.reassociable);
      EXPECT_EQ(in_words(d, nest),
                "RAW on C: S -> S along kh, kw, ic: updates of one element, in any order but one at a time");
    }
  }
  EXPECT_TRUE(input);
  EXPECT_TRUE(output);
}

TEST(Dependences, DimsMayHaveAnyName) {
  Nest nest = matmul_nest(3, 4, 5);
  nest.dims[0].name = "mod";
  nest.dims[1].name = "t0";
  nest.dims[2].name = "exists";
  const auto all = dependences(nest);
  ASSERT_TRUE(all) << all.error().message;
  const Context context;
  for (const Dependence& d : *all) EXPECT_TRUE(context.map(d.relation)) << d.relation;
}

}  // namespace
}  // namespace cortex
