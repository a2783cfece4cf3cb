// Generated cells compute the bits of interpreted ones: every ready model, a cell with everything else,
// hidden sizes that fill vectors and that do not, one and two threads.
#include <gtest/gtest.h>
#include <cortex/recursive.hpp>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "feature_cells.h"
#include "runtime/recursive/testing/structures.h"
#include "word_cells.h"

namespace cortex::recursive {
namespace {

using testing::Batch;

struct Case {
  std::string name, text;
  int64_t hidden = 0, input = 0;
};

cortex::Context context_of(const char* isa, bool generated) {
  cortex_context_options options = cortex_context_options_init();
  options.max_isa = isa;
  cortex::Context context(options);
  if (generated) {
    add_cells(context, *word_cells());
    add_cells(context, *feature_cells());
  }
  return context;
}

cortex::RecursiveModel model_of(const cortex::Context& context, const Case& c) {
  cortex_recursive_options options = cortex_recursive_options_init();
  if (c.text.empty()) {
    options.name = c.name.c_str();
    if (c.name == "treelstm-nary" || c.name == "mvrnn" || c.name == "treefc") options.max_children = 3;
    if (c.name == "mvrnn" || c.name == "treefc") options.max_children = 0;
  } else {
    options.text = c.text.c_str();
  }
  options.hidden = c.hidden;
  options.vocabulary = c.input ? 0 : 9;
  options.input = c.input;
  cortex::RecursiveModel model(context, options);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-0.5f, 0.5f);
  for (const cortex_recursive_tensor& p : model.parameters()) {
    std::vector<float> values(static_cast<std::size_t>(p.count));
    for (float& x : values) x = uniform(random);
    model.set(p.name, values);
  }
  return model;
}

std::vector<float> states(const cortex::RecursiveModel& model, const cortex_recursive_batch& batch,
                          int threads) {
  std::vector<float> all;
  for (const cortex_recursive_tensor& output : model.outputs()) {
    std::vector<float> rows(static_cast<std::size_t>(batch.nodes * output.count));
    cortex_recursive_result result{};
    result.name = output.name;
    result.where = CORTEX_RECURSIVE_NODES;
    result.data = rows.data();
    cortex::RecursiveExecutor(model, threads).run(batch, {result});
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

void check(const Case& c, const char* isa) {
  SCOPED_TRACE(c.name + " h" + std::to_string(c.hidden) + " " + isa);
  const cortex::RecursiveModel plain = model_of(context_of(isa, false), c);
  const cortex::RecursiveModel generated = model_of(context_of(isa, true), c);
  EXPECT_EQ(plain.program().find("generated:"), std::string::npos);
  const std::string program = generated.program();
  const std::size_t at = program.find("generated: ");
  ASSERT_NE(at, std::string::npos);
  int found = 0, all = 0;
  ASSERT_EQ(std::sscanf(program.c_str() + at, "generated: %d of %d", &found, &all), 2);
  EXPECT_EQ(found, all) << program;
  EXPECT_GT(all, 0);

  const std::string text = plain.text();
  const Structure kind = text.find("structure seq") != std::string::npos   ? Structure::sequence
                         : text.find("structure dag") != std::string::npos ? Structure::dag
                                                                           : Structure::tree;
  const int most = text.find("children 2") != std::string::npos   ? 2
                   : text.find("children n") != std::string::npos ? 3
                                                                  : -1;
  std::mt19937 random(11);
  Batch batch;
  for (int s = 0; s < 5; ++s) batch.add(testing::random_structure(kind, s < 2 ? 1 : 25, most, random));
  batch.fill(random, 9, static_cast<int>(std::max<int64_t>(c.input, 1)));
  const std::vector<float> expected = states(plain, batch.view(), 1);
  for (const int threads : {1, 2}) {
    const std::vector<float> got = states(generated, batch.view(), threads);
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
        << threads << " threads";
  }
}

std::vector<const char*> isas() {
  std::vector<const char*> all;
  for (const char* isa : {"avx512", "avx2"}) {
    const cortex::Context context = context_of(isa, false);
    if (context.isa() == isa) all.push_back(isa);
  }
  return all;
}

TEST(GeneratedCells, ReadyModels) {
  for (const char* isa : isas()) {
    for (const int64_t hidden : {5, 33, 64}) {
      for (const char* name : {"treefc", "treernn", "treegru", "treelstm", "treelstm-nary", "mvrnn", "dagrnn",
                               "seqrnn", "seqgru", "seqlstm"}) {
        check({name, "", hidden, 0}, isa);
      }
      for (const char* name : {"treernn", "treegru", "treelstm", "seqlstm"})
        check({name, "", hidden, 7}, isa);
    }
  }
}

TEST(GeneratedCells, AModelFile) {
  std::ifstream in(CORTEX_ODD_MODEL);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  for (const char* isa : isas()) {
    for (const int64_t hidden : {5, 33, 64}) check({"odd", text, hidden, 0}, isa);
  }
}

TEST(GeneratedCells, LibrariesOfAnotherAbiAreRefused) {
  cortex_cell_library other = *word_cells();
  other.abi = CORTEX_CELL_LIBRARY_ABI + 1;
  const cortex::Context context;
  cortex_message message;
  EXPECT_EQ(cortex_context_add_cells(context.get(), &other, &message), CORTEX_ABI_MISMATCH);
  EXPECT_NE(std::string(message.text).find("generate them again"), std::string::npos) << message.text;
  other = *word_cells();
  cortex_cell_entry broken = other.entries[0];
  broken.run = nullptr;
  other.entries = &broken;
  other.count = 1;
  EXPECT_EQ(cortex_context_add_cells(context.get(), &other, &message), CORTEX_ABI_MISMATCH);
  for (const auto& [entries, count] : {std::pair{word_cells()->entries, -1}, {nullptr, 3}, {nullptr, -7}}) {
    other.entries = entries;
    other.count = count;
    EXPECT_EQ(cortex_context_add_cells(context.get(), &other, &message), CORTEX_ABI_MISMATCH);
    EXPECT_NE(std::string(message.text).find("generate them again"), std::string::npos) << message.text;
  }
  EXPECT_EQ(cortex_context_add_cells(context.get(), nullptr, &message), CORTEX_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace cortex::recursive
