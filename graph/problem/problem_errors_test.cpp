// One case per refusal: the line, and the message a user sees.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "graph/problem/problem.h"

namespace cortex {
namespace {

struct Refusal {
  const char* line;
  ErrorCode code;
  const char* message;
};

constexpr auto invalid = ErrorCode::invalid_argument;
constexpr auto unsupported_ = ErrorCode::unsupported;
constexpr auto overflow = ErrorCode::overflow;

const Refusal refusals[] = {
    // tokens of a convolution
    {"ic64ih56oc64kh3ph1ic3", invalid,
     R"(conv "ic64ih56oc64kh3ph1ic3": column 19: ic is given twice, first in column 1: leave one)"},
    {"icih56oc64kh3", invalid,
     R"(conv "icih56oc64kh3": column 1: ic is not followed by a number: correct it)"},
    {"ic3ih5oc3kh3ph-1", invalid,
     R"(conv "ic3ih5oc3kh3ph-1": column 13: ph is not followed by a number: correct it)"},
    {"ic99999999999999999999ih5oc3kh3", overflow,
     R"(conv "ic99999999999999999999ih5oc3kh3": column 1: ic does not fit in 64 bits: correct it)"},
    {"ic3ih5oc3000000000kh3", overflow,
     R"(conv "ic3ih5oc3000000000kh3": column 7: oc is 3000000000, above the largest size 2147483647: correct it)"},
    {"  ic3ih5oc3kh3?", invalid,
     R"(conv "ic3ih5oc3kh3?": column 15: "?" begins no dimension: known are g mb ic oc, i o k s p d followed by d, h or w, and n"name")"},
    // sizes that are missing or nonsense
    {"ic3ih5kh3", invalid, R"(conv "ic3ih5kh3": column 1: oc is missing: add oc)"},
    {"oc3ih5kh3", invalid, R"(conv "oc3ih5kh3": column 1: ic is missing: add ic)"},
    {"ic3ih5oc3", invalid,
     R"(conv "ic3ih5oc3": column 4: kh is missing: an axis needs its input and kernel size, add kh)"},
    {"ic3oc3oh4", invalid,
     R"(conv "ic3oc3oh4": column 7: ih is missing: an axis needs its input and kernel size, add ih)"},
    {"ic3oc3", invalid,
     R"(conv "ic3oc3": column 1: no input size: give ih and kh, or iw and kw for one dimension)"},
    {"ic3id5ih5oc3kd3kh3", invalid,
     R"(conv "ic3id5ih5oc3kd3kh3": column 1: d and h are given but not w: give iw, kw too, or d alone for a cube)"},
    {"ic3id5iw5oc3kd3kw3", invalid,
     R"(conv "ic3id5iw5oc3kd3kw3": column 1: d and w are given but not h: give ih, kh too, or d alone for a cube)"},
    {"ic0ih4kh3oc3", invalid, R"(conv "ic0ih4kh3oc3": column 1: ic is 0: it must be at least 1)"},
    {"mb0ic4ih4kh3oc3", invalid, R"(conv "mb0ic4ih4kh3oc3": column 1: mb is 0: it must be at least 1)"},
    {"g0ic4ih4kh3oc4", invalid, R"(conv "g0ic4ih4kh3oc4": column 1: g is 0: it must be at least 1)"},
    {"ic3ih0oc3kh3", invalid, R"(conv "ic3ih0oc3kh3": column 4: ih is 0: it must be at least 1)"},
    {"ic3ih5oc3kh0", invalid, R"(conv "ic3ih5oc3kh0": column 10: kh is 0: it must be at least 1)"},
    {"ic3ih5oc3oh0kh3", invalid, R"(conv "ic3ih5oc3oh0kh3": column 10: oh is 0: it must be at least 1)"},
    {"ic3ih5oc3kh3sh0", invalid, R"(conv "ic3ih5oc3kh3sh0": column 13: sh is 0: it must be at least 1)"},
    // sizes that clash
    {"g3ic4ih4kh3oc3", invalid,
     R"(conv "g3ic4ih4kh3oc3": column 3: ic is 4, not a multiple of g 3: ic counts the channels of all groups)"},
    {"g2ic4ih4kh3oc3", invalid,
     R"(conv "g2ic4ih4kh3oc3": column 12: oc is 3, not a multiple of g 2: oc counts the channels of all groups)"},
    {"ic3ih5oc3kh3sh2sw1", invalid,
     R"(conv "ic3ih5oc3kh3sh2sw1": column 16: sw is 1 but sh is 2, and without iw and kw the one repeats the other: add those two)"},
    {"ic3ih5oc3kh9", invalid,
     R"(conv "ic3ih5oc3kh9": column 10: no window of 9 elements fits 5 with padding: ih 5, kh 9, sh 1, ph 0 leaves no output; correct kh or ph)"},
    {"ic3ih56oc3oh60kh3ph1", invalid,
     R"(conv "ic3ih56oc3oh60kh3ph1": column 11: oh is 60 but ih 56, kh 3, sh 1, ph 1 give 56: correct oh or ph)"},
    {"ic3ih56oc3oh28kh3ph1", invalid,
     R"(conv "ic3ih56oc3oh28kh3ph1": column 11: oh is 28 but ih 56, kh 3, sh 1, ph 1 give 56: correct oh or ph)"},
    {"ic3ih56oc3oh20kh3dh1", invalid,
     R"(conv "ic3ih56oc3oh20kh3dh1": column 11: oh is 20 but ih 56, kh 3, sh 1, ph 0, dh 1 give 52: correct oh or sh)"},
    {"ic2000000000ih2000000000oc1kh1", overflow,
     R"(conv "ic2000000000ih2000000000oc1kh1": column 1: the source's size in bytes exceeds 2^46: make the problem smaller)"},
    {"ic1ih9oc1kh1ph2000000000", overflow,
     R"(conv "ic1ih9oc1kh1ph2000000000": column 13: oh would be 4000000009, above the largest size 2147483647)"},
    // names
    {"ic3ih5oc3kh3n\"abc", invalid,
     R"(conv "ic3ih5oc3kh3n"abc": column 14: the name's quote is not closed: add a ")"},
    {"ic3ih5oc3kh3n\"a\xff\"", invalid,
     R"(conv "ic3ih5oc3kh3n"a\xff"": column 13: the name "a\xff" is not plain UTF-8 text: correct it)"},
    {"8x8:8x8n\"a\nb\"", invalid,
     R"(matmul "8x8:8x8n"a\x0ab"": column 8: the name "a\x0ab" is not plain UTF-8 text: correct it)"},
    {"ic3ih5oc3kh3n\"abc\"x", invalid,
     R"(conv "ic3ih5oc3kh3n"abc"x": column 19: "x" follows the name: only *count may)"},
    {"ic3ih5oc3kh3n\"abc*0\"", invalid,
     R"(conv "ic3ih5oc3kh3n"abc*0"": column 13: the count is 0: a layer occurs at least once)"},
    {"3x4:4x5n\"abc*99999999999999999999\"", invalid,
     R"(matmul "3x4:4x5n"abc*99999999999999999999"": column 8: the count "99999999999999999999" is not a number that fits: correct it)"},
    // matmul
    {"3x4", invalid, R"(matmul "3x4": column 4: the weights are missing: a matmul reads MxK:KxN)"},
    {"3:4x5", invalid, R"(matmul "3:4x5": column 1: 1 dimension(s) in the source: it needs 2 to 12)"},
    {"3xx4:4x6", invalid,
     R"(matmul "3xx4:4x6": column 3: a size is missing: a matmul reads MxK:KxN, leading batch sizes allowed)"},
    {"3x0:0x6", invalid, R"(matmul "3x0:0x6": column 3: the size is 0: it must be at least 1)"},
    {"99999999999999999999x4:4x6", overflow,
     R"(matmul "99999999999999999999x4:4x6": column 1: the size does not fit in 64 bits)"},
    {"3x4:5x6", invalid,
     R"(matmul "3x4:5x6": column 5: the weights have 5 rows but the source 4 columns: both are K, correct one)"},
    {"3x4x5:5x6", invalid,
     R"(matmul "3x4x5:5x6": column 7: 2 dimensions in the weights and 3 in the source: give both the same, 1 broadcasts)"},
    {"2x3x4:5x4x6", invalid,
     R"(matmul "2x3x4:5x4x6": column 7: batch dimension 0 is 2 in the source and 5 in the weights: equal sizes, or 1 to broadcast)"},
    {"3x4:4x6:3x7", invalid,
     R"(matmul "3x4:4x6:3x7": column 11: destination dimension 1 is 7 but source and weights give 6: correct or leave out the destination)"},
    {"3x4:4x6y", invalid,
     R"(matmul "3x4:4x6y": column 8: "y" follows the sizes: only 'x', ':' and n"name" may)"},
    {"10000000x10000000:10000000x100", overflow,
     R"(matmul "10000000x10000000:10000000x100": column 1: the source's size in bytes exceeds 2^46: make the problem smaller)"},
    {"2000000x2000000:2000000x2000000", overflow,
     R"(matmul "2000000x2000000:2000000x2000000": column 1: the number of multiply-adds exceeds 2^62: make the problem smaller)"},
    // options
    {"--foo=1 3x4:4x5", unsupported_,
     R"(option "--foo=1": column 1: unknown option: known are --conv --matmul --reset --dir --dt --cfg --bia_dt --bia_mask --mb --stag --wtag --dtag --alg --engine --attr-post-ops --attr-oscale --attr-zero-points --attr-fpmath)"},
    {"--dir ic3ih5oc3kh3", invalid, R"(option "--dir": column 1: --dir needs a value: write --dir=...)"},
    {"--reset=1 3x4:4x5", invalid, R"(option "--reset=1": column 1: --reset takes no value)"},
    {"--dir=FWD_B,FWD_D ic3ih5oc3kh3", invalid,
     R"(option "--dir=FWD_B,FWD_D": column 1: several values at once are not supported: write a line for each)"},
    {"--dir=BWD_D ic3ih5oc3kh3", unsupported_,
     R"(option "--dir=BWD_D": column 1: backward passes are not supported: use FWD_B (with bias), FWD_D or FWD_I)"},
    {"--dir=X ic3ih5oc3kh3", invalid,
     R"(option "--dir=X": column 1: not a direction: use FWD_B (with bias), FWD_D or FWD_I)"},
    {"--dt=f16 ic3ih5oc3kh3", unsupported_,
     R"(option "--dt=f16": column 1: not supported: types are f32, bf16, u8, s8, s32, one for all or src:wei:dst)"},
    {"--dt= 3x4:4x5", invalid, R"(option "--dt=": column 1: no type: write f32, or src:wei:dst)"},
    {"--dt=f32:bf16:f32 3x4:4x5", unsupported_,
     R"(matmul "3x4:4x5": column 19: types f32:bf16:f32 are not supported: use f32:f32:f32, bf16:bf16:f32 (or bf16), or u8 or s8 with s8 weights)"},
    {"--bia_dt=s8 3x4:4x5", unsupported_,
     R"(option "--bia_dt=s8": column 1: bias is f32 or undef (none); other types are not supported)"},
    {"--bia_dt=f32 --bia_mask=1 3x4:4x5", unsupported_,
     R"(matmul "3x4:4x5": column 27: --bia_mask=1 is not supported: bias has one value per column, --bia_mask=2)"},
    {"--stag=abc 3x4:4x5", invalid,
     R"(matmul "3x4:4x5": column 12: --stag=abc does not fit its 2 dimensions: use ab or ba)"},
    {"--dtag=ba 3x4:4x5", invalid,
     R"(matmul "3x4:4x5": column 11: --dtag=ba does not fit its 2 dimensions: use ab)"},
    {"--stag=nchw ic3ih5oc3kh3", unsupported_,
     R"(conv "ic3ih5oc3kh3": column 13: --stag=nchw is not supported: leave it out or use any, axb, nhwc, nwc, ndhwc, acb, acdb, acdeb)"},
    {"--wtag=oihw ic3ih5oc3kh3", unsupported_,
     R"(conv "ic3ih5oc3kh3": column 13: --wtag=oihw is not supported: leave it out or use any)"},
    {"--mb=x ic3ih5oc3kh3", invalid, R"(option "--mb=x": column 1: the value is not a whole number)"},
    {"--mb=3000000000 ic3ih5oc3kh3", overflow,
     R"(option "--mb=3000000000": column 1: the value is above 2147483647)"},
    {"--mb=4 3x4:4x5", invalid,
     R"(matmul "3x4:4x5": column 8: --mb=4 does not apply to a matmul: take it out with --mb=0 or --reset)"},
    {"--alg=wino ic3ih5oc3kh3", unsupported_,
     R"(option "--alg=wino": column 1: not supported: leave it out or use direct, auto)"},
    {"--engine=gpu 3x4:4x5", unsupported_,
     R"(option "--engine=gpu": column 1: not supported: leave it out or use cpu)"},
    {"--attr-fpmath=bf16 3x4:4x5", unsupported_,
     R"(option "--attr-fpmath=bf16": column 1: not supported: leave it out or use strict)"},
    {"--attr-scales=src:common:2 3x4:4x5", unsupported_,
     R"(option "--attr-scales=src:common:2": column 1: scales are not supported)"},
    {"--attr-zero-points=src:per_oc:2 3x4:4x5", unsupported_,
     R"(option "--attr-zero-points=src:per_oc:2": column 1: not supported: write src:common:NUMBER, dst:common:NUMBER, or both with a + between)"},
    {"--dt=u8:s8:s32 --attr-zero-points=src:common:3+src:common:4 3x4:4x5", invalid,
     R"(option "--attr-zero-points=src:common:3+src:common:4": column 16: src is given twice)"},
    {"--dt=u8:s8:s32 --attr-zero-points=src:common:3+ 3x4:4x5", unsupported_,
     R"(option "--attr-zero-points=src:common:3+": column 16: not supported: write src:common:NUMBER, dst:common:NUMBER, or both with a + between)"},
    {"--dt=u8:s8:s32 --attr-zero-points=src:common:-1 3x4:4x5", invalid,
     R"(matmul "3x4:4x5": column 49: zero point -1 of src: u8 holds 0 to 255)"},
    {"--attr-zero-points=dst:common:1 3x4:4x5", invalid,
     R"(matmul "3x4:4x5": column 33: zero point 1 of dst: it is f32, zero points are of u8 and s8: state types such as --dt=u8:s8:u8)"},
    {"--strides=1x1 3x4:4x5", unsupported_,
     R"(option "--strides=1x1": column 1: explicit strides are not supported: use --stag and --wtag)"},
    {"--batch=foo", unsupported_,
     R"(option "--batch=foo": column 1: a list inside a list is not supported: name each list on the command line)"},
    // post-ops
    {"--attr-post-ops=abs 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=abs": column 1: step "abs" is not supported: known are sum, add:f32:per_tensor, relu, clip, logistic, tanh, gelu_erf, gelu_tanh)"},
    {"--attr-post-ops=relu+tanh 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=relu+tanh": column 1: one activation is supported, not several)"},
    {"--attr-post-ops=sum+sum 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=sum+sum": column 1: one sum is supported, not several)"},
    {"--attr-post-ops=relu:x 3x4:4x5", invalid,
     R"(option "--attr-post-ops=relu:x": column 1: "x" is not a finite number)"},
    {"--attr-post-ops=relu:inf 3x4:4x5", invalid,
     R"(option "--attr-post-ops=relu:inf": column 1: "inf" is not a finite number)"},
    {"--attr-post-ops=relu:0:0:1:1 3x4:4x5", invalid,
     R"(option "--attr-post-ops=relu:0:0:1:1": column 1: relu has too many arguments)"},
    {"--attr-post-ops=relu:0:0:2 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=relu:0:0:2": column 1: a scale of the activation is not supported)"},
    {"--attr-post-ops=sum:1:3 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=sum:1:3": column 1: sum takes a scale; a zero point or another type is not supported)"},
    {"--attr-post-ops=clip:3:1 3x4:4x5", invalid,
     R"(option "--attr-post-ops=clip:3:1": column 1: clip's lower bound is above its upper bound: write clip:lower:upper)"},
    {"--attr-post-ops=add:s8:common 3x4:4x5", unsupported_,
     R"(option "--attr-post-ops=add:s8:common": column 1: add is supported as add:f32:per_tensor)"},
    // other operators, no or several problems
    {"LSTM l1t30mb1sic256slc256dhc256dic256n\"x\"", unsupported_,
     R"("LSTM": column 1: recurrent layers are not supported yet by this command: conv and matmul are)"},
    {"l1t30mb1sic256slc256dhc256dic256", unsupported_,
     R"("l1t30mb1sic256slc256dhc256dic256": column 1: recurrent layers are not supported yet by this command: conv and matmul are)"},
    {"treelstm h256 mb10", unsupported_,
     R"("treelstm": column 1: recursive models are not supported yet by this command: conv and matmul are)"},
    {"--matmul ic3ih5oc3kh3", invalid,
     R"(matmul "ic3ih5oc3kh3": column 10: sizes MxK:KxN are expected: for a convolution say --conv, or --op conv)"},
    {"--conv 3x4:4x5", invalid,
     R"(conv "3x4:4x5": column 8: a matmul where a convolution is expected: say --matmul, or --op matmul)"},
    {"", invalid, R"(no problem in "": write a conv as ic64ih56oc64kh3ph1 or a matmul as 128x768:768x768)"},
    {"3x4:4x5 5x6:6x7", invalid, R"(2 problems in "3x4:4x5 5x6:6x7" where one is wanted)"},
};

TEST(ProblemErrors, EveryRefusalSaysWhatWhereAndWhatToDo) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.line);
    const auto problem = parse_problem(refusal.line);
    ASSERT_FALSE(problem.ok());
    EXPECT_EQ(problem.error().message, refusal.message);
    EXPECT_EQ(problem.error().code, refusal.code);
  }
}

