#include "graph/problem/problem.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/problem/text.h"
#include "graph/problem/typed.h"

namespace cortex {
namespace {

Problem parsed(std::string_view line, OpKind op = OpKind::any) {
  auto problem = parse_problem(line, op);
  EXPECT_TRUE(problem.ok()) << line << ": " << problem.error().message;
  return problem.ok() ? *problem : Problem();
}

ConvProblem conv(std::string_view line) { return parsed(line).conv(); }

TEST(ConvText, EveryDimension) {
  const ConvProblem p =
      conv("g2mb3_ic4id9ih10iw11_oc6od5oh4ow3_kd2kh3kw4_sd2sh3sw4_pd1ph2pw3_dd0dh1dw2_n\"all\"");
  EXPECT_EQ(p.g, 2);
  EXPECT_EQ(p.mb, 3);
  EXPECT_EQ(p.ic, 4);
  EXPECT_EQ(p.oc, 6);
  EXPECT_EQ(p.id, 9);
  EXPECT_EQ(p.ih, 10);
  EXPECT_EQ(p.iw, 11);
  EXPECT_EQ(p.od, 5);
  EXPECT_EQ(p.oh, 4);
  EXPECT_EQ(p.ow, 3);
  EXPECT_EQ(p.kd, 2);
  EXPECT_EQ(p.kh, 3);
  EXPECT_EQ(p.kw, 4);
  EXPECT_EQ(p.sd, 2);
  EXPECT_EQ(p.sh, 3);
  EXPECT_EQ(p.sw, 4);
  EXPECT_EQ(p.pd, 1);
  EXPECT_EQ(p.ph, 2);
  EXPECT_EQ(p.pw, 3);
  EXPECT_EQ(p.dd, 0);
  EXPECT_EQ(p.dh, 1);
  EXPECT_EQ(p.dw, 2);
  // behind: (o - 1) * s + (k - 1) * (d + 1) + 1 - i - p
  EXPECT_EQ(p.pd_r, 8 + 2 - 9 - 1);
  EXPECT_EQ(p.ph_r, 9 + 5 - 10 - 2);
  EXPECT_EQ(p.pw_r, 8 + 10 - 11 - 3);
}

TEST(ConvText, DefaultsAndOrder) {
  const ConvProblem p = conv("kh3oc8ih10ic4");
  EXPECT_EQ(p.g, 1);
  EXPECT_EQ(p.mb, 2);
  EXPECT_EQ(p.sh, 1);
  EXPECT_EQ(p.dh, 0);
  EXPECT_EQ(p.ph, 0);
  EXPECT_EQ(p.oh, 8);
  EXPECT_EQ(p.ow, 8);
  EXPECT_EQ(p.iw, 10);
  EXPECT_EQ(p.kw, 3);
  EXPECT_EQ(p.id, 1);
  EXPECT_EQ(p.od, 1);
  EXPECT_EQ(p.kd, 1);
}

TEST(ConvText, HAloneIsSquareWithItsStrideAndDilation) {
  EXPECT_EQ(conv("ic4ih11oc4oh5kh3sh2dh1ph1"), conv("ic4ih11iw11oc4oh5ow5kh3kw3sh2sw2dh1dw1ph1pw1"));
}

TEST(ConvText, DAloneIsACube) {
  EXPECT_EQ(conv("ic4id8oc4kd3pd1"), conv("ic4id8ih8iw8oc4kd3kh3kw3pd1ph1pw1"));
}

TEST(ConvText, WAloneIsOneDimension) {
  const ConvProblem p = conv("ic4iw16oc4kw3sw2pw1");
  EXPECT_EQ(p.ih, 1);
  EXPECT_EQ(p.oh, 1);
  EXPECT_EQ(p.kh, 1);
  EXPECT_EQ(p.sh, 1);
  EXPECT_EQ(p.ow, 8);
}

TEST(ConvText, PaddingDeducedFromTheOutput) {
  EXPECT_EQ(conv("ic3ih56oc3oh56kh3").ph, 1);
  EXPECT_EQ(conv("ic3ih224oc3oh112kh7sh2").ph, 2);  // needs 5 in all, the smaller half in front
  EXPECT_EQ(conv("ic3ih224oc3oh112kh7sh2").ph_r, 3);
  EXPECT_EQ(conv("ic3ih56oc3oh28kh1sh2").ph_r, -1);
}

TEST(ConvText, PaddingBehindIsWhatTheOutputNeeds) {
  EXPECT_EQ(conv("ic3ih300oc3oh150kh3sh2ph0").ph_r, 1);  // "same" as TensorFlow pads
  EXPECT_EQ(conv("ic3ih5oc3oh3kh7ph1").ph_r, 3);
  EXPECT_EQ(conv("ic3ih10oc3oh1kh1sh10ph0").ph_r, -9);
}

TEST(ConvText, Names) {
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"resnet:conv1*4\"").name, "resnet:conv1");
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"resnet:conv1*4\"").count, 4);
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"a b\"*2").name, "a b");
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"a b\"*2").count, 2);
  EXPECT_EQ(parsed("ic4ih8oc4kh3nplain*3").name, "plain");
  EXPECT_EQ(parsed("ic4ih8oc4kh3nplain*3").count, 3);
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"x*y\"").name, "x*y");
  EXPECT_EQ(parsed("ic4ih8oc4kh3n\"#1\"").name, "#1");
  EXPECT_EQ(parsed("ic4ih8oc4kh3").count, 1);
}

