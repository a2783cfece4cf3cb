#include <gtest/gtest.h>

#include <random>

#include "graph/recursive/check.h"
#include "graph/recursive/passes/passes.h"
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

TEST(Checks, CasesNamesAndConstants) {
  const std::string node = "  h = sum(child.h)\n";
  refused(with_cell("  h = sum(child.h)\nleaf\n  a = X[word]\n  h = tanh(a)\n  M = W\nleaf\n  b = tanh(a)\n"),
          "line 18, column 5: the leaf case is written twice");
  refused(with_cell(node + "node\n  z = tanh(h)\n"), "the node case is written twice");
  refused(with_cell("  h = sum(child.h) + fill(1)[q]\n"), "fill(...)[q]: the size has no value");
  refused(with_cell("  h = fill(1)[-8]\n"), "is not positive");
  // Shapes that would fit again: -4 + 12.
  refused(with_cell("  h = concat(fill(1)[-4], X[word], X[word][0:4])\n"), "fill(...)[-4]");
  refused(with_cell("  h = fill(1)[0]\n"), "is not positive");
  refused(with_cell(node + "output h\n"), "h is an output twice");
  refused("model a-\n", "words, joined by '-'");
  refused(with_cell("  fill = tanh(X[word])\n  h = fill\n"), "fill cannot be assigned to");
  const std::string input = "structure tree\nchildren 2\nsize e = 8\ninput w[e]\n";
  refused(with_cell("  w = w * 2\n  h = sum(child.h) + w\n", input), "w cannot be assigned to");
  refused(with_cell(node, "structure tree\nchildren 2\nsize e = 2\nstate X[e]\n"), "the name is taken");
}

TEST(Text, PrintsBackWhatBracketsAndNamesCouldConfuse) {
  for (const char* cell :
       {"  h = sum(child.h) + (fill(0.5)[2h])[0:h]\n", "  h = (fill(2)[h] + X[word])[0:h] - -0.5\n",
        "  v3 = tanh(X[word])\n  h = sum(child.h) + (v3 + v3) * 2\n",
        "  h = X[word] - -0.5 - (sum(child.h) - (X[word] - 1)) / (2 / sum(child.h))\n"}) {
    const Result<Model> model = parse_model(with_cell(cell));
    ASSERT_TRUE(model.ok()) << cell << model.error().message;
    const std::string printed = to_text(*model);
    const Result<Model> again = parse_model(printed);
    ASSERT_TRUE(again.ok()) << printed << again.error().message;
    EXPECT_EQ(to_text(*again), printed);
  }
}

// Ready models with lines and characters lost, doubled and swapped: refused in one line, or printed back.
TEST(Text, SpoiledModelsAreRefusedOrPrintBack) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string some = std::string("[](){}.,+-*/@=#0123456789hxvn_\n \t\xff") + '\0';
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::vector<std::string> names = ready_models();
    std::string text = *ready_model(names[random() % names.size()], false);
    for (unsigned change = 0, changes = 1 + static_cast<unsigned>(random() % 3); change < changes; ++change) {
      const std::size_t at = random() % text.size();
      const std::size_t line = text.rfind('\n', at), end = std::min(text.find('\n', at), text.size());
      const std::string whole = text.substr(line + 1, end - line);
      switch (random() % 5) {
        case 0:
          text.erase(at, 1 + random() % 3);
          break;
        case 1:
          text.insert(at, 1, some[random() % some.size()]);
          break;
        case 2:
          text[at] = some[random() % some.size()];
          break;
        case 3:
          text.insert(line + 1, whole);
          break;
        default:
          text.erase(line + 1, whole.size());
      }
      if (text.empty()) text = "\n";
    }
    const Result<Model> model = parse_model(text, {});
    if (!model) {
      EXPECT_EQ(model.error().message.find('\n'), std::string::npos) << text;
      continue;
    }
    ++accepted;
    const std::string printed = to_text(*model);
    const Result<Model> again = parse_model(printed);
    ASSERT_TRUE(again.ok()) << text << "\n" << printed << again.error().message;
    EXPECT_EQ(to_text(*again), printed) << text;
    const Result<Model> transformed = transform(*model, {});
    EXPECT_TRUE(transformed.ok()) << text << transformed.error().message;
  }
  EXPECT_GT(accepted, 100);
}