TEST(ProblemErrors, BytesThatAreNoTextAreShownEscapedAndCut) {
  const auto control = parse_problem("ic3\x01\xff");
  ASSERT_FALSE(control.ok());
  EXPECT_EQ(control.error().message.substr(0, 22), R"(conv "ic3\x01\xff": co)");
  const auto nul = parse_problem(std::string_view("ic3\0ih", 6));
  ASSERT_FALSE(nul.ok());
  EXPECT_EQ(nul.error().message, "column 4: a NUL byte: is this a text file?");
  const auto long_token = parse_problem(std::string(5000, 'z'));
  ASSERT_FALSE(long_token.ok());
  EXPECT_LT(long_token.error().message.size(), 300u);
  const auto long_line = parse_problem(std::string(3 << 20, ' '));
  ASSERT_FALSE(long_line.ok());
  EXPECT_EQ(long_line.error().message,
            "the line has 3145728 bytes, above 1048576: is this a list of problems?");
}

TEST(ProblemErrors, ListsNameSourceAndLine) {
  const auto bad = parse_batch("# list\r\nic3ih5oc3kh3\r\n\r\n3x4:5x6\r\n", "layers.txt");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(
      bad.error().message,
      R"(layers.txt:4: matmul "3x4:5x6": column 5: the weights have 5 rows but the source 4 columns: both are K, correct one)");
  const auto empty = parse_batch("# nothing\n\n", "layers.txt");
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message,
            "layers.txt: no problem in the list: write one a line, '#' starts a comment");
  EXPECT_FALSE(parse_batch("", "x").ok());
}

