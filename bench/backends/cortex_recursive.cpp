// Cortex's recursive models, through the public C API alone.
#include "bench/backends/cortex_recursive.h"

#include <cortex/recursive.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "bench/backends/buffer.h"
#include "bench/backends/cortex_handles.h"
#include "bench/measure/clock.h"
#include "bench/recursive/operands.h"
#include "bench/recursive/rnn.h"

namespace cortex::bench {
namespace {

using ModelHandle = std::unique_ptr<cortex_recursive_model, Deleter<cortex_recursive_destroy>>;
using ExecutorHandle = std::unique_ptr<cortex_recursive_executor, Deleter<cortex_recursive_executor_destroy>>;

std::span<const std::byte> bytes(const AlignedBuffer& buffer) {
  return {static_cast<const std::byte*>(buffer.data()), buffer.size()};
}

struct Made {
  ModelHandle model;
  double create_ns = 0, pack_ns = 0;
};

struct Given {
  std::string name;
  const float* values;
  int64_t count;
};

Result<Made> make_model(const cortex_context* context, const cortex_recursive_options& options,
                        const std::vector<Given>& parameters) {
  Made made;
  cortex_message message;
  cortex_recursive_model* model = nullptr;
  const double start = now_ns();
  if (cortex_status s = cortex_recursive_create(context, &options, &model, &message); s)
    return failure(s, message);
  made.create_ns = now_ns() - start;
  made.model.reset(model);
  const double pack = now_ns();
  for (const Given& p : parameters) {
    if (cortex_status s = cortex_recursive_set_parameter(model, p.name.c_str(), p.values, p.count, &message);
        s) {
      return failure(s, message);
    }
  }
  made.pack_ns = now_ns() - pack;
  return made;
}

Result<ExecutorHandle> make_executor(const cortex_recursive_model* model, int threads) {
  cortex_message message;
  cortex_recursive_executor* executor = nullptr;
  if (cortex_status s = cortex_recursive_executor_create(model, threads, &executor, &message); s) {
    return failure(s, message);
  }
  return ExecutorHandle(executor);
}

cortex_recursive_result result_of(const char* name, cortex_recursive_where where, float* data) {
  cortex_recursive_result r{};
  r.name = name;
  r.where = where;
  r.data = data;
  return r;
}

class RecursiveInstance : public Instance {
 public:
  RecursiveInstance(const RecursiveRequest& request, Made made, ExecutorHandle executor)
      : problem_(*request.problem),
        operands_(*request.operands),
        model_(std::move(made.model)),
        executor_(std::move(executor)) {
    int32_t most = 0;
    for (const Structures& s : operands_.batches) {
      cortex_recursive_batch b = cortex_recursive_batch_init();
      b.structures = s.structure_count();
      b.nodes = s.node_count();
      b.structure_offsets = s.first_node.data();
      b.child_offsets = s.first_child.data();
      b.child_ids = s.children.data();
      b.words = s.word.data();
      batches_.push_back(b);
      most = std::max(most, roots(s));
    }
    roots_.resize(static_cast<std::size_t>(most) * static_cast<std::size_t>(problem_.hidden));
    info_.create_ns = made.create_ns;
    info_.pack_ns = made.pack_ns;
    info_.isa = isa_name(request.isa);
    info_.kernel = "recursive";
    info_.schedule = cortex_recursive_program(model_.get());
    info_.layout = "structures";
  }

  // The first batch: what refuses, refuses now.
  Status start() {
    for (const cortex_recursive_batch& batch : batches_) {
      cortex_message message;
      const cortex_recursive_result r = result_of("h", CORTEX_RECURSIVE_ROOTS, roots_.data());
      if (cortex_status s = cortex_recursive_run(executor_.get(), &batch, &r, 1, &message); s) {
        return failure(s, message);
      }
    }
    return Status::success();
  }

