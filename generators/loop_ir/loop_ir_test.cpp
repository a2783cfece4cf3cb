#include "generators/loop_ir/loop_ir.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "generators/loop_ir/evaluate.h"
#include "generators/loop_ir/walk.h"

namespace cortex {
namespace {

Expr v(const char* name) { return Expr::var(name); }

TEST(Expr, FoldsConstantsAndDropsNeutralElements) {
  EXPECT_EQ(to_string(v("x") * Expr(1) + Expr(0)), "x");
  EXPECT_EQ(to_string((v("x") + Expr(5)) - Expr(8)), "x - 3");
  EXPECT_EQ(to_string(add_constant(min(v("x") + Expr(1), Expr(9)), 2)), "min(x + 3, 11)");
  EXPECT_EQ(to_string(select(less(1, 2), v("x"), v("y"))), "x");
  EXPECT_EQ(to_string(logical_or(0, less(0, v("x")))), "x > 0");
  EXPECT_EQ(to_string(logical_and(less(v("x"), 3), 0)), "0");
}

TEST(Expr, LinearMergesTermsAndFactorsDifferences) {
  EXPECT_EQ(to_string(linear({{v("x"), 4}, {v("y"), 8}, {v("x"), 4}}, -3)), "x * 8 + y * 8 - 3");
  EXPECT_EQ(to_string(linear({{v("x"), 4}, {v("y"), -4}}, 0)), "(x - y) * 4");
  EXPECT_EQ(to_string(linear({{v("x"), 4}, {v("x"), -4}}, 0)), "0");
  EXPECT_EQ(to_string(linear({{Expr(7), 4}, {v("x"), 1}}, 1)), "x + 29");
}

TEST(Expr, PrintsTheFewestParentheses) {
  EXPECT_EQ(to_string((v("x") + v("y")) * Expr(3)), "(x + y) * 3");
  EXPECT_EQ(to_string(v("x") - (v("y") - v("z"))), "x - (y - z)");
  EXPECT_EQ(to_string(logical_or(logical_and(v("x"), v("y")), v("z"))), "(x && y) || z");
  EXPECT_EQ(to_string(select(equal(v("x"), 3), v("y"), select(v("z"), 1, 2))), "x == 3 ? y : z ? 1 : 2");
  EXPECT_EQ(to_string(select(v("x"), 1, 2) + v("y")), "(x ? 1 : 2) + y");
}

Expr random_expr(std::mt19937_64& random, int depth) {
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); };
  if (depth == 0 || pick(5) == 0) {
    static const char* names[] = {"x", "y", "z_1"};
    return pick(2) ? v(names[pick(3)]) : Expr(pick(21) - 10);
  }
  // Divisors stay positive constants: what the generator makes.
  static const Expr::Op ops[] = {Expr::Op::add,         Expr::Op::sub,       Expr::Op::mul, Expr::Op::min,
                                 Expr::Op::max,         Expr::Op::lt,        Expr::Op::le,  Expr::Op::eq,
                                 Expr::Op::logical_and, Expr::Op::logical_or};
  const int op = pick(13);
  const Expr a = random_expr(random, depth - 1);
  if (op == 10) return make_expr(Expr::Op::floor_div, {a, Expr(1 + pick(9))});
  if (op == 11) return make_expr(Expr::Op::mod, {a, Expr(1 + pick(9))});
  const Expr b = random_expr(random, depth - 1);
  if (op == 12) return select(a, b, random_expr(random, depth - 1));
  return make_expr(ops[op], {a, b});
}

// Text parses back to what means the same and prints the same; folding keeps the value.
TEST(Expr, RoundTripsThroughText) {
  constexpr uint64_t seed = 7;
  fmt::print("seed {}\n", seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 3000; ++i) {
    const Expr e = random_expr(random, 5);
    const std::string text = to_string(e);
    const Result<Expr> parsed = parse_expr(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(to_string(*parsed), text);
    for (const int64_t x : {-3, 0, 4}) {
      const Values values = {{"x", x}, {"y", 2}, {"z_1", -7}};
      EXPECT_EQ(evaluate(*parsed, values), evaluate(e, values)) << text;
    }
  }
}

TEST(Expr, RefusesBrokenText) {
  for (const char* text :
       {"", "x +", "(x", "min(x)", "min(x, y", "foo(x)", "x y", "3 ? x", "99999999999999999999"}) {
    EXPECT_FALSE(parse_expr(text).ok()) << text;
  }
  EXPECT_NE(parse_expr("x + foo(y)").error().message.find("foo"), std::string::npos);
}

// Every statement there is.
constexpr const char* sample = R"(function k pack avx512 {
  operand src = a + -64
  operand wei = b + 0
  operand dst = c + 0
  operand bias = bias + 0
  operand packed_src = scratch + 128
  desc src_box: elem 4 shape [8, 16] src [64, 4] dst [128, 4] panel -1 width 0 stride 0
  table a_offsets = [0, 4, 64]
  table b_offsets = [0, 16, 32]
  leave unless last of parallel 1
  share m_first, m_last = 4 tiles parallel 0
  # Band 1, m: 24 in tiles of 6.
  for m = 6 * m_first .. min(24, 6 * m_last) step 6 parallel 0 {
    let m_len = m == 18 ? 5 : 6
    # Copy of src.
    pack src_box: &src -> &packed_src origin [m, 0] box [m_len, 16]
    for n = 0 .. 128 step 64 {
      call brgemm_f32_f32_f32_7x64x1_avx512 {
        a = &packed_src + m * 4
        b = &wei
        c = &dst + m * 64 + n * 4
        m = m_len
        n = min(64, 128 - n)
        k = 16
        batch = 3
        a_offsets = &a_offsets
        b_offsets = &b_offsets
        epilogue.bias_n = &bias + n
        epilogue.alpha = float 0x1p-2
        accumulate if n > 0
        epilogue if 1
      }
    }
  }
}
)";

