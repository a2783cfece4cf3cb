// One vector per tree: a child-sum TreeLSTM over a file of bracketed trees.
//
//   treelstm TREES [-o FILE] [--hidden 64] [--threads 1] [--batch 64] [--weights FILE]
//
// Trees are one a line, as word ids, ((3 17) (5 9)), or as treebanks have them, a label before the children
// or the word of every node: (3 (2 The) (4 (3 film) (2 works))). Words get ids in the order in which they
// first appear.
// --weights: float32 values of X[v][4h], U[3h][h], U_f[h][h], b[4h], in this order; without it they are
// random.
#include <cortex/recursive.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tree_reader.h"

namespace {

struct Options {
  std::string trees, output, weights;
  int hidden = 64, threads = 1, batch = 64;
};

void check(cortex_status status, const cortex_message& message) {
  if (status != CORTEX_OK)
    throw std::runtime_error(message.text[0] ? message.text : cortex_status_string(status));
}

template <auto Destroy>
struct Owner {
  template <typename T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};
using Context = std::unique_ptr<cortex_context, Owner<cortex_context_destroy>>;
using Model = std::unique_ptr<cortex_recursive_model, Owner<cortex_recursive_destroy>>;
using Executor = std::unique_ptr<cortex_recursive_executor, Owner<cortex_recursive_executor_destroy>>;

int number(const char* option, const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end || value < 1 || value > 1 << 20) {
    throw std::runtime_error(std::string(option) + ": '" + text + "' is not a number above 0");
  }
  return static_cast<int>(value);
}

Options read_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 >= argc) throw std::runtime_error(word + " needs a value");
      return argv[++i];
    };
    if (word == "-o")
      o.output = value();
    else if (word == "--weights")
      o.weights = value();
    else if (word == "--hidden")
      o.hidden = number("--hidden", value());
    else if (word == "--threads")
      o.threads = number("--threads", value());
    else if (word == "--batch")
      o.batch = number("--batch", value());
    else if (o.trees.empty() && word[0] != '-')
      o.trees = word;
    else
      throw std::runtime_error("'" + word +
                               "' is not understood: treelstm TREES [-o FILE] [--hidden 64] [--threads 1] "
                               "[--batch 64] [--weights FILE]");
  }
  if (o.trees.empty()) throw std::runtime_error("no file of trees given");
  return o;
}

double memory_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

// Parameter by parameter, in the model's order: from the file, or random at a scale that keeps states
// moderate.
void set_parameters(cortex_recursive_model* model, const Options& o) {
  std::ifstream file;
  if (!o.weights.empty()) {
    file.open(o.weights, std::ios::binary);
    if (!file) throw std::runtime_error(o.weights + ": cannot be read");
  }
  std::mt19937 random(1);
  cortex_message message;
  for (int i = 0; i < cortex_recursive_parameter_count(model); ++i) {
    cortex_recursive_tensor t = cortex_recursive_tensor_init();
    check(cortex_recursive_parameter(model, i, &t, &message), message);
    // Twice: here and in the model.
    if (static_cast<double>(t.count) * 2 * sizeof(float) > memory_bytes()) {
      throw std::runtime_error(
          "no memory for " + std::string(t.name) + ", which has " + std::to_string(t.count) +
          " values: choose a smaller --hidden, or word ids that begin at 0 without gaps");
    }
    std::vector<float> values(static_cast<std::size_t>(t.count));
    if (file.is_open()) {
      const auto bytes = static_cast<std::streamsize>(values.size() * sizeof(float));
      if (!file.read(reinterpret_cast<char*>(values.data()), bytes)) {
        throw std::runtime_error(o.weights + ": ends inside " + t.name + ", which has " +
                                 std::to_string(t.count) + " values");
      }
    } else {
      const float scale = t.name[0] == 'X' ? 1.0f : 1.0f / static_cast<float>(o.hidden);
      for (float& v : values) v = scale * (static_cast<float>(random() % 2001) / 1000.0f - 1.0f);
    }
    check(cortex_recursive_set_parameter(model, t.name, values.data(), t.count, &message), message);
  }
  if (file.is_open() && file.peek() != std::ifstream::traits_type::eof()) {
    throw std::runtime_error(o.weights + ": longer than the model's parameters");
  }
}

void run(const Options& o, std::ostream& out) {
  Vocabulary vocabulary;
  const std::vector<Tree> trees = read_trees(o.trees, vocabulary);

  cortex_message message;
  cortex_context_options context_options = cortex_context_options_init();
  cortex_context* raw_context = nullptr;
  check(cortex_context_create(&context_options, &raw_context, &message), message);
  const Context context(raw_context);

  cortex_recursive_options options = cortex_recursive_options_init();
  options.name = "treelstm";
  options.hidden = o.hidden;
  options.vocabulary = vocabulary.size();
  cortex_recursive_model* raw_model = nullptr;
  check(cortex_recursive_create(context.get(), &options, &raw_model, &message), message);
  const Model model(raw_model);
  set_parameters(model.get(), o);

  cortex_recursive_executor* raw_executor = nullptr;
  check(cortex_recursive_executor_create(model.get(), o.threads, &raw_executor, &message), message);
  const Executor executor(raw_executor);

  std::vector<float> vectors(static_cast<std::size_t>(o.batch * o.hidden));
  for (std::size_t first = 0; first < trees.size(); first += static_cast<std::size_t>(o.batch)) {
    const std::size_t count = std::min(trees.size() - first, static_cast<std::size_t>(o.batch));
    // The batch's trees, one behind the other.
    std::vector<std::int32_t> structure_offsets = {0}, child_offsets = {0}, children, words;
    for (std::size_t i = first; i < first + count; ++i) {
      const auto shift = static_cast<std::int32_t>(words.size());
      words.insert(words.end(), trees[i].words.begin(), trees[i].words.end());
      for (const std::vector<std::int32_t>& node : trees[i].children) {
        for (const std::int32_t child : node) children.push_back(child + shift);
        child_offsets.push_back(static_cast<std::int32_t>(children.size()));
      }
      structure_offsets.push_back(static_cast<std::int32_t>(words.size()));
    }
    cortex_recursive_batch batch = cortex_recursive_batch_init();
    batch.structures = static_cast<std::int64_t>(count);
    batch.nodes = static_cast<std::int64_t>(words.size());
    batch.structure_offsets = structure_offsets.data();
    batch.child_offsets = child_offsets.data();
    batch.child_ids = children.data();
    batch.words = words.data();

    cortex_recursive_result result{};
    result.name = "h";
    result.where = CORTEX_RECURSIVE_ROOTS;
    result.data = vectors.data();
    check(cortex_recursive_run(executor.get(), &batch, &result, 1, &message), message);
    for (std::size_t i = 0; i < count; ++i) {
      for (int j = 0; j < o.hidden; ++j) {
        char text[32];
        std::snprintf(text, sizeof text, "%s%.6g", j ? " " : "",
                      static_cast<double>(
                          vectors[i * static_cast<std::size_t>(o.hidden) + static_cast<std::size_t>(j)]));
        out << text;
      }
      out << '\n';
    }
  }
  std::cerr << trees.size() << " trees, " << vocabulary.size() << " words\n";
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = read_options(argc, argv);
  if (options.output.empty()) {
    run(options, std::cout);
    return 0;
  }
  std::ofstream file(options.output);
  run(options, file);
  file.close();
  if (!file) throw std::runtime_error(options.output + ": cannot be written");
  return 0;
} catch (const std::exception& error) {
  std::cerr << "treelstm: " << error.what() << '\n';
  return 2;
}