  void execute() override {
    const cortex_recursive_result r = result_of("h", CORTEX_RECURSIVE_ROOTS, roots_.data());
    for (const cortex_recursive_batch& batch : batches_) {
      cortex_recursive_run(executor_.get(), &batch, &r, 1, nullptr);
    }
  }
  void prepare_output() override {}
  Status read_result(float* out) override {
    for (const cortex_recursive_batch& batch : batches_) {
      const int64_t h = batch.nodes * problem_.hidden, second = batch.nodes * second_state_size(problem_);
      std::fill(out, out + h + second, std::numeric_limits<float>::quiet_NaN());
      const cortex_recursive_result results[] = {
          result_of("h", CORTEX_RECURSIVE_NODES, out),
          result_of(second ? second_state_name(problem_) : nullptr, CORTEX_RECURSIVE_NODES, out + h)};
      cortex_message message;
      if (cortex_status s = cortex_recursive_run(executor_.get(), &batch, results, second ? 2 : 1, &message);
          s) {
        return failure(s, message);
      }
      out += h + second;
    }
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return bytes(operands_.parameters[1].values); }
  std::vector<std::span<const std::byte>> operands() const override {
    std::vector<std::span<const std::byte>> all;
    for (const RecursiveParameter& p : operands_.parameters) all.push_back(bytes(p.values));
    return all;
  }

 private:
  // Nodes that no other reads: a DAG may have several.
  static int32_t roots(const Structures& s) {
    std::vector<char> read(static_cast<std::size_t>(s.node_count()), 0);
    for (const int32_t child : s.children) read[static_cast<std::size_t>(child)] = 1;
    return static_cast<int32_t>(std::count(read.begin(), read.end(), 0));
  }

  const RecursiveProblem& problem_;
  const RecursiveOperands& operands_;
  ModelHandle model_;
  ExecutorHandle executor_;
  std::vector<cortex_recursive_batch> batches_;
  std::vector<float> roots_;
};

// Layers one after another, each a sequence model over features.
class RnnInstance : public Instance {
 public:
  RnnInstance(const RnnProblem& problem, const RnnOperands& operands)
      : problem_(problem), operands_(operands) {
    for (int64_t n = 0; n <= problem.batch; ++n) offsets_.push_back(static_cast<int32_t>(n * problem.steps));
    input_ =
        BenchBuffer(static_cast<std::size_t>(problem.batch * problem.steps * problem.slc) * sizeof(float), 0);
    if (input_.data())
      std::copy_n(operands.x(), problem.batch * problem.steps * problem.slc, input_.floats());
  }

  Status add_layer(Made made, int threads, int64_t width) {
    Result<ExecutorHandle> executor = make_executor(made.model.get(), threads);
    if (!executor) return executor.error();
    const auto rows = static_cast<std::size_t>(problem_.batch * problem_.steps);
    outputs_.emplace_back(rows * static_cast<std::size_t>(width) * sizeof(float), 2);
    if (!outputs_.back().data() || !input_.data()) return Error{ErrorCode::out_of_memory, "out of memory"};
    info_.create_ns += made.create_ns;
    info_.pack_ns += made.pack_ns;
    info_.schedule += cortex_recursive_program(made.model.get());
    models_.push_back(std::move(made.model));
    executors_.push_back(std::move(*executor));
    return Status::success();
  }
  Status start(Isa isa) {
    info_.isa = isa_name(isa);
    info_.kernel = "recursive";
    info_.layout = "ntc";
    cortex_message message;
    const cortex_status s = run(&message);
    return s ? Status(failure(s, message)) : Status::success();
  }

  void execute() override { run(nullptr); }
  void prepare_output() override {
    BenchBuffer& last = outputs_.back();
    std::fill(last.floats(), last.floats() + last.bytes() / sizeof(float),
              std::numeric_limits<float>::quiet_NaN());
  }
  Status read_result(float* out) override {
    std::copy_n(outputs_.back().floats(), outputs_.back().bytes() / sizeof(float), out);
    return Status::success();
  }
  std::span<const std::byte> weights() const override { return bytes(operands_.layers[0].u); }
  std::vector<std::span<const std::byte>> operands() const override {
    return {input_.range(), weights(), bytes(operands_.layers[0].w), outputs_.back().range()};
  }