TEST(ConvText, NamesAreUtf8WithoutControlCharacters) {
  for (const char* name : {"", "conv 1/3x3", "\xc3\xa9t\xc3\xa9", "\xe5\xb1\x82", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_printable_utf8(name)) << name;
  // Control, lone continuation, cut short, overlong, C1 control, surrogate, above U+10FFFF, never a lead
  // byte.
  for (const char* name : {"\x1b[1m", "a\nb", "\x7f", "\x80", "a\xc3", "\xe5\xb1", "\xc3(", "\xc0\xaf",
                           "\xc2\x85", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(is_printable_utf8(name)) << name;
}

// What a command line must not take for an option of the tool itself.
TEST(Options, ArgumentsThatBeginWithThem) {
  for (const char* line : {"--bia_dt=f32 8x8:8x8", "--matmul 8x8:8x8", "--dir=FWD_B --dt=f32 ic3ih5oc3kh3",
                           "--attr-scales=x 8x8:8x8", "--bia-dt=f32\t8x8:8x8"})
    EXPECT_TRUE(begins_with_problem_options(line)) << line;
  for (const char* argument : {"8x8:8x8", "--dt=f32", "--batch=my list1", "--json=a b1", "--threads 2",
                               "-x 1", "", "--", "-- 8x8:8x8"})
    EXPECT_FALSE(begins_with_problem_options(argument)) << argument;
  const char* const words[] = {"tool",   "run", "--bia_dt=f32 8x8:8x8", "--problem", "--dt=bf16 8x8:8x8",
                               "4x4:4x4"};
  EXPECT_EQ(command_line_words(6, words),
            (std::vector<std::string>{"tool", "run", "--problem=--bia_dt=f32 8x8:8x8",
                                      "--problem=--dt=bf16 8x8:8x8", "4x4:4x4"}));
  // What follows is no value of an option whose value is empty.
  const char* const empty[] = {"tool", "run", "--json=", "4x4:4x4", "--dt=u8=", "--"};
  EXPECT_EQ(command_line_words(6, empty),
            (std::vector<std::string>{"tool", "run", "--json", "", "4x4:4x4", "--dt=u8=", "--"}));
}

// Of lines that state none, --reset included; what depends on types is checked with them.
TEST(Options, TypesFromElsewhere) {
  const Types bytes{DataType::u8, DataType::s8, DataType::u8};
  const Result<Problem> p = parse_problem("--attr-zero-points=src:common:200 2x3:3x4", OpKind::any, bytes);
  ASSERT_TRUE(p.ok()) << p.error().message;
  EXPECT_EQ(to_string(*p), "--dt=u8:s8:u8 --attr-oscale=per_oc --attr-zero-points=src:common:200 2x3:3x4");
  const Result<Problem> stated = parse_problem("--dt=bf16 2x3:3x4", OpKind::any, bytes);
  ASSERT_TRUE(stated.ok()) << stated.error().message;
  EXPECT_EQ(to_string(*stated), to_string(parsed("--dt=bf16 2x3:3x4")));
  const Result<Problem> reset = parse_problem("--dt=bf16 --reset 2x3:3x4", OpKind::any, bytes);
  ASSERT_TRUE(reset.ok()) << reset.error().message;
  EXPECT_EQ(reset->src, DataType::u8);
  const Types sums{DataType::u8, DataType::s8, DataType::s32};
  EXPECT_FALSE(parse_problem("2x3:3x4", OpKind::any, sums)->epilogue.scale);
  EXPECT_FALSE(parse_problem("--attr-zero-points=src:common:256 2x3:3x4", OpKind::any, bytes).ok());
  EXPECT_FALSE(parse_problem("--attr-zero-points=src:common:1 2x3:3x4", OpKind::any, Types()).ok());
}

TEST(MatmulText, BatchesBroadcastAndDestination) {
  const MatmulProblem p = parsed("2x1x3x4:1x5x4x6:2x5x3x6n\"bmm*2\"").matmul();
  EXPECT_EQ(p.batch_a, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(p.batch_b, (std::vector<int64_t>{1, 5}));
  EXPECT_EQ(p.m, 3);
  EXPECT_EQ(p.k, 4);
  EXPECT_EQ(p.n, 6);
  EXPECT_EQ(multiply_adds(parsed("2x1x3x4:1x5x4x6")), 2 * 5 * 3 * 4 * 6);
}

TEST(Options, Layouts) {
  EXPECT_TRUE(parsed("--stag=ba 3x4:4x5").matmul().a_transposed);
  EXPECT_TRUE(parsed("--wtag=acb 2x3x4:2x4x5").matmul().b_transposed);
  EXPECT_EQ(parsed("--stag=ab --wtag=any --dtag=ab 3x4:4x5").matmul(), parsed("3x4:4x5").matmul());
  EXPECT_EQ(conv("--stag=nhwc --dtag=axb --wtag=any ic3ih5oc3kh3"), conv("ic3ih5oc3kh3"));
}

TEST(Options, Types) {
  const auto types = [](std::string_view line) {
    const Problem p = parsed(line);
    return std::vector<DataType>{p.src, p.wei, p.dst};
  };
  using enum DataType;
  EXPECT_EQ(types("--dt=bf16 3x4:4x5"), (std::vector{bf16, bf16, bf16}));
  EXPECT_EQ(types("--dt=bf16:bf16:f32 3x4:4x5"), (std::vector{bf16, bf16, f32}));
  EXPECT_EQ(types("--cfg=u8s8s32 ic3ih5oc3kh3"), (std::vector{u8, s8, s32}));
  EXPECT_EQ(types("--dt=u8s8 3x4:4x5"), (std::vector{u8, s8, s32}));
  EXPECT_EQ(types("--cfg=bf16bf16f32 ic3ih5oc3kh3"), (std::vector{bf16, bf16, f32}));
}

TEST(Options, EpilogueKeepsTheOrderOfSteps) {
  EXPECT_TRUE(parsed("--dir=FWD_B ic3ih5oc3kh3").epilogue.bias);
  EXPECT_FALSE(parsed("ic3ih5oc3kh3").epilogue.bias);
  EXPECT_TRUE(parsed("--bia-dt=f32 --bia_mask=4 2x3x4:2x4x5").epilogue.bias);
  const Epilogue before = parsed("--attr-post-ops=sum:0.5+relu:0.1 3x4:4x5").epilogue;
  EXPECT_TRUE(before.residual && !before.residual_after_activation);
  EXPECT_EQ(before.residual_scale, 0.5f);
  EXPECT_EQ(before.alpha, 0.1f);
  EXPECT_EQ(before.activation, Activation::relu);
  const Epilogue after = parsed("--attr-post-ops='clip_v2:-1:6+sum' 3x4:4x5").epilogue;
  EXPECT_TRUE(after.residual_after_activation);
  EXPECT_EQ(after.alpha, -1.0f);
  EXPECT_EQ(after.beta, 6.0f);
}

TEST(Options, MinibatchOverride) {
  EXPECT_EQ(conv("--mb=7 mb3ic3ih5oc3kh3").mb, 7);
  EXPECT_EQ(conv("--mb=7 ic3ih5oc3kh3").mb, 7);
  EXPECT_EQ(conv("--mb=0 mb3ic3ih5oc3kh3").mb, 3);
}

TEST(Batch, OptionsPersistUntilReset) {
  const auto list = parse_batch(
      "\xef\xbb\xbf# list\r\n"
      "--dir=FWD_B --attr-post-ops=relu\t \r\n"
      "ic3ih5oc3kh3   # bias, relu\r\n"
      "\n"
      "  --dir=FWD_D ic3ih6oc3kh3\n"
      "--reset 3x4:4x5 5x6:6x7",
      "list");
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_EQ(list->size(), 4u);
  EXPECT_TRUE((*list)[0].epilogue.bias);
  EXPECT_EQ((*list)[0].epilogue.activation, Activation::relu);
  EXPECT_EQ((*list)[0].text, "ic3ih5oc3kh3");
  EXPECT_FALSE((*list)[1].epilogue.bias);
  EXPECT_EQ((*list)[1].epilogue.activation, Activation::relu);
  EXPECT_EQ((*list)[1].text, "--dir=FWD_D ic3ih6oc3kh3");
  EXPECT_TRUE((*list)[2].epilogue.empty());
  EXPECT_EQ((*list)[3].text, "5x6:6x7");
}

TEST(Key, SpellingDoesNotMatter) {
  const auto key = [](std::string_view line) { return problem_key(parsed(line)); };
  EXPECT_EQ(key("mb2ic3ih5oc3kh3"), key("ic3_ih5iw5_oc3oh3_kw3kh3_ph0pw0n\"other*9\""));
  EXPECT_EQ(key("3x4:4x5"), key("--dt=f32 --stag=ab 3x4:4x5:3x5"));
  EXPECT_EQ(key("--attr-post-ops=relu:-0 3x4:4x5"), key("--attr-post-ops=relu 3x4:4x5"));
  EXPECT_NE(key("--attr-post-ops=relu+sum 3x4:4x5"), key("--attr-post-ops=sum+relu 3x4:4x5"));
  EXPECT_NE(key("--stag=ba 4x4:4x4"), key("4x4:4x4"));
  EXPECT_NE(key("mb2ic3ih5oc3kh3"), key("mb2ic3iw5oc3kw3"));
}

TEST(Print, Canonical) {
  EXPECT_EQ(to_string(parsed("ic64ih56oc64oh56kh3ph1")), "mb2_ic64ih56iw56_oc64oh56ow56_kh3kw3ph1pw1");
  EXPECT_EQ(to_string(parsed("g4mb1ic4iw9oc4kw3dw1sw2")), "g4mb1_ic4iw9_oc4ow3_kw3sw2pw0dw1");
  EXPECT_EQ(to_string(parsed("--dir=FWD_B --dt=bf16 --attr-post-ops=sum:0.1+clip:-1:6 mb1ic4id4oc4kd1")),
            "--dt=bf16:bf16:bf16 --dir=FWD_B --attr-post-ops=sum:0.1+clip:-1:6 "
            "mb1_ic4id4ih4iw4_oc4od4oh4ow4_kd1kh1kw1pd0ph0pw0");
  EXPECT_EQ(to_string(parsed("--bia_dt=f32 --wtag=acb 2x3x4:1x4x5")), "--bia_dt=f32 --wtag=acb 2x3x4:1x4x5");
  EXPECT_EQ(to_string(parsed("--dt=u8:s8:s8 --attr-zero-points=dst:common:-3+src:common:255 2x3:3x4")),
            "--dt=u8:s8:s8 --attr-zero-points=src:common:255+dst:common:-3 2x3:3x4");
}

TEST(Print, LargeNumbersReadBack) {
  const Problem p = parsed("--attr-post-ops=sum:1e30+relu:2e-20 3x4:4x5");
  EXPECT_EQ(parsed(to_string(p)).epilogue, p.epilogue);
}

TEST(Count, LargeSizesCostNoTime) {
  EXPECT_EQ(multiply_adds(parsed("mb1ic1oc1iw1000000ow1999999kw1000000pw999999")),
            int64_t{1000000} * 1000000);
}

TEST(Workloads, AllListsRead) {
  for (const char* list :
       {"conv_alexnet_mb1", "conv_mobilenetv2_mb1", "conv_resnet18_mb16", "conv_resnet50_mb1",
        "conv_resnet50_polydl_mb1", "conv_vgg16_mb16", "conv_yolo9000_mb1", "matmul_dl"}) {
    const auto problems = read_batch(std::string(CORTEX_WORKLOADS) + "/" + list + ".txt");
    ASSERT_TRUE(problems.ok()) << problems.error().message;
    for (const Problem& p : *problems) {
      const Problem again = parsed(to_string(p));
      EXPECT_TRUE(again.op == p.op) << p.text;
      EXPECT_EQ(problem_key(again), problem_key(p));
      EXPECT_FALSE(p.name.empty());
    }
  }
}

}  // namespace
}  // namespace cortex