TEST(ProblemErrors, FilesThatCannotBeRead) {
  const auto missing = read_batch("/nonexistent/layers.txt");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::io);
  EXPECT_EQ(missing.error().message, "/nonexistent/layers.txt: no such file");
  const std::string folder = std::filesystem::temp_directory_path().string();
  const auto directory = read_batch(folder);
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().message, folder + ": is a directory: name a file");
}

TEST(ProblemErrors, DescriptorsFromOutsideAreChecked) {
  Problem problem = *parse_problem("mb1ic64ih56oc64oh56kh3ph1");
  const auto message = [&](auto&& change) {
    Problem changed = problem;
    change(std::get<ConvProblem>(changed.op));
    const Status s = validate(changed);
    return s.ok() ? std::string("valid") : s.error().message;
  };
  EXPECT_EQ(message([](ConvProblem&) {}), "valid");
  EXPECT_EQ(message([](ConvProblem& p) { p.ic = 0; }), "ic is 0: it must be 1 to 2147483647");
  EXPECT_EQ(message([](ConvProblem& p) { p.g = 3; }), "ic 64 and oc 64 must be multiples of g 3");
  EXPECT_EQ(message([](ConvProblem& p) { p.sh = -1; }), "axis h: sh is -1: it must be 1 to 2147483647");
  EXPECT_EQ(message([](ConvProblem& p) { p.pw = -1; }), "axis w: pw is -1: it must be 0 to 2147483647");
  EXPECT_EQ(message([](ConvProblem& p) { p.oh = 57; }),
            "axis h: the padding behind is 1 but input 56, output 57, kernel 3, stride 1, dilation 0 and "
            "padding 1 in "
            "front need 2");
  EXPECT_EQ(message([](ConvProblem& p) { p.oh = 20, p.ph_r = -35; }),
            "axis h: 35 elements of input are unused behind the last window, a stride of 1 or more: output "
            "is too small");
  EXPECT_EQ(message([](ConvProblem& p) { p.mb = 2147483647; }),
            "the source's size in bytes exceeds 2^46: make the problem smaller");
  problem.epilogue.alpha = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(validate(problem).error().message, "a number of the epilogue is not finite");
  Problem matmul = *parse_problem("2x3x4:2x4x5");
  std::get<MatmulProblem>(matmul.op).batch_b.clear();
  EXPECT_EQ(validate(matmul).error().message,
            "the source has 1 batch dimensions and the weights 0: give both the same");
}

}  // namespace
}  // namespace cortex