 private:
  cortex_status run(cortex_message* message) {
    const float* features = input_.floats();
    for (std::size_t i = 0; i < executors_.size(); ++i) {
      cortex_recursive_batch b = cortex_recursive_batch_init();
      b.structures = problem_.batch;
      b.nodes = problem_.batch * problem_.steps;
      b.structure_offsets = offsets_.data();
      b.features = features;
      const cortex_recursive_result r = result_of("h", CORTEX_RECURSIVE_NODES, outputs_[i].floats());
      if (cortex_status s = cortex_recursive_run(executors_[i].get(), &b, &r, 1, message); s) return s;
      features = outputs_[i].floats();
    }
    return CORTEX_OK;
  }

  const RnnProblem& problem_;
  const RnnOperands& operands_;
  std::vector<int32_t> offsets_;
  BenchBuffer input_;
  std::vector<BenchBuffer> outputs_;
  std::vector<ModelHandle> models_;
  std::vector<ExecutorHandle> executors_;
};

}  // namespace

Result<std::unique_ptr<Instance>> create_cortex_recursive(const cortex_context* context,
                                                          const RecursiveRequest& request) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.name = recursive_model_name(request.problem->model);
  options.hidden = request.problem->hidden;
  options.vocabulary = request.operands->vocabulary;
  if (request.problem->model == RecursiveModel::treelstm_nary)
    options.max_children = request.operands->max_children;
  options.weights = request.problem->bf16 ? CORTEX_RECURSIVE_WEIGHTS_BF16 : CORTEX_RECURSIVE_WEIGHTS_F32;
  options.disable = request.disable.c_str();
  std::vector<Given> parameters;
  for (const RecursiveParameter& p : request.operands->parameters) {
    parameters.push_back({p.name, p.data(), p.count()});
  }
  Result<Made> made = make_model(context, options, parameters);
  if (!made) return made.error();
  Result<ExecutorHandle> executor = make_executor(made->model.get(), request.threads);
  if (!executor) return executor.error();
  auto instance = std::make_unique<RecursiveInstance>(request, std::move(*made), std::move(*executor));
  if (Status s = instance->start(); !s) return s.error();
  return std::unique_ptr<Instance>(std::move(instance));
}

Result<std::unique_ptr<Instance>> create_cortex_rnn(const cortex_context* context,
                                                    const RnnRequest& request) {
  const RnnProblem& p = *request.problem;
  if (p.cell == RnnCell::lbr_gru)
    return unsupported("no ready model of a GRU whose reset gate follows its product");
  if (p.direction == RnnDirection::right2left || p.direction == RnnDirection::sum) {
    return unsupported(
        fmt::format("direction {}: left2right and concat run", rnn_direction_name(p.direction)));
  }
  auto instance = std::make_unique<RnnInstance>(p, *request.operands);
  const bool both = p.direction == RnnDirection::concat;
  for (int64_t layer = 0; layer < p.layers; ++layer) {
    cortex_recursive_options options = cortex_recursive_options_init();
    options.name = p.cell == RnnCell::lstm ? "seqlstm" : p.cell == RnnCell::gru ? "seqgru" : "seqrnn";
    options.hidden = p.hidden;
    options.bidirectional = both;
    std::vector<Given> parameters;
    for (int direction = 0; direction < (both ? 2 : 1); ++direction) {
      const RnnOperands::Layer& l = request.operands->layers[std::size_t(layer * (both ? 2 : 1) + direction)];
      const std::string prefix = direction ? "bwd." : "";
      const int64_t rows = rnn_gates(p.cell) * p.hidden;
      options.input = l.in;
      parameters.push_back({prefix + "W", l.w.as<float>(), rows * l.in});
      parameters.push_back({prefix + "U", l.u.as<float>(), rows * p.hidden});
      parameters.push_back({prefix + "b", l.b.as<float>(), rows});
    }
    Result<Made> made = make_model(context, options, parameters);
    if (!made) return made.error();
    if (Status s = instance->add_layer(std::move(*made), request.threads, rnn_output_width(p)); !s)
      return s.error();
  }
  if (Status s = instance->start(request.isa); !s) return s.error();
  return std::unique_ptr<Instance>(std::move(instance));
}

}  // namespace cortex::bench
