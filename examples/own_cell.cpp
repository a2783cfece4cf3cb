// A recursive model of one's own, as .cxr text, with its cell generated in the build:
//   cortex_add_cell_library(gated_cells MODELS data/gated.cxr)
// Prints the vector of a tree's root; the generated cell computes the bits that the interpreted one computes.
#include <cortex/recursive.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "gated_cells.h"

std::vector<float> root(const cortex::Context& context, const std::string& text) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.text = text.c_str();
  cortex::RecursiveModel model(context, options);
  for (const cortex_recursive_tensor& p : model.parameters()) {
    std::vector<float> values(static_cast<std::size_t>(p.count));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i * 37 % 101) / 1000 - 0.05f;
    model.set(p.name, values);
  }
  // ((3 7) 1): nodes in any order, here children first.
  const std::vector<int32_t> structures = {0, 5}, first_child = {0, 0, 0, 2, 2, 4}, children = {0, 1, 2, 3};
  const std::vector<int32_t> words = {3, 7, -1, 1, -1};
  cortex_recursive_batch batch = cortex_recursive_batch_init();
  batch.structures = 1;
  batch.nodes = 5;
  batch.structure_offsets = structures.data();
  batch.child_offsets = first_child.data();
  batch.child_ids = children.data();
  batch.words = words.data();
  std::vector<float> out(64);
  cortex_recursive_result result{};
  result.name = "h";
  result.where = CORTEX_RECURSIVE_ROOTS;
  result.data = out.data();
  cortex::RecursiveExecutor(model).run(batch, {result});
  const std::string program = model.program();
  const std::size_t at = program.find("generated:");  // "generated: 3 of 3 element-wise steps"
  std::printf("%s\n", at == std::string::npos ? "interpreted"
                                              : program.substr(at, program.find('\n', at) - at).c_str());
  return out;
}

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: example_own_cell gated.cxr\n"), 2;
  std::ifstream in(argv[1]);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  try {
    cortex::Context context;
    const std::vector<float> interpreted = root(context, text);
    cortex::add_cells(context, *gated_cells());
    const std::vector<float> generated = root(context, text);
    for (int i = 0; i < 4; ++i) std::printf("%.6f ", generated[static_cast<std::size_t>(i)]);
    std::printf("... %s\n", generated == interpreted ? "equal bits" : "different bits");
    return generated == interpreted ? 0 : 1;
  } catch (const cortex::Error& e) {
    return std::fprintf(stderr, "%s\n", e.what()), 1;
  }
}