std::string repeated(int64_t times, const std::string& what) {
  std::string text;
  for (int64_t i = 0; i < times; ++i) text += what;
  return text;
}

// a0 ... a<n-1>, each of the one before, and h of the last.
std::string chain(int n, const std::string& step) {
  std::string text = "  a0 = sum(child.h)\n";
  for (int i = 1; i < n; ++i) {
    std::string line = "  a" + std::to_string(i) + " = " + step + "\n";
    for (std::size_t at; (at = line.find("LAST")) != std::string::npos;)
      line.replace(at, 4, "a" + std::to_string(i - 1));
    text += line;
  }
  return text;
}

TEST(Limits, NestingIsRefused) {
  refused(with_cell("  h = " + repeated(100000, "fill(") + "1\n"), "expected fill(NUMBER)[size]");
  refused(with_cell("  h = " + repeated(100000, "(") + "1\n"), "nested too deeply");
  refused(with_cell("  h = " + repeated(100000, "tanh(") + "1\n"), "nested too deeply");
  refused(with_cell("  h = " + repeated(100000, "child[") + "1\n"), "nested too deeply");
  EXPECT_TRUE(parse_model(with_cell("  h = sum(child.h) * fill(-0.5)[h]\n")).ok());
}

TEST(Limits, ValuesOfACaseAreCounted) {
  refused(with_cell(chain(10000, "tanh(LAST)") + "  h = tanh(a9999)\n"), "line 4107, column");
  refused(with_cell(chain(10000, "tanh(LAST)") + "  h = tanh(a9999)\n"), "at most 4096 values");
  refused(with_cell("  b = sum(child.h)\n  h = b" + repeated(200000, " + b") + "\n"), "at most 4096 values");
  refused(with_cell("  b = sum(child.h)\n  c = concat(b" + repeated(200000, ", b") + ")\n"),
          "concat takes at most 4096 operands");
  EXPECT_TRUE(parse_model(with_cell(chain(4000, "tanh(LAST)") + "  h = tanh(a3999)\n")).ok());
}

TEST(Limits, ElementsOfACaseAreCounted) {
  // a24 has 8 * 2^24 elements, all before it together as many.
  refused(with_cell(chain(4000, "concat(LAST, LAST)") + "  h = a3999[0:h]\n"),
          "line 38, value a25: with concat of shape [268435456]");
  EXPECT_TRUE(parse_model(with_cell(chain(25, "concat(LAST, LAST)") + "  h = a24[0:h]\n")).ok());
  refused(with_cell("  b = fill(1)[1000000000000][1000000000000]\n  h = sum(child.h)\n"), "1 GiB");
  refused(with_cell("  b = concat(child.h)\n  c = fill(1)[16384][1] @ fill(1)[1][32768]\n  h = b[0:h]\n"),
          "value c: with @ of shape [16384][32768]");
}

TEST(Limits, PropertiesOfLongChainsAreFoundAtOnce) {
  refused(with_cell(chain(50, "LAST + LAST") + "  h = child(a49).h\n"), "P3");
  refused(with_cell("  b = tanh(X[word])\n" + chain(50, "b + b") + "  h = child(a49).h\n"), "P2");
}

TEST(Limits, NumbersAreFiniteFloats) {
  for (const char* number : {"-nan", "-inf", "-infinity", "1e300", "-1e39", "1e400", "-nan(1)"}) {
    refused(with_cell("  b = sum(child.h)\n  h = b * " + std::string(number) + "\n"), "finite");
    refused(with_cell("  h = fill(" + std::string(number) + ")[h]\n"), "finite");
  }
  refused(with_cell("  h = sum(child.h) * nan\n"), "nan is not known");
  EXPECT_TRUE(parse_model(with_cell("  h = sum(child.h) * -3.4e38 + 1e-60\n")).ok());
}

}  // namespace
}  // namespace cortex::recursive
