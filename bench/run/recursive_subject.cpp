#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "bench/measure/memory.h"
#include "bench/recursive/reference.h"
#include "bench/recursive/rnn.h"
#include "bench/run/subject.h"
#include "graph/structure/bracketed.h"

namespace cortex::bench {
namespace {

// Bytes per second at which a core reads weights again and again: the level of cache they fit in. Measured
// once per size.
double streaming_bandwidth(Isa isa, double bytes) {
  static std::map<std::size_t, double> known;
  const auto size = static_cast<std::size_t>(std::max(bytes, 16384.0));
  double& bandwidth = known[size];
  if (bandwidth == 0) bandwidth = read_bandwidth(isa, size, 1, 0.03);
  return bandwidth;
}

class RecursiveSubject : public Subject {
 public:
  RecursiveSubject(const RecursiveProblem& problem, const RunOptions& options, RecursiveOperands operands)
      : problem_(problem), operands_(std::move(operands)) {
    if (options.verify) {
      RecursiveReferenceOptions reference;
      reference.seed = options.seed;
      reference_.emplace(problem_, operands_, reference);
    }
  }

  Result<std::unique_ptr<Instance>> create(Backend& backend, Isa isa, int threads, KernelChoice) override {
    return backend.create_recursive({&problem_, &operands_, isa, threads, ""});
  }

  Verdict verify(Instance& instance) override {
    AlignedBuffer result(static_cast<std::size_t>(reference_->result_count()) * sizeof(float));
    if (!result) return {1e30, 0, "out of memory for the states"};
    if (Status s = instance.read_result(result.as<float>()); !s) return {1e30, 0, s.error().message};
    return reference_->check(result.as<float>());
  }

  double batches_per_execution() const override { return static_cast<double>(operands_.batches.size()); }

  // Per batch. A level of inner nodes reads the weights once at least: each thread its share, from where that
  // share fits.
  void describe(Row& row, Isa isa, double gflops) override {
    const double batches = batches_per_execution();
    double multiply_adds = 0, levels = 0, nodes = 0;
    for (const Structures& batch : operands_.batches) {
      multiply_adds += recursive_multiply_adds(problem_, batch);
      levels += static_cast<double>(inner_levels(batch));
      nodes += batch.node_count();
    }
    row.flops = 2 * multiply_adds / batches;
    const double share = recursive_weight_bytes(problem_, operands_.max_children) / row.threads;
    row.flop_bound_ns = row.flops / (gflops * row.threads);
    row.stream_bound_ns = levels / batches * share / streaming_bandwidth(isa, share) * 1e9;
    row.shape = fmt::format("{:.0f} nodes, bound {:.0f} us ({})", nodes / batches,
                            std::max(row.flop_bound_ns, row.stream_bound_ns) * 1e-3,
                            row.flop_bound_ns >= row.stream_bound_ns ? "flop" : "weights");
  }

 private:
  const RecursiveProblem& problem_;
  RecursiveOperands operands_;
  std::optional<RecursiveReference> reference_;
};

class RnnSubject : public Subject {
 public:
  RnnSubject(const RnnProblem& problem, const RunOptions& options, RnnOperands operands)
      : problem_(problem), operands_(std::move(operands)) {
    if (options.verify) reference_.emplace(problem_, operands_);
  }

  Result<std::unique_ptr<Instance>> create(Backend& backend, Isa isa, int threads, KernelChoice) override {
    return backend.create_rnn({&problem_, &operands_, isa, threads});
  }

  Verdict verify(Instance& instance) override {
    AlignedBuffer result(static_cast<std::size_t>(reference_->result_count()) * sizeof(float));
    if (!result) return {1e30, 0, "out of memory for the states"};
    instance.prepare_output();
    instance.execute();
    if (Status s = instance.read_result(result.as<float>()); !s) return {1e30, 0, s.error().message};
    return reference_->check(result.as<float>());
  }

  // The input's product streams its weights once per layer, the state's once per step.
  void describe(Row& row, Isa isa, double gflops) override {
    row.flops = 2 * rnn_multiply_adds(problem_);
    const double directions = problem_.both_directions() ? 2 : 1;
    const double matrix = 4.0 * rnn_gates(problem_.cell) * double(problem_.hidden) * double(problem_.hidden);
    const double share = matrix / row.threads;
    row.flop_bound_ns = row.flops / (gflops * row.threads);
    row.stream_bound_ns =
        directions * double(problem_.layers * problem_.steps) * share / streaming_bandwidth(isa, share) * 1e9;
    row.shape = fmt::format("{} steps, bound {:.0f} us ({})", problem_.steps,
                            std::max(row.flop_bound_ns, row.stream_bound_ns) * 1e-3,
                            row.flop_bound_ns >= row.stream_bound_ns ? "flop" : "weights");
  }

 private:
  const RnnProblem& problem_;
  RnnOperands operands_;
  std::optional<RnnReference> reference_;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_recursive_subject(const RecursiveProblem& problem,
                                                        const RunOptions& options) {
  Structures trees;
  if (!options.trees.empty()) {
    Result<Structures> read = read_trees(options.trees);
    if (!read) return read.error();
    trees = std::move(*read);
  }
  RecursiveSize size;
  size.batches = options.batches;
  size.seed = options.seed;
  Result<RecursiveOperands> operands =
      make_recursive_operands(problem, options.trees.empty() ? nullptr : &trees, size);
  if (!operands) return operands.error();
  return std::unique_ptr<Subject>(std::make_unique<RecursiveSubject>(problem, options, std::move(*operands)));
}

Result<std::unique_ptr<Subject>> make_rnn_subject(const RnnProblem& problem, const RunOptions& options) {
  Result<RnnOperands> operands = make_rnn_operands(problem, options.seed);
  if (!operands) return operands.error();
  return std::unique_ptr<Subject>(std::make_unique<RnnSubject>(problem, options, std::move(*operands)));
}

}  // namespace cortex::bench
