#include <map>
#include <optional>

#include "bench/measure/interrupt.h"
#include "bench/measure/peak.h"
#include "bench/reference/prune.h"
#include "bench/reference/shapes.h"
#include "bench/run/sparse_kernels.h"
#include "bench/run/subject.h"
#include "bench/run/tuner.h"
#include "graph/lower/lower.h"
#include "polyopt/model/peak.h"

namespace cortex::bench {
namespace {

class DenseSubject : public Subject {
 public:
  DenseSubject(const Problem& problem, const std::string& weights, double density, const RunOptions& options,
               Operands operands)
      : problem_(problem),
        weights_(weights),
        density_(density),
        options_(options),
        plain_(options.plain && problem.is_matmul()),
        schedule_(options.schedule),
        operands_(std::move(operands)) {
    if (!options.verify) return;
    ReferenceOptions reference;
    reference.seed = options.seed;
    reference_.emplace(problem_, operands_, reference);
  }

  Result<std::unique_ptr<Instance>> create(Backend& backend, Isa isa, int threads,
                                           KernelChoice kernel) override {
    const bool narrow = problem_.src != DataType::f32;
    if (narrow && !backend.name().starts_with("cortex") && backend.name() != "onednn") {
      return unsupported("this backend is measured in f32 alone");
    }
    Request request;
    request.problem = &problem_;
    request.isa = isa;
    request.threads = threads;
    request.plain = plain_;
    request.kernel = kernel;
    request.schedule = schedule_;
    request.sparse = density_ < 1 && backend.name() == "cortex";
    if (backend.name().starts_with("cortex") && !request.sparse && schedule_.empty() &&
        kernel != KernelChoice::generated) {
      if (!tuner_) {
        tuner_ = std::make_unique<Tuner>(options_, isa);
        if (Status s = tuner_->start(); !s) return s.error();
      }
      Result<std::string> schedule = tuner_->schedule(request);
      if (!schedule) return schedule.error();
      request.schedule = std::move(*schedule);
    }
    if (request.sparse && options_.mode != SearchMode::estimate) {
      if (Status s = choose_kernel(backend, request); !s) return s.error();
    }
    return backend.create(request, operands_);
  }

  Verdict verify(Instance& instance) override {
    if (!result_) result_ = AlignedBuffer(static_cast<std::size_t>(c_elements(problem_)) * sizeof(float));
    instance.prepare_output();
    instance.execute();
    if (Status s = instance.read_result(result_.as<float>()); !s) return {1e30, 0, s.error().message};
    return reference_->check(result_.as<float>());
  }

  bool search_cut_short() const override { return cut_short_ || (tuner_ && tuner_->cut_short()); }

  void describe(Row& row, Isa isa, double gflops) override {
    row.flops = flop_count(problem_);
    row.dt = dt_name(problem_);
    const Machine machine = host_machine(isa);
    const Peak peak = peak_of(machine, is_depthwise(problem_) ? problem_.src : unit_of(problem_.src));
    row.peak_of = peak.instruction;
    row.peak_factor = peak.multiply_adds_per_cycle / peak_of(machine, DataType::f32).multiply_adds_per_cycle;
    if (peak.tiles) {
      static const double tiles = measure_tile_peak();
      row.peak_factor = static_cast<double>(unit_length(problem_.src)) * tiles / gflops;
    }
    row.shape = short_shape(problem_);
    row.weights = weights_;
    row.density = density_;
    row.handling = plain_ ? "plain" : "prepacked";
  }

 private:
  // Zeros: the fastest of the kernels that leave them out and the dense one, each measured for its part of
  // --tune-seconds.
  Status choose_kernel(Backend& backend, Request& request) {
    const SparseKernel*& known = fastest_[request.threads];
    if (!known && interrupted()) {
      cut_short_ = true;
      return Status::success();
    }
    if (!known) {
      Result<std::vector<SparseCandidate>> all = make_sparse_candidates(backend, request, operands_);
      if (!all) return all.error();
      measure_sparse_candidates(*all, options_.tune_seconds / static_cast<double>(all->size()),
                                options_.cold);
      known = fastest(*all).kernel;
    }
    request.sparse = known->sparse;
    request.sparse_share = known->share;
    return Status::success();
  }

  const Problem& problem_;
  std::string weights_;  // their format
  double density_;       // share of them that is not zero
  const RunOptions& options_;
  std::unique_ptr<Tuner> tuner_;
  std::map<int, const SparseKernel*> fastest_;  // by threads
  bool cut_short_ = false;
  bool plain_;
  std::string schedule_;
  Operands operands_;
  std::optional<Reference> reference_;
  AlignedBuffer result_;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_dense_subject(const Problem& problem, const std::string& weights,
                                                    const RunOptions& options) {
  Result<Operands> operands = make_operands(problem, options.seed);
  if (!operands) return operands.error();
  double density = 1;
  if (weights != "dense") {
    const Result<WeightFormat> format = parse_weight_format(weights);
    if (!format) return format.error();
    const Result<double> kept = prune_operands(problem, *format, options.sparsity, *operands);
    if (!kept) return kept.error();
    density = *kept;
  }
  return std::unique_ptr<Subject>(
      std::make_unique<DenseSubject>(problem, weights, density, options, std::move(*operands)));
}

Result<std::unique_ptr<Subject>> make_subject(const RunProblem& problem, const RunOptions& options) {
  if (const Problem* p = problem.dense()) return make_dense_subject(*p, problem.weights, options);
  if (const RecursiveProblem* p = problem.recursive()) return make_recursive_subject(*p, options);
  return make_rnn_subject(*problem.rnn(), options);
}

}  // namespace cortex::bench
