#include <gtest/gtest.h>

#include "graph/recursive/check.h"
#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

TEST(Ready, EveryModelParsesAndPrintsBack) {
  for (const std::string& name : ready_models()) {
    for (const bool features : {false, true}) {
      const Result<std::string> text = ready_model(name, features);
      if (!text) continue;
      const Result<Model> model = parse_model(*text, {{"h", 48}});
      ASSERT_TRUE(model.ok()) << name << ": " << model.error().message;
      const std::string printed = to_text(*model);
      const Result<Model> again = parse_model(printed);
      ASSERT_TRUE(again.ok()) << printed << again.error().message;
      EXPECT_EQ(to_text(*again), printed);
      EXPECT_EQ(model->sizes.at("h"), 48);
    }
  }
  EXPECT_FALSE(ready_model("treelstm2", false).ok());
  EXPECT_FALSE(ready_model("treefc", true).ok());
}

std::string with_cell(const std::string& cell, const std::string& head = "structure tree\nchildren 2\n") {
  return "model m\n" + head +
         "size h = 8\nsize v = 3\ntable X[v][h]\nparameter W[h][h]\nparameter V[h][2h]\n" +
         "state h[h]\nstate M[h][h]\nnode\n  M = W\n" + cell + "output h\n";
}

void refused(const std::string& text, const std::string& why) {
  const Result<Model> model = parse_model(text);
  ASSERT_FALSE(model.ok()) << text;
  EXPECT_NE(model.error().message.find(why), std::string::npos) << model.error().message;
  EXPECT_EQ(model.error().message.find('\n'), std::string::npos);
}

TEST(Properties, EachViolationIsNamed) {
  refused(with_cell("  z = W @ sum(child.h)\n  h = child[z].h\n"), "P1");
  refused(with_cell("  z = tanh(X[word])\n  h = child[0](z).h\n"), "P2");
  refused(with_cell("  h = child[1](child[0].h).h\n"), "P3");
}

TEST(Checks, MistakesAreNamed) {
  refused(with_cell("  h = W @ concat(child.h)\n"), "inner sizes differ");
  refused(with_cell("  h = W * sum(child.h)\n"), "written @");
  refused(with_cell("  h = child.h\n"), "per child");
  refused(with_cell("  h = child[2].h\n"), "child[2]");
  refused(with_cell("  h = X[0]\n"), "X[word]");
  refused(with_cell("  h = sum(X[word])\n"), "same for all");
  refused(with_cell("  q = sum(child.h)\n"), "state h is never computed");
  refused(with_cell("  h = sum(child.q)\n"), "no such state");
  refused(with_cell("  h = X[word][0:2h]\n"), "out of range");
  refused(with_cell("  h = X[word] +\n"), "line 13, column");
  refused(with_cell("  h = V @ concat(child.h)\n", "structure tree\nchildren any\n"), "fixed largest number");
  refused(with_cell("  h = sum(child.h)\n", "structure sequence\nchildren 2\n"), "sequence");
  refused("model m\nstructure list\n", "sequence, tree or dag");
  refused("structure tree\n", "model NAME");
  EXPECT_FALSE(parse_model(with_cell("  h = sum(child.h)\n"), {{"q", 3}}).ok());
  EXPECT_FALSE(parse_model(with_cell("  h = sum(child.h)\n"), {{"h", -1}}).ok());
}

}  // namespace
}  // namespace cortex::recursive
