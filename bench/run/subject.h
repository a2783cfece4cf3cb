// What the worker measures: a problem of any operator, with its operands, its reference and its figures.
#pragma once

#include <memory>

#include "bench/backends/backend.h"
#include "bench/reference/reference.h"
#include "bench/report/row.h"
#include "bench/run/options.h"

namespace cortex::bench {

class Subject {
 public:
  virtual ~Subject() = default;
  // An instance ready to run with `threads`.
  virtual Result<std::unique_ptr<Instance>> create(Backend& backend, Isa isa, int threads,
                                                   KernelChoice kernel) = 0;
  // Runs the instance once and compares. Only where the subject was made with --verify.
  virtual Verdict verify(Instance& instance) = 0;
  // Whether Ctrl-C ended a search of create() early.
  virtual bool search_cut_short() const { return false; }
  // Times of a row are divided by it: an execution may run several batches.
  virtual double batches_per_execution() const { return 1; }
  // Shape, flops and what else depends on the problem. gflops: measured peak of one core.
  virtual void describe(Row& row, Isa isa, double gflops) = 0;
};

// Makes the operands and, with options.verify, the reference. Keeps a reference to the problem.
Result<std::unique_ptr<Subject>> make_subject(const RunProblem& problem, const RunOptions& options);

// Per operator; make_subject chooses.
Result<std::unique_ptr<Subject>> make_dense_subject(const Problem& problem, const std::string& weights,
                                                    const RunOptions& options);
Result<std::unique_ptr<Subject>> make_recursive_subject(const RecursiveProblem& problem,
                                                        const RunOptions& options);
Result<std::unique_ptr<Subject>> make_rnn_subject(const RnnProblem& problem, const RunOptions& options);

}  // namespace cortex::bench
