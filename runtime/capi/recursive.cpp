#include <cortex/recursive.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"
#include "polyopt/recursive/make_program.h"
#include "runtime/capi/capi.h"
#include "runtime/recursive/compile.h"

using namespace cortex;

struct NamedTensor {
  std::string name;
  std::vector<int64_t> dims;
  std::size_t direction = 0, index = 0;  // of a parameter
};

// Executors keep it alive: a model destroyed before them leaves nothing that points nowhere.
struct SharedModel {
  recursive::CompiledModel value;
  std::shared_mutex in_use;  // shared by batches that run, held by whoever sets parameters; only ever tried
};

struct cortex_recursive_model {
  std::shared_ptr<SharedModel> shared = std::make_shared<SharedModel>();
  std::string text, program;
  std::vector<NamedTensor> parameters, outputs;
};

struct cortex_recursive_executor {
  std::shared_ptr<SharedModel> model;
  std::unique_ptr<recursive::Executor> value;
  mutable std::atomic_flag busy;
};

namespace {

Result<recursive::Model> read_model(const cortex_recursive_options& o) {
  if (!o.name == !o.text) {
    return invalid_argument("cortex_recursive_options: give either name or text");
  }
  for (const auto& [name, value] : {std::pair{"hidden", o.hidden},
                                    {"vocabulary", o.vocabulary},
                                    {"input", o.input},
                                    {"max_children", o.max_children}}) {
    if (value < 0)
      return invalid_argument(fmt::format("cortex_recursive_options: {} {} is negative", name, value));
  }
  std::string text;
  if (o.name) {
    Result<std::string> ready = recursive::ready_model(o.name, o.input > 0);
    if (!ready) return ready.error();
    text = std::move(ready).value();
  } else {
    text = o.text;
  }
  std::map<std::string, int64_t> sizes;
  if (o.hidden) sizes["h"] = o.hidden;
  if (o.vocabulary && !(o.name && o.input > 0)) sizes["v"] = o.vocabulary;
  if (o.input) sizes["e"] = o.input;
  if (o.max_children) sizes["n"] = o.max_children;
  return recursive::parse_model(text, sizes);
}

// An executor's memory is one thread's at a time.
class Turn {
 public:
  explicit Turn(const cortex_recursive_executor& executor)
      : busy_(executor.busy), mine_(!busy_.test_and_set(std::memory_order_acquire)) {}
  ~Turn() {
    if (mine_) busy_.clear(std::memory_order_release);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool mine() const { return mine_; }
  static Error refusal(const char* function) {
    return invalid_argument(fmt::format(
        "{}: the executor is in use by another thread; make an executor for every thread", function));
  }

 private:
  std::atomic_flag& busy_;
  const bool mine_;
};

std::string join(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ",")); }

cortex_status write_tensor(const NamedTensor& from, cortex_recursive_tensor* tensor,
                           cortex_message* message) {
  const std::size_t size = tensor->struct_size;
  if (size < sizeof(std::size_t) || size > 4096) {
    return fail(message, CORTEX_INVALID_ARGUMENT,
                "cortex_recursive_tensor: struct_size is not the size of the struct");
  }
  cortex_recursive_tensor out{};
  out.struct_size = size;
  out.name = from.name.c_str();
  out.rank = static_cast<int32_t>(from.dims.size());
  out.count = recursive::elements(from.dims);
  for (std::size_t d = 0; d < CORTEX_RECURSIVE_MAX_RANK; ++d)
    out.dims[d] = d < from.dims.size() ? from.dims[d] : 1;
  if (size > sizeof out) std::memset(reinterpret_cast<char*>(tensor) + sizeof out, 0, size - sizeof out);
  std::memcpy(tensor, &out, std::min(size, sizeof out));
  return CORTEX_OK;
}

cortex_status find_tensor(const std::vector<NamedTensor>& tensors, const char* what, int32_t index,
                          cortex_recursive_tensor* tensor, cortex_message* message) {
  if (index < 0 || static_cast<std::size_t>(index) >= tensors.size()) {
    return fail(message, CORTEX_INVALID_ARGUMENT,
                fmt::format("{} {}: the model has {}", what, index, tensors.size()));
  }
  return write_tensor(tensors[static_cast<std::size_t>(index)], tensor, message);
}

}  // namespace

