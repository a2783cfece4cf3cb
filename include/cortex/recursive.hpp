// The C++ face of recursive.h: ownership and errors the C++ way, as in cortex.hpp. Header only; C++17.
#ifndef CORTEX_RECURSIVE_HPP
#define CORTEX_RECURSIVE_HPP

#include <cortex/recursive.h>
#include <cortex/cortex.hpp>

#include <string>
#include <vector>

namespace cortex {
inline namespace api {

#if defined(__cpp_exceptions)
inline void add_cells(const Context& context, const cortex_cell_library& library) {
  cortex_message message;
  check(cortex_context_add_cells(context.get(), &library, &message), message);
}
#endif

class RecursiveModel {
 public:
  explicit RecursiveModel(std::nullptr_t) noexcept {}
  static cortex_status create(const Context& context, const cortex_recursive_options& options,
                              RecursiveModel& out, cortex_message* message = nullptr) noexcept {
    cortex_recursive_model* handle = nullptr;
    const cortex_status status = cortex_recursive_create(context.get(), &options, &handle, message);
    if (status == CORTEX_OK) out.handle_.reset(handle);
    return status;
  }
#if defined(__cpp_exceptions)
  RecursiveModel(const Context& context, const cortex_recursive_options& options) {
    cortex_message message;
    check(create(context, options, *this, &message), message);
  }
  RecursiveModel& set(const std::string& name, const float* values, std::int64_t count) {
    cortex_message message;
    check(cortex_recursive_set_parameter(get(), name.c_str(), values, count, &message), message);
    return *this;
  }
  RecursiveModel& set(const std::string& name, const std::vector<float>& values) {
    return set(name, values.data(), static_cast<std::int64_t>(values.size()));
  }
#endif
  // Names live as long as this model.
  std::vector<cortex_recursive_tensor> parameters() const {
    std::vector<cortex_recursive_tensor> all;
    for (std::int32_t i = 0; i < cortex_recursive_parameter_count(get()); ++i) {
      all.push_back(cortex_recursive_tensor_init());
      (void)cortex_recursive_parameter(get(), i, &all.back(), nullptr);
    }
    return all;
  }
  std::vector<cortex_recursive_tensor> outputs() const {
    std::vector<cortex_recursive_tensor> all;
    for (std::int32_t i = 0; i < cortex_recursive_output_count(get()); ++i) {
      all.push_back(cortex_recursive_tensor_init());
      (void)cortex_recursive_output(get(), i, &all.back(), nullptr);
    }
    return all;
  }
  std::string text() const { return cortex_recursive_text(get()); }
  std::string program() const { return cortex_recursive_program(get()); }
  double flops(const cortex_recursive_batch& batch) const noexcept {
    return cortex_recursive_flops(get(), &batch);
  }
  cortex_recursive_model* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cortex_recursive_model* p) const noexcept { cortex_recursive_destroy(p); }
  };
  std::unique_ptr<cortex_recursive_model, Destroy> handle_;
};

// By one thread at a time.
class RecursiveExecutor {
 public:
  explicit RecursiveExecutor(std::nullptr_t) noexcept {}
  static cortex_status create(const RecursiveModel& model, int threads, RecursiveExecutor& out,
                              cortex_message* message = nullptr) noexcept {
    cortex_recursive_executor* handle = nullptr;
    const cortex_status status = cortex_recursive_executor_create(model.get(), threads, &handle, message);
    if (status == CORTEX_OK) out.handle_.reset(handle);
    return status;
  }
  cortex_status try_run(const cortex_recursive_batch& batch,
                        const std::vector<cortex_recursive_result>& results,
                        cortex_message* message = nullptr) noexcept {
    return cortex_recursive_run(get(), &batch, results.data(), static_cast<std::int32_t>(results.size()),
                                message);
  }
#if defined(__cpp_exceptions)
  explicit RecursiveExecutor(const RecursiveModel& model, int threads = 1) {
    cortex_message message;
    check(create(model, threads, *this, &message), message);
  }
  void run(const cortex_recursive_batch& batch, const std::vector<cortex_recursive_result>& results) {
    cortex_message message;
    check(try_run(batch, results, &message), message);
  }
#endif
  cortex_recursive_info info() const noexcept {
    cortex_recursive_info out = cortex_recursive_info_init();
    (void)cortex_recursive_executor_query(get(), &out, nullptr);
    return out;
  }
  cortex_recursive_executor* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cortex_recursive_executor* p) const noexcept { cortex_recursive_executor_destroy(p); }
  };
  std::unique_ptr<cortex_recursive_executor, Destroy> handle_;
};

}  // namespace api
}  // namespace cortex

#endif
