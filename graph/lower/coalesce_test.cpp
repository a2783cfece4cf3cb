// Which dims of lowered problems merge, and which must not.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "graph/lower/lower.h"

namespace cortex {
namespace {

std::string coalesced(std::string_view line) {
  const auto problem = parse_problem(line);
  EXPECT_TRUE(problem.ok()) << problem.error().message;
  const auto nest = lower(*problem);
  EXPECT_TRUE(nest.ok()) << nest.error().message;
  return to_string(coalesce(*nest));
}

TEST(Coalesce, ConvolutionMergesWindowWidthWithChannels) {
  EXPECT_EQ(coalesced("mb4ic64ih58oc128oh56kh3ph0"),
            "nest conv\n"
            "  dim n 4 parallel\n"
            "  dim oh 56 parallel\n"
            "  dim ow 56 parallel\n"
            "  dim oc 128 parallel\n"
            "  dim kh 3 reduction\n"
            "  dim kw_ic 192 reduction\n"
            "  A src f32 [n:4:215296 @ n] [h:58:3712 @ oh + kh] [w_c:3712:1 @ 64*ow + kw_ic]\n"
            "  B wei f32 [kh:3:24576 @ kh] [kw_ic:192:128 @ kw_ic] [oc:128:1 @ oc] constant\n"
            "  C dst f32 [n:4:401408 @ n] [h:56:7168 @ oh] [w:56:128 @ ow] [c:128:1 @ oc]\n");
}

TEST(Coalesce, TapsOfAPaddedWindowStayApartFromManyChannels) {
  EXPECT_EQ(
      coalesced("mb4ic64ih56oc128oh56kh3ph1"),
      "nest conv\n"
      "  dim n 4 parallel\n"
      "  dim oh 56 parallel\n"
      "  dim ow 56 parallel\n"
      "  dim oc 128 parallel\n"
      "  dim kh 3 reduction\n"
      "  dim kw 3 reduction\n"
      "  dim ic 64 reduction\n"
      "  A src f32 [n:4:200704 @ n] [h:56:3584 @ oh + kh - 1] [w:56:64 @ ow + kw - 1] [c:64:1 @ ic] padded\n"
      "  B wei f32 [kh:3:24576 @ kh] [kw:3:8192 @ kw] [ic:64:128 @ ic] [oc:128:1 @ oc] constant\n"
      "  C dst f32 [n:4:401408 @ n] [h:56:7168 @ oh] [w:56:128 @ ow] [c:128:1 @ oc]\n");
}

TEST(Coalesce, FirstLayerHasAWindowRowOf21) {
  EXPECT_EQ(coalesced("mb1ic3ih224oc64oh112kh7sh2ph3"),
            "nest conv\n"
            "  dim oh 112 parallel\n"
            "  dim ow 112 parallel\n"
            "  dim oc 64 parallel\n"
            "  dim kh 7 reduction\n"
            "  dim kw_ic 21 reduction\n"
            "  A src f32 [h:224:672 @ 2*oh + kh - 3] [w_c:672:1 @ 6*ow + kw_ic - 9] padded\n"
            "  B wei f32 [kh:7:1344 @ kh] [kw_ic:21:64 @ kw_ic] [oc:64:1 @ oc] constant\n"
            "  C dst f32 [h:112:7168 @ oh] [w:112:64 @ ow] [c:64:1 @ oc]\n");
}

TEST(Coalesce, PointwiseConvolutionIsAMatmul) {
  EXPECT_EQ(coalesced("mb16ic64ih56oc256oh56kh1ph0"),
            "nest conv\n"
            "  dim n_oh_ow 50176 parallel\n"
            "  dim oc 256 parallel\n"
            "  dim ic 64 reduction\n"
            "  A src f32 [n_h_w:50176:64 @ n_oh_ow] [c:64:1 @ ic]\n"
            "  B wei f32 [ic:64:256 @ ic] [oc:256:1 @ oc] constant\n"
            "  C dst f32 [n_h_w:50176:256 @ n_oh_ow] [c:256:1 @ oc]\n");
}

TEST(Coalesce, StridedPointwiseConvolutionKeepsItsPixels) {
  const std::string text = coalesced("mb1ic256ih56oc512oh28kh1sh2ph0");
  EXPECT_NE(text.find("[h:56:14336 @ 2*oh] [w:56:256 @ 2*ow] [c:256:1 @ ic]\n"), std::string::npos) << text;
}

TEST(Coalesce, WindowAsLargeAsItsInputIsAMatmul) {
  EXPECT_EQ(coalesced("mb8ic512ih7oc4096oh1kh7ph0"),
            "nest conv\n"
            "  dim n 8 parallel\n"
            "  dim oc 4096 parallel\n"
            "  dim kh_kw_ic 25088 reduction\n"
            "  A src f32 [n:8:25088 @ n] [h_w_c:25088:1 @ kh_kw_ic]\n"
            "  B wei f32 [kh_kw_ic:25088:4096 @ kh_kw_ic] [oc:4096:1 @ oc] constant\n"
            "  C dst f32 [n:8:4096 @ n] [c:4096:1 @ oc]\n");
}

TEST(Coalesce, DepthwiseKeepsItsWindow) {
  EXPECT_EQ(coalesced("g32mb1ic32ih112oc32oh112kh3ph1"),
            "nest conv\n"
            "  dim oh 112 parallel\n"
            "  dim ow 112 parallel\n"
            "  dim c 32 parallel\n"
            "  dim kh 3 reduction\n"
            "  dim kw 3 reduction\n"
            "  A src f32 [h:112:3584 @ oh + kh - 1] [w:112:32 @ ow + kw - 1] [c:32:1 @ c] padded\n"
            "  B wei f32 [kh:3:96 @ kh] [kw:3:32 @ kw] [c:32:1 @ c] constant\n"
            "  C dst f32 [h:112:3584 @ oh] [w:112:32 @ ow] [c:32:1 @ c]\n");
}

// Nothing adjacent is reduced: elements, not units, and the zero point stays with the source.
TEST(Coalesce, NarrowDepthwiseIsCountedInElements) {
  const std::string text =
      coalesced("--dt=u8:s8:s32 --attr-zero-points=src:common:7 g32mb1ic32ih112oc32oh112kh3ph1");
  EXPECT_EQ(text,
            "nest conv\n"
            "  dim oh 112 parallel\n"
            "  dim ow 112 parallel\n"
            "  dim c 32 parallel\n"
            "  dim kh 3 reduction\n"
            "  dim kw 3 reduction\n"
            "  A src u8 [h:112:3584 @ oh + kh - 1] [w:112:32 @ ow + kw - 1] [c:32:1 @ c] padded zero 7\n"
            "  B wei s8 [kh:3:96 @ kh] [kw:3:32 @ kw] [c:32:1 @ c] constant\n"
            "  C dst s32 [h:112:3584 @ oh] [w:112:32 @ ow] [c:32:1 @ c]\n");
  const Result<Nest> parsed = parse_nest(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(to_string(*parsed), text);
}

TEST(Coalesce, DilatedWindowKeepsItsWidth) {
  const std::string text = coalesced("mb1ic8ih10oc8oh8kh2dh1ph0");
  EXPECT_NE(text.find("dim kw 2 reduction\n  dim ic 8 reduction"), std::string::npos) << text;
  EXPECT_EQ(text.find("padded"), std::string::npos) << text;
}

TEST(Coalesce, BatchOfOneWeightMatrixJoinsRows) {
  const std::string text = coalesced("8x128x64:1x64x32");
  EXPECT_NE(text.find("dim b0_m 1024 parallel"), std::string::npos) << text;
  EXPECT_NE(text.find("constant"), std::string::npos) << text;
}

TEST(Coalesce, AttentionKeepsItsBatchAndItsWeightsAreNoConstant) {
  const std::string text = coalesced("2x12x128x64:2x12x64x128");
  EXPECT_NE(text.find("dim b0_b1 24 parallel\n  dim m 128 parallel"), std::string::npos) << text;
  EXPECT_EQ(text.find("constant"), std::string::npos) << text;
}

// One bias per column, repeated over the batch: one dim for both would lose that.
TEST(Coalesce, BatchAndColumnsOfABiasedMatmulStayApart) {
  const std::string biased = coalesced("--bia_dt=f32 1x1x1:3x1x4");
  EXPECT_NE(biased.find("dim b0 3 parallel\n  dim n 4 parallel"), std::string::npos) << biased;
  const std::string scaled = coalesced("--dt=u8:s8:u8 --attr-oscale=per_oc 1x1x1:3x1x4");
  EXPECT_NE(scaled.find("dim b0 3 parallel\n  dim n 4 parallel"), std::string::npos) << scaled;
  const std::string plain = coalesced("1x1x1:3x1x4");
  EXPECT_NE(plain.find("dim b0_n 12 parallel"), std::string::npos) << plain;
}

// Windows whose rows follow one another without a gap: a dense convolution is one product, kernels of
// depthwise ones take the axes apart.
TEST(Coalesce, DepthwiseWindowsKeepTheirAxes) {
  const std::string text = coalesced("g33mb1ic33ih8iw8oc33oh6ow4kh3kw2sh1sw2ph0pw0");
  for (const char* dim :
       {"dim oh 6 parallel", "dim ow 4 parallel", "dim kh 3 reduction", "dim kw 2 reduction"}) {
    EXPECT_NE(text.find(dim), std::string::npos) << text;
  }
}

TEST(Lower, SinglePointKeepsOneDimOfEachKind) {
  const std::string text = coalesced("1x1:1x1");
  EXPECT_NE(text.find("dim n 1 parallel\n  dim k 1 reduction"), std::string::npos) << text;
}

}  // namespace
}  // namespace cortex