extern "C" cortex_status cortex_context_add_cells(cortex_context* context, const cortex_cell_library* library,
                                                  cortex_message* message) {
  return guarded(message, [&] {
    if (!context || !library) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_context_add_cells: NULL argument");
    }
    if (library->abi != CORTEX_CELL_LIBRARY_ABI) {
      return fail(message, CORTEX_ABI_MISMATCH,
                  fmt::format("cells made for ABI {}, this cortex has ABI {}: generate them again with the "
                              "cortex-gen of this version",
                              library->abi, CORTEX_CELL_LIBRARY_ABI));
    }
    if (library->count < 0 || (library->count > 0 && !library->entries)) {
      return fail(
          message, CORTEX_ABI_MISMATCH,
          fmt::format("cells {}: {} entries, and entries is {}: generate them again with the cortex-gen "
                      "of this version",
                      library->name ? library->name : "(no name)", library->count,
                      library->entries ? "set" : "NULL"));
    }
    for (int32_t i = 0; i < library->count; ++i) {
      const cortex_cell_entry& entry = library->entries[i];
      if (entry.key && entry.isa && entry.run) continue;
      return fail(message, CORTEX_ABI_MISMATCH,
                  fmt::format("cells {}: entry {} lacks its key, ISA or function: generate them again",
                              library->name ? library->name : "(no name)", i));
    }
    context->value.cells.push_back(library);
    return CORTEX_OK;
  });
}

extern "C" cortex_status cortex_recursive_create(const cortex_context* context,
                                                 const cortex_recursive_options* options,
                                                 cortex_recursive_model** model, cortex_message* message) {
  return guarded(message, [&] {
    if (!context || !options || !model) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_create: NULL argument");
    }
    cortex_recursive_options o{};
    if (!read_struct(options, &o, message, "cortex_recursive_options")) return CORTEX_INVALID_ARGUMENT;
    Result<recursive::Model> read = read_model(o);
    if (!read) return fail(message, read.error());
    recursive::CompileOptions compile_options;
    compile_options.isa = context->value.isa;
    compile_options.bidirectional = o.bidirectional != 0;
    if (o.weights != CORTEX_RECURSIVE_WEIGHTS_F32 && o.weights != CORTEX_RECURSIVE_WEIGHTS_BF16) {
      return fail(
          message, CORTEX_INVALID_ARGUMENT,
          fmt::format("cortex_recursive_options: weights {} is unknown; f32 is 0, bf16 is 1", o.weights));
    }
    compile_options.bf16 = o.weights == CORTEX_RECURSIVE_WEIGHTS_BF16;
    if (o.disable) compile_options.disable = o.disable;
    compile_options.cells = context->value.cells;
    auto made = std::make_unique<cortex_recursive_model>();
    Result<recursive::CompiledModel> compiled = recursive::compile(*read, compile_options, &made->program);
    if (!compiled) return fail(message, compiled.error());
    made->shared->value = std::move(compiled).value();
    made->text = recursive::to_text(*read);
    const recursive::CompiledModel& value = made->shared->value;
    const recursive::Model& m = value.model;
    const std::size_t directions = value.directions.size();
    for (std::size_t d = 0; d < directions; ++d) {
      for (std::size_t p = 0; p < m.parameters.size(); ++p) {
        made->parameters.push_back(
            {(d ? "bwd." : "") + m.parameters[p].name, m.shape(m.parameters[p].dims), d, p});
      }
    }
    for (const int output : m.outputs) {
      const recursive::State& state = m.states[static_cast<std::size_t>(output)];
      made->outputs.push_back({state.name, m.shape(state.dims), 0, 0});
      made->outputs.back().dims[0] *= static_cast<int64_t>(directions);
    }
    *model = made.release();
    return CORTEX_OK;
  });
}

extern "C" void cortex_recursive_destroy(cortex_recursive_model* model) { delete model; }

extern "C" const char* cortex_recursive_ready_models(void) {
  static const std::string names = join(recursive::ready_models());
  return names.c_str();
}

extern "C" const char* cortex_recursive_transformations(void) {
  static const std::string names = join(recursive::transformation_names());
  return names.c_str();
}

extern "C" const char* cortex_recursive_text(const cortex_recursive_model* model) {
  return model ? model->text.c_str() : "";
}
extern "C" const char* cortex_recursive_program(const cortex_recursive_model* model) {
  return model ? model->program.c_str() : "";
}

extern "C" int32_t cortex_recursive_parameter_count(const cortex_recursive_model* model) {
  return model ? static_cast<int32_t>(model->parameters.size()) : 0;
}
extern "C" int32_t cortex_recursive_output_count(const cortex_recursive_model* model) {
  return model ? static_cast<int32_t>(model->outputs.size()) : 0;
}

extern "C" cortex_status cortex_recursive_parameter(const cortex_recursive_model* model, int32_t index,
                                                    cortex_recursive_tensor* tensor,
                                                    cortex_message* message) {
  return guarded(message, [&] {
    if (!model || !tensor)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_parameter: NULL argument");
    return find_tensor(model->parameters, "parameter", index, tensor, message);
  });
}

