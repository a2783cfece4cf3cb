// What tests of the executor share: random parameters, models, batches, and the states of every node.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"
#include "runtime/recursive/compile.h"
#include "runtime/recursive/testing/reference.h"
#include "runtime/recursive/testing/structures.h"

namespace cortex::recursive::testing {

inline Parameters random_parameters(const Model& model, std::mt19937& random) {
  Parameters parameters;
  for (const Parameter& p : model.parameters) {
    const std::vector<int64_t> shape = model.shape(p.dims);
    const float size =
        p.table || shape.size() == 1 ? 1.0f : 1.0f / std::sqrt(static_cast<float>(shape.back()));
    std::uniform_real_distribution<float> uniform(-size, size);
    std::vector<float>& values = parameters.emplace_back(static_cast<std::size_t>(elements(shape)));
    for (float& x : values) x = uniform(random);
  }
  return parameters;
}

inline std::unique_ptr<CompiledModel> compiled(const Model& model, const Parameters& parameters,
                                               CompileOptions options = {}) {
  std::string text;
  Result<CompiledModel> made = compile(model, options, &text);
  EXPECT_TRUE(made.ok()) << made.error().message;
  if (!made) return nullptr;
  made->flops_per_barrier = 0;
  for (Direction& d : made->directions) {
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      EXPECT_TRUE(d.parameters.set(p, parameters[p].data(), static_cast<int64_t>(parameters[p].size())).ok());
    }
  }
  return std::make_unique<CompiledModel>(std::move(made).value());
}

inline CompileOptions for_this_machine() {
  CompileOptions options;
  options.isa = detected_isa();
  return options;
}

inline std::vector<float> all_states(const CompiledModel& model, const cortex_recursive_batch& batch,
                                     int threads) {
  auto executor = Executor::create(model, threads);
  EXPECT_TRUE(executor.ok());
  std::vector<float> out;
  for (const int state : model.model.outputs) {
    const State& s = model.model.states[static_cast<std::size_t>(state)];
    std::vector<float> rows(static_cast<std::size_t>(batch.nodes * elements(model.model.shape(s.dims))) *
                            model.directions.size());
    cortex_recursive_result result{};
    result.name = s.name.c_str();
    result.where = CORTEX_RECURSIVE_NODES;
    result.data = rows.data();
    const Status status = (*executor)->run(batch, &result, 1);
    EXPECT_TRUE(status.ok()) << status.error().message;
    out.insert(out.end(), rows.begin(), rows.end());
  }
  return out;
}

inline void expect_near(const std::vector<float>& got,
                        const std::vector<std::vector<std::vector<double>>>& expected, const Model& model,
                        const std::string& what) {
  std::size_t at = 0;
  double worst = 0;
  for (const int state : model.outputs) {
    for (const auto& node : expected) {
      for (const double x : node[static_cast<std::size_t>(state)]) {
        ASSERT_LT(at, got.size());
        const double error = std::abs(got[at++] - x) / (1 + std::abs(x));
        worst = std::max(worst, std::isfinite(error) ? error : 1e9);
      }
    }
  }
  EXPECT_LT(worst, 2e-5) << what;
}

inline Model parsed(const std::string& text, int64_t h) {
  Result<Model> model = parse_model(text, {{"h", h}});
  EXPECT_TRUE(model.ok()) << model.error().message;
  if (model->sizes.count("v")) model->sizes["v"] = 7;
  if (model->sizes.count("e")) model->sizes["e"] = 19;
  return *parse_model(to_text(*model));
}

inline Batch random_batch(const Model& model, std::mt19937& random) {
  Batch batch;
  const int structures = std::uniform_int_distribution<int>(1, 5)(random);
  for (int s = 0; s < structures; ++s) {
    const int nodes = std::uniform_int_distribution<int>(1, 40)(random);
    batch.add(random_structure(model.structure, nodes, static_cast<int>(model.children()), random));
  }
  batch.fill(random, 7, 19);
  return batch;
}

// TreeLSTMs of 24 units, and trees to run them on; the first three trees are words alone.
struct Forest {
  explicit Forest(unsigned seed, int trees = 9) : random(seed) {
    for (int s = 0; s < trees; ++s) batch.add(random_structure(Structure::tree, s < 3 ? 1 : 30, -1, random));
    batch.fill(random, 7, 1);
  }
  std::mt19937 random;
  const Model model = parsed(*ready_model("treelstm", false), 24);
  Batch batch;
};

// A ready model of 24 units, compiled, and seven structures to run it on; the first three are words alone.
struct ReadyCase {
  ReadyCase(const std::string& name, bool features, std::mt19937& random)
      : model(parsed(*ready_model(name, features), 24)) {
    for (int s = 0; s < 7; ++s)
      batch.add(
          random_structure(model.structure, s < 3 ? 1 : 30, static_cast<int>(model.children()), random));
    batch.fill(random, 7, 19);
    CompileOptions options = for_this_machine();
    options.bidirectional = model.structure == Structure::sequence;
    made = compiled(model, random_parameters(model, random), options);
  }
  const Model model;
  Batch batch;
  std::unique_ptr<CompiledModel> made;
};

}  // namespace cortex::recursive::testing
