#include "graph/recursive/builder.h"

#include <gtest/gtest.h>

#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

TEST(Builder, ChildSumLstmPrintsAndParsesBack) {
  Builder b("lstm", Structure::tree);
  b.size("h", 8).size("v", 5);
  const TableRef X = b.table("X", {"v", "4h"});
  const StateRef h = b.state("h", {"h"}), c = b.state("c", {"h"});
  const Expr U = b.parameter("U", {"3h", "h"}), U_f = b.parameter("U_f", {"h", "h"}), x = b.word(X);
  const Expr a = matmul(U, sum(b.each_child(h)));
  const Expr i = sigmoid(a.slice("0", "h") + x.slice("0", "h")),
             o = sigmoid(a.slice("h", "2h") + x.slice("h", "2h"));
  const Expr u = tanh(a.slice("2h", "3h") + x.slice("2h", "3h"));
  const Expr f = sigmoid(matmul(U_f, b.each_child(h)) + x.slice("3h", "4h"));
  const Expr cell = i * u + sum(f * b.each_child(c));
  b.set(c, cell).set(h, o * tanh(cell)).output(h);
  const Result<Model> model = b.build();
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Result<Model> again = parse_model(to_text(*model));
  ASSERT_TRUE(again.ok()) << again.error().message << to_text(*model);
  EXPECT_EQ(to_text(*again), to_text(*model));
}

TEST(Builder, LeafCaseSlotsAndSelectors) {
  Builder b("m", Structure::tree);
  b.size("h", 4).max_children("2");
  const StateRef h = b.state("h", {"h"});
  b.leaf().set(h, b.features("w", "h"));
  b.node();
  const Expr W = b.parameter("W", {"h", "2h"});
  b.set(h, relu(matmul(W, concat({b.child(0, h), b.selected_child(h)}))) - b.number(0.5)).output(h);
  const Result<Model> model = b.build();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE(parse_model(to_text(*model)).ok()) << to_text(*model);
}

TEST(Builder, PropertiesAndMistakes) {
  const auto refused = [](auto write, const std::string& why) {
    Builder b("m", Structure::tree);
    b.size("h", 4);
    const StateRef h = b.state("h", {"h"});
    b.output(h);
    write(b, h);
    const Result<Model> model = b.build();
    ASSERT_FALSE(model.ok());
    EXPECT_NE(model.error().message.find(why), std::string::npos) << model.error().message;
  };
  refused([](Builder& b, StateRef h) { b.set(h, b.computed_child(sum(b.each_child(h)), h)); }, "P1");
  refused([](Builder& b, StateRef h) { b.set(h, b.call_child(0, {b.parameter("p", {"h"})}, h)); }, "P2");
  refused([](Builder& b, StateRef h) { b.set(h, b.call_child(1, {b.child(0, h)}, h)); }, "P3");
  refused([](Builder& b, StateRef h) { b.set(h, sum(b.each_child(h)) * b.number(1e300)); }, "not finite");
  refused(
      [](Builder& b, StateRef h) {
        Expr x = sum(b.each_child(h));
        for (int i = 0; i < 5000; ++i) x = tanh(x);
        b.set(h, x);
      },
      "at most 4096");
  refused([](Builder&, StateRef) {}, "never computed");
  refused([](Builder& b, StateRef h) { b.set(h, b.parameter("p", {"4 h"})); }, "'4 h' is not a size");
  refused([](Builder& b, StateRef h) { b.set(h, b.number(1) + Expr()); }, "foreign Expr");
  refused(
      [](Builder& b, StateRef h) {
        const Expr x = b.number(1);
        b.leaf().set(h, x);
      },
      "leaf case");
  refused([](Builder& b, StateRef h) { b.set(StateRef(), sum(b.each_child(h))); }, "none of this model");
  refused([](Builder& b, StateRef h) { b.set(h, sum(b.each_child(StateRef{7}))); }, "none of this model");
  refused([](Builder& b, StateRef h) { b.set(h, b.word(TableRef())); }, "a table that is none of this model");
  const auto sum_of_children = [](Builder& b, StateRef h) { b.set(h, sum(b.each_child(h))); };
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.output(StateRef{-3}); }, "is no state");
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.output(h); }, "h is an output twice");
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.parameter("h", {"h"}); },
          "the name is taken");
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.parameter("p\nq", {"h"}); },
          "'p?q' cannot be");
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.parameter("word", {"h"}); },
          "'word' cannot be");
  refused([&](Builder& b, StateRef h) { sum_of_children(b, h), b.size("2h", 3); }, "'2h' cannot be");
}

// Names that the printer makes up are nobody else's.
TEST(Builder, NamesOfValuesAreFree) {
  Builder b("m", Structure::tree);
  b.size("h", 4);
  const StateRef h = b.state("h", {"h"});
  const Expr p = b.parameter("v2", {"h"});        // value 0
  const Expr twice = tanh(sum(b.each_child(h)));  // values 1, 2, 3
  b.set(h, (twice + p) * twice).output(h);
  const Expr q = b.parameter("v3", {"h"});
  b.set(h, (twice + p) * twice + q);
  const Result<Model> model = b.build();
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Result<Model> again = parse_model(to_text(*model));
  ASSERT_TRUE(again.ok()) << to_text(*model) << again.error().message;
  EXPECT_EQ(to_text(*again), to_text(*model));
}

}  // namespace
}  // namespace cortex::recursive