extern "C" cortex_status cortex_recursive_output(const cortex_recursive_model* model, int32_t index,
                                                 cortex_recursive_tensor* tensor, cortex_message* message) {
  return guarded(message, [&] {
    if (!model || !tensor)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_output: NULL argument");
    return find_tensor(model->outputs, "output", index, tensor, message);
  });
}

extern "C" cortex_status cortex_recursive_set_parameter(cortex_recursive_model* model, const char* name,
                                                        const float* values, int64_t count,
                                                        cortex_message* message) {
  return guarded(message, [&] {
    if (!model || !name || !values) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_set_parameter: NULL argument");
    }
    for (const NamedTensor& p : model->parameters) {
      if (p.name != name) continue;
      const std::unique_lock alone(model->shared->in_use, std::try_to_lock);
      if (!alone) {
        return fail(message, CORTEX_INVALID_ARGUMENT,
                    fmt::format("model {}, parameter {}: another thread runs a batch of the model or sets a "
                                "parameter; set parameters while nothing runs",
                                model->shared->value.model.name, name));
      }
      if (Status s = model->shared->value.directions[p.direction].parameters.set(p.index, values, count);
          !s) {
        return fail(message, s.error());
      }
      return CORTEX_OK;
    }
    return fail(message, CORTEX_INVALID_ARGUMENT,
                fmt::format("model {} has no parameter {}", model->shared->value.model.name, name));
  });
}

extern "C" double cortex_recursive_flops(const cortex_recursive_model* model,
                                         const cortex_recursive_batch* batch) {
  double flops = -1;
  guarded(nullptr, [&] {
    cortex_recursive_batch b{};
    if (!model || !batch || !read_struct(batch, &b, nullptr, "")) return CORTEX_INVALID_ARGUMENT;
    const recursive::CompiledModel& value = model->shared->value;
    recursive::Linear linear;
    if (!recursive::linearize(b, value.directions[0].rules, linear)) return CORTEX_INVALID_ARGUMENT;
    flops = recursive::count_flops(value.flops, linear) * static_cast<double>(value.directions.size());
    return CORTEX_OK;
  });
  return flops;
}

extern "C" cortex_status cortex_recursive_executor_create(const cortex_recursive_model* model, int threads,
                                                          cortex_recursive_executor** executor,
                                                          cortex_message* message) {
  return guarded(message, [&] {
    if (!model || !executor) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_executor_create: NULL argument");
    }
    Result<std::unique_ptr<recursive::Executor>> made =
        recursive::Executor::create(model->shared->value, threads);
    if (!made) return fail(message, made.error());
    auto out = std::make_unique<cortex_recursive_executor>();
    out->model = model->shared;
    out->value = std::move(made).value();
    *executor = out.release();
    return CORTEX_OK;
  });
}

extern "C" void cortex_recursive_executor_destroy(cortex_recursive_executor* executor) { delete executor; }

extern "C" cortex_status cortex_recursive_run(cortex_recursive_executor* executor,
                                              const cortex_recursive_batch* batch,
                                              const cortex_recursive_result* results, int32_t result_count,
                                              cortex_message* message) {
  return guarded(message, [&] {
    if (!executor || !batch)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_run: NULL argument");
    cortex_recursive_batch b{};
    if (!read_struct(batch, &b, message, "cortex_recursive_batch")) return CORTEX_INVALID_ARGUMENT;
    const Turn turn(*executor);
    if (!turn.mine()) return fail(message, Turn::refusal("cortex_recursive_run"));
    const std::shared_lock running(executor->model->in_use, std::try_to_lock);
    if (!running) {
      return fail(
          message, CORTEX_INVALID_ARGUMENT,
          "cortex_recursive_run: another thread sets a parameter of the model; run batches when it is done");
    }
    if (Status s = executor->value->run(b, results, result_count); !s) return fail(message, s.error());
    return CORTEX_OK;
  });
}

extern "C" cortex_status cortex_recursive_executor_query(const cortex_recursive_executor* executor,
                                                         cortex_recursive_info* info,
                                                         cortex_message* message) {
  return guarded(message, [&] {
    if (!executor || !info) {
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_recursive_executor_query: NULL argument");
    }
    const std::size_t size = info->struct_size;
    if (size < sizeof(std::size_t) || size > 4096) {
      return fail(message, CORTEX_INVALID_ARGUMENT,
                  "cortex_recursive_info: struct_size is not the size of the struct");
    }
    const Turn turn(*executor);
    if (!turn.mine()) return fail(message, Turn::refusal("cortex_recursive_executor_query"));
    cortex_recursive_info out = executor->value->info();
    out.struct_size = size;
    if (size > sizeof out) std::memset(reinterpret_cast<char*>(info) + sizeof out, 0, size - sizeof out);
    std::memcpy(info, &out, std::min(size, sizeof out));
    return CORTEX_OK;
  });
}