TEST(LoopIr, RoundTripsThroughText) {
  const Result<Function> f = parse_function(sample);
  ASSERT_TRUE(f.ok()) << f.error().message;
  EXPECT_EQ(to_string(*f), sample);
  EXPECT_EQ(*parse_function(to_string(*f)), *f);
  EXPECT_TRUE(verify(*f).ok()) << verify(*f).error().message;
}

TEST(LoopIr, RefusesBrokenText) {
  const std::string good = sample;
  for (std::size_t cut = 0; cut + 2 < good.size(); cut += 7) {
    EXPECT_FALSE(parse_function(good.substr(0, cut)).ok()) << good.substr(0, cut);
  }
  const Result<Function> f = parse_function("function k pack avx2 {\n  whatever\n}\n");
  ASSERT_FALSE(f.ok());
  EXPECT_NE(f.error().message.find("line 2"), std::string::npos) << f.error().message;
}

struct Refusal {
  const char *from, *to, *why;
};

TEST(LoopIr, VerifyRefuses) {
  const Refusal refusals[] = {
      {"step 64", "step 0", "not positive"},
      {"let m_len = m", "let m = m", "defined twice"},
      {"let m_len = m ==", "let m_len = q ==", "q, which is not defined"},
      {"origin [m, 0]", "origin [m]", "rank 2"},
      {"pack src_box: &src ->", "pack nothing: &src ->", "no such desc"},
      {"&src -> &packed_src", "&src -> &nowhere", "nowhere, which is not defined"},
      {"m = m_len\n        n", "m = m\n        n", "not bounded by the 7"},
      {"n = min(64, 128 - n)", "n = 128 - n", "not bounded by the 64"},
      {"call brgemm_f32_f32_f32_7x64x1_avx512", "call brgemm_f32_f32_f32_7x7x1_avx512", "no microkernel"},
      {"k = 16", "kk = 16", "no argument kk"},
      {"k = 16", "m = 5", "set twice"},
      {"table a_offsets = [0, 4, 64]", "table a_offsets = []", "is empty"},
      {"operand dst = c", "operand dst = d", "no member \"d\""},
      {"panel -1", "panel 2", "panels of 0"},
      {"share m_first, m_last = 4", "share m_first, m_last = 0", "0 tiles"},
      {"last of parallel 1", "last of parallel 9", "parallel 9"},
  };
  for (const Refusal& r : refusals) {
    std::string text = sample;
    const std::size_t at = text.find(r.from);
    ASSERT_NE(at, std::string::npos) << r.from;
    text.replace(at, std::string(r.from).size(), r.to);
    const Result<Function> f = parse_function(text);
    ASSERT_TRUE(f.ok()) << r.to << ": " << f.error().message;
    const Status s = verify(*f);
    ASSERT_FALSE(s.ok()) << r.to;
    EXPECT_NE(s.error().message.find(r.why), std::string::npos) << s.error().message;
    EXPECT_NE(s.error().message.find("loop IR of k"), std::string::npos) << s.error().message;
  }
}

TEST(LoopIr, RecorderDividesTilesAmongThreads) {
  const Function f = *parse_function(sample);
  std::size_t calls = 0;
  for (int64_t c = 0; c < 3; ++c) {
    for (const Event& e : Recorder(f, {3, 1}, {c, 0}).run()) calls += e.op == "call";
  }
  EXPECT_EQ(calls, 8u);
  EXPECT_TRUE(
      Recorder(f, {1, 2}, {0, 0}).run().empty());  // parallel loop 1 is a single tile: the last thread's
}

}  // namespace
}  // namespace cortex
