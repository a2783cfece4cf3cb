#include "graph/nest/nest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "graph/nest/evaluate.h"

namespace cortex {
namespace {

// A small convolution, as text: what tests change by replacing one piece.
const std::string conv =
    "nest conv\n"
    "  dim oh 4 parallel\n"
    "  dim oc 8 parallel\n"
    "  dim kh 3 reduction\n"
    "  dim ic 2 reduction\n"
    "  A src f32 [h:4:2 @ oh + kh - 1] [c:2:1 @ ic] padded\n"
    "  B wei f32 [kh:3:16 @ kh] [ic:2:8 @ ic] [oc:8:1 @ oc] constant\n"
    "  C dst f32 [h:4:8 @ oh] [c:8:1 @ oc]\n";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  const auto nest = parse_nest(text);
  return nest.ok() ? "accepted" : nest.error().message;
}

TEST(NestText, RoundTrip) {
  const std::string full = conv + "  bias\n  residual 0.1 after\n  activation clip -1 6\n";
  const auto nest = parse_nest(full);
  ASSERT_TRUE(nest.ok()) << nest.error().message;
  EXPECT_EQ(to_string(*nest), full);
  EXPECT_EQ(nest->epilogue.residual_scale, 0.1f);
  EXPECT_TRUE(nest->epilogue.residual_after_activation);
  EXPECT_EQ(nest->epilogue.activation, Activation::clip);
  EXPECT_TRUE(nest->b_constant);
}

TEST(NestText, Refusals) {
  EXPECT_EQ(refusal(""), "nest text: empty: the first line is \"nest NAME\"");
  EXPECT_EQ(refusal("dim oh 4 parallel"),
            "nest text: line 1, column 1: begins no nest: the first line is \"nest NAME\"");
  EXPECT_EQ(refusal(with(conv, "dim oh 4", "dim oh")),
            "nest text: line 2, column 10: the dim needs its extent");
  EXPECT_EQ(refusal(with(conv, "oh 4 parallel", "oh 4 serial")),
            "nest text: line 2, column 12: the dim is parallel or reduction");
  EXPECT_EQ(refusal(with(conv, "padded\n", "padded?\n")),
            "nest text: line 6, column 54: something follows that does not belong there");
  EXPECT_EQ(refusal(with(conv, "@ oh]", "@ zz]")),
            "nest text: line 8, column 22: the subscript names no dim declared above");
  EXPECT_EQ(refusal(with(conv, "- 1", "- kh")), "nest text: line 6, column 32: a dim cannot be subtracted");
  EXPECT_EQ(refusal(with(conv, "C dst", "B dst")), "nest text: line 8, column 3: the operand stands twice");
  EXPECT_EQ(refusal(conv.substr(0, conv.find("  C"))), "nest text: operand C is missing");
  EXPECT_EQ(refusal(with(conv, "src f32", "src f31")), "nest text: line 6, column 9: not an element type");
  EXPECT_EQ(refusal(conv + "  activation softmax 0 0\n"), "nest text: line 9, column 14: unknown activation");
}

TEST(NestVerify, Refusals) {
  EXPECT_EQ(refusal(conv), "accepted");
  EXPECT_EQ(refusal(with(conv, "dim oc 8", "dim oc 0")), "nest conv: dim oc has extent 0, below 1");
  EXPECT_EQ(refusal(with(conv, "kh - 1] [c:2:1 @ ic] padded", "kh - 1] [c:2:1 @ ic]")),
            "nest conv: operand A: subscript of h: it ranges from -1 to 4, outside [0, 4), and the access is "
            "not padded");
  EXPECT_EQ(refusal(with(conv, "[oc:8:1 @ oc]", "[oc:7:1 @ oc]")),
            "nest conv: operand B: subscript of oc: it ranges from 0 to 7, outside [0, 7), and the access is "
            "not padded");
  EXPECT_EQ(refusal(with(conv, "C dst f32 [h:4:8 @ oh] [c:8:1 @ oc]",
                         "C dst f32 [h:4:8 @ oh] [c:8:1 @ oc] padded")),
            "nest conv: operand C is padded: a destination is written as it is");
  EXPECT_EQ(refusal(with(conv, "dim kh 3 reduction", "dim kh 3 parallel")),
            "nest conv: dim kh is parallel but C has no subscript with it");
  EXPECT_EQ(refusal(with(conv, "dim oh 4 parallel", "dim oh 4 reduction")),
            "nest conv: dim oh is a reduction but C is subscripted with it");
  EXPECT_EQ(refusal(with(conv, "[h:4:8 @ oh]", "[h:4:4 @ oh]")),
            "nest conv: C: dim oh steps 4 elements, within the 8 that inner dims reach: an element would be "
            "written twice");
  EXPECT_EQ(refusal(with(conv, "oh + kh - 1", "oh + oh - 1")),
            "nest conv: operand A: subscript of h: dim oh has two terms: add them up");
  EXPECT_EQ(refusal(with(conv, "[h:4:2 @", "[h:0:2 @")),
            "nest conv: operand A: tensor src: dimension h has size 0, below 1");
  EXPECT_EQ(refusal(with(conv, "[h:4:2 @", "[h:4:0 @")),
            "nest conv: operand A: tensor src: dimension h has stride 0, below 1");
  EXPECT_EQ(refusal(with(conv, "[h:4:2 @ oh + kh - 1] [c:2", "[c:4:2 @ oh + kh - 1] [c:2")),
            "nest conv: operand A: tensor src: dimension c occurs twice");
  EXPECT_EQ(refusal(with(conv, "dim ic 2", "dim ic 9000000000000000000")),
            "nest conv: more than 2^62 points, reached at dim ic");
  EXPECT_EQ(refusal(with(conv, "[h:4:2 @", "[h:4000000000000000000:4000000000000000000 @")),
            "nest conv: operand A: tensor src: its size in bytes overflows 64 bits");
  EXPECT_EQ(refusal(with(conv, "kh - 1]", "kh - 4000000000000000000]")),
            "nest conv: operand A: subscript of h: its offset overflows 64 bits");
  Nest nest = *parse_nest(conv);
  nest.dims[1].name = "oh";
  EXPECT_EQ(verify(nest).error().message, "nest conv: dim oh occurs twice");
  nest = *parse_nest(conv);
  nest.dims[1].name = "1x";
  EXPECT_EQ(verify(nest).error().message, "nest conv: dim name \"1x\" is no identifier");
  nest = *parse_nest(conv);
  nest[Operand::b].subscripts.pop_back();
  EXPECT_EQ(verify(nest).error().message, "nest conv: operand B: 2 subscripts for 3 dimensions");
  nest = *parse_nest(conv);
  nest[Operand::b].subscripts[0].terms[0].dim = 9;
  EXPECT_EQ(verify(nest).error().message,
            "nest conv: operand B: subscript of kh: dim number 9 does not exist");
}

TEST(Nest, Strides) {
  const Nest nest = *parse_nest(conv);
  EXPECT_EQ(linear_stride(nest[Operand::a], nest.dim_index("oh")), 2);
  EXPECT_EQ(linear_stride(nest[Operand::a], nest.dim_index("oc")), 0);
  EXPECT_EQ(linear_constant(nest[Operand::a]), -2);
  EXPECT_EQ(nest.dim_index("nothing"), -1);
  EXPECT_EQ(multiply_adds(nest), 4 * 8 * 3 * 2);
}

std::string coalesced(const std::string& text) {
  const auto nest = parse_nest(text);
  EXPECT_TRUE(nest.ok()) << nest.error().message;
  return nest.ok() ? to_string(coalesce(*nest)) : "";
}

TEST(NestCoalesce, KeepsWhatOneOperandCannotMerge) {
  // kh and ic are adjacent in A and B; oh and oc are in C, but A does not know oc.
  EXPECT_EQ(coalesced(conv),
            "nest conv\n"
            "  dim oh 4 parallel\n"
            "  dim oc 8 parallel\n"
            "  dim kh_ic 6 reduction\n"
            "  A src f32 [h_c:8:1 @ 2*oh + kh_ic - 2] padded\n"
            "  B wei f32 [kh_ic:6:8 @ kh_ic] [oc:8:1 @ oc] constant\n"
            "  C dst f32 [h:4:8 @ oh] [c:8:1 @ oc]\n");
}

// The outer dimension need not be listed first: memory decides.
TEST(NestCoalesce, MergesDimensionsListedInnerFirst) {
  EXPECT_EQ(coalesced("nest n\n"
                      "  dim x 4 parallel\n"
                      "  dim y 3 parallel\n"
                      "  dim k 5 reduction\n"
                      "  A a f32 [k:5:12 @ k] [x:4:1 @ x] [y:3:4 @ y]\n"
                      "  B b f32 [k:5:1 @ k]\n"
                      "  C c f32 [x:4:1 @ x] [y:3:4 @ y]\n"),
            "nest n\n"
            "  dim y_x 12 parallel\n"
            "  dim k 5 reduction\n"
            "  A a f32 [k:5:12 @ k] [y_x:12:1 @ y_x]\n"
            "  B b f32 [k:5:1 @ k]\n"
            "  C c f32 [y_x:12:1 @ y_x]\n");
}

TEST(NestCoalesce, PaddedOuterDimensionMergesOverAnInnerOneThatStaysInside) {
  EXPECT_EQ(coalesced("nest n\n"
                      "  dim o 2 parallel\n"
                      "  dim x 3 reduction\n"
                      "  dim c 4 reduction\n"
                      "  A a f32 [x:3:4 @ o + x - 1] [c:4:1 @ c] padded\n"
                      "  B b f32 [x:3:4 @ x] [c:4:1 @ c]\n"
                      "  C y f32 [o:2:1 @ o]\n"),
            "nest n\n"
            "  dim o 2 parallel\n"
            "  dim x_c 12 reduction\n"
            "  A a f32 [x_c:12:1 @ 4*o + x_c - 4] padded\n"
            "  B b f32 [x_c:12:1 @ x_c]\n"
            "  C y f32 [o:2:1 @ o]\n");
}

// Outside in x alone must not wrap into the next y.
TEST(NestCoalesce, PaddedInnerDimensionKeepsTheOuterApart) {
  const std::string text =
      "nest n\n"
      "  dim y 3 parallel\n"
      "  dim x 4 parallel\n"
      "  dim k 3 reduction\n"
      "  A a f32 [y:3:4 @ y] [x:4:1 @ x + k - 1] padded\n"
      "  B b f32 [k:3:1 @ k]\n"
      "  C c f32 [y:3:4 @ y] [x:4:1 @ x]\n";
  EXPECT_EQ(coalesced(text), text);
}

TEST(NestCoalesce, UnneededPaddingIsDropped) {
  EXPECT_NE(coalesced(with(conv, "@ oh + kh - 1]", "@ 0]")).find("[h:4:2 @ 0] [c:2:1 @ ic]\n"),
            std::string::npos);
}

TEST(NestCoalesce, JoinedNamesStayUnique) {
  const std::string text = coalesced(
      "nest n\n"
      "  dim y 3 parallel\n"
      "  dim x 4 parallel\n"
      "  dim y_x 5 reduction\n"
      "  A a f32 [y:3:4 @ y] [x:4:1 @ x] [y_x:5:12 @ y_x]\n"
      "  B b f32 [k:5:1 @ y_x]\n"
      "  C c f32 [y:3:4 @ y] [x:4:1 @ x]\n");
  EXPECT_NE(text.find("dim y_x_ 12 parallel\n  dim y_x 5 reduction"), std::string::npos) << text;
}

// A tensor of two or three contiguous dimensions whose subscripts are picked so that merging is often
// legal and often nearly so.
Access random_access(std::mt19937& rng, const std::string& name, const Nest& nest, bool padded) {
  Access access;
  access.tensor.name = name;
  access.padded = padded;
  int64_t stride = 1;
  const size_t rank = 2 + rng() % 2;
  for (size_t i = 0; i < rank; ++i) {
    AffineExpr expr;
    int64_t high = 0;
    for (size_t d = 0; d < nest.dims.size(); ++d) {
      if (rng() % 3 != 0) continue;
      const int64_t coefficients[] = {1, 1, 2, 3, 6};
      expr.terms.push_back({static_cast<int>(d), coefficients[rng() % 5]});
      high += expr.terms.back().coeff * (nest.dims[d].extent - 1);
    }
    if (padded && rng() % 3 == 0) expr.constant = static_cast<int64_t>(rng() % 3) - 1;
    const int64_t size = std::max<int64_t>(1, padded && rng() % 3 == 0 ? high : high + 1);
    access.tensor.dim_names.insert(access.tensor.dim_names.begin(), "t" + std::to_string(i));
    access.tensor.shape.insert(access.tensor.shape.begin(), size);
    access.tensor.strides.insert(access.tensor.strides.begin(), stride);
    access.subscripts.insert(access.subscripts.begin(), expr);
    stride *= size;
  }
  return access;
}

TEST(NestCoalesce, ComputesTheSameOnRandomNests) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 rng(seed);
  int merged = 0;
  for (int i = 0; i < 20000; ++i) {
    Nest nest;
    nest.name = "random";
    for (const char* name : {"i", "j", "k", "l"}) {
      nest.dims.push_back({name, 1 + static_cast<int64_t>(rng() % 3), DimKind::reduction});
    }
    nest[Operand::a] = random_access(rng, "a", nest, true);
    nest[Operand::b] = random_access(rng, "b", nest, rng() % 2 == 0);
    Tensor& c = nest[Operand::c].tensor;
    c.name = "c";
    const size_t parallel = 1 + rng() % 3;
    int64_t stride = 1;
    for (size_t d = parallel; d-- > 0;) {
      nest.dims[d].kind = DimKind::parallel;
      c.dim_names.insert(c.dim_names.begin(), nest.dims[d].name);
      c.shape.insert(c.shape.begin(), nest.dims[d].extent);
      c.strides.insert(c.strides.begin(), stride);
      nest[Operand::c].subscripts.insert(nest[Operand::c].subscripts.begin(),
                                         {{{static_cast<int>(d), 1}}, 0});
      stride *= nest.dims[d].extent;
    }
    ASSERT_TRUE(verify(nest).ok()) << verify(nest).error().message << "\n" << to_string(nest);
    const Nest after = coalesce(nest);
    ASSERT_TRUE(verify(after).ok()) << verify(after).error().message << "\n" << to_string(nest);
    EvaluateArgs args;
    for (Operand o : {Operand::a, Operand::b}) {
      std::vector<float>& values = o == Operand::a ? args.a : args.b;
      values.resize(static_cast<size_t>(span_of(nest[o].tensor)));
      for (float& v : values) v = static_cast<float>(1 + rng() % 8);
    }
    ASSERT_EQ(evaluate(after, args), evaluate(nest, args)) << to_string(nest) << to_string(after);
    const auto real = [](const Nest& n) {
      return std::count_if(n.dims.begin(), n.dims.end(), [](const Dim& d) { return d.extent > 1; });
    };
    merged += real(after) < real(nest);
  }
  EXPECT_GT(merged, 100);
}

TEST(NestEvaluate, PaddingReadsZeroAndEpilogueFollowsItsOrder) {
  Nest nest = *parse_nest(
      "nest n\n"
      "  dim x 2 parallel\n"
      "  dim k 2 reduction\n"
      "  A a f32 [x:2:1 @ x + k - 1] padded\n"
      "  B b f32 [k:2:1 @ k]\n"
      "  C c f32 [x:2:1 @ x]\n");
  const EvaluateArgs args{{1, 2}, {10, 100}, {-500, -250}, {7, 9}};
  EXPECT_EQ(evaluate(nest, args), (std::vector<double>{100, 210}));
  nest.epilogue.bias = nest.epilogue.residual = true;
  nest.epilogue.activation = Activation::relu;
  EXPECT_EQ(evaluate(nest, args), (std::vector<double>{0, 0}));
  nest.epilogue.residual_after_activation = true;
  EXPECT_EQ(evaluate(nest, args), (std::vector<double>{7, 9}));
}

}  // namespace
}  // namespace cortex
