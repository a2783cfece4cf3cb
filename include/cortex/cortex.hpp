// The C++ face of cortex.h: the same calls with ownership and errors the C++ way. Header only; C++17.
//
// Every class owns one handle: movable, not copyable, empty after being moved from. Two ways to fail:
//   constructors and plain methods throw cortex::Error, which carries the status and the message;
//   create(...) and try_...(...) are noexcept, return the cortex_status and fill in an optional
//   cortex_message. Without exceptions (-fno-exceptions) only these are declared.
// Thread-safety, units, layouts and ownership of memory are those of cortex.h.
#ifndef CORTEX_CORTEX_HPP
#define CORTEX_CORTEX_HPP

#include <cortex/cortex.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#if defined(__cpp_exceptions)
#include <new>
#include <stdexcept>
#endif

namespace cortex {
// Names of the header's own, so that none meets one inside a statically linked library.
inline namespace api {

#if defined(__cpp_exceptions)
class Error : public std::runtime_error {
 public:
  Error(cortex_status status, const char* message)
      : std::runtime_error(message && *message ? message : cortex_status_string(status)), status_(status) {}
  cortex_status status() const noexcept { return status_; }

 private:
  cortex_status status_;
};

inline void check(cortex_status status, const cortex_message& message) {
  if (status != CORTEX_OK) throw Error(status, message.text);
}
#endif

// 64-byte aligned memory for scratch, packed weights and activations. Zero bytes: no memory.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t bytes) : bytes_(bytes < 0 ? 0 : bytes) {
    if (bytes_ == 0) return;
    memory_.reset(std::aligned_alloc(64, (static_cast<std::size_t>(bytes_) + 63) / 64 * 64));
#if defined(__cpp_exceptions)
    if (!memory_) throw std::bad_alloc();
#endif
  }
  void* data() const noexcept { return memory_.get(); }
  std::int64_t size() const noexcept { return bytes_; }
  template <typename T>
  T* as() const noexcept {
    return static_cast<T*>(memory_.get());
  }

 private:
  struct Free {
    void operator()(void* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
  std::int64_t bytes_ = 0;
};

class Context {
 public:
  explicit Context(std::nullptr_t) noexcept {}  // holds nothing: for create
  static cortex_status create(const cortex_context_options* options, Context& out,
                              cortex_message* message = nullptr) noexcept {
    cortex_context* handle = nullptr;
    const cortex_status status = cortex_context_create(options, &handle, message);
    if (status == CORTEX_OK) out.handle_.reset(handle);
    return status;
  }
#if defined(__cpp_exceptions)
  explicit Context(const cortex_context_options& options) {
    cortex_message message;
    check(create(&options, *this, &message), message);
  }
  // All defaults: CORTEX_MAX_ISA, else what the CPU has; this machine.
  Context() : Context(cortex_context_options_init()) {}
  Context& add_library(const cortex_kernel_library& library) {
    cortex_message message;
    check(cortex_context_add_library(get(), &library, &message), message);
    return *this;
  }
#endif
  cortex_status try_add_library(const cortex_kernel_library& library,
                                cortex_message* message = nullptr) noexcept {
    return cortex_context_add_library(get(), &library, message);
  }
  std::string isa() const { return cortex_context_isa(get()); }
  cortex_context* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cortex_context* p) const noexcept { cortex_context_destroy(p); }
  };
  std::unique_ptr<cortex_context, Destroy> handle_;
};

class Problem {
 public:
  explicit Problem(std::nullptr_t) noexcept {}
  static cortex_status create(const char* text, Problem& out, cortex_message* message = nullptr) noexcept {
    cortex_problem* handle = nullptr;
    const cortex_status status = cortex_problem_parse(text, &handle, message);
    return out.take(status, handle);
  }
  static cortex_status create(const cortex_conv_desc& desc, Problem& out,
                              cortex_message* message = nullptr) noexcept {
    cortex_problem* handle = nullptr;
    const cortex_status status = cortex_problem_create_conv(&desc, &handle, message);
    return out.take(status, handle);
  }
  static cortex_status create(const cortex_matmul_desc& desc, Problem& out,
                              cortex_message* message = nullptr) noexcept {
    cortex_problem* handle = nullptr;
    const cortex_status status = cortex_problem_create_matmul(&desc, &handle, message);
    return out.take(status, handle);
  }

#if defined(__cpp_exceptions)
  explicit Problem(const std::string& text) {
    cortex_message message;
    check(create(text.c_str(), *this, &message), message);
  }
  explicit Problem(const cortex_conv_desc& desc) {
    cortex_message message;
    check(create(desc, *this, &message), message);
  }
  explicit Problem(const cortex_matmul_desc& desc) {
    cortex_message message;
    check(create(desc, *this, &message), message);
  }
  Problem& set_epilogue(const cortex_epilogue_desc& desc) {
    cortex_message message;
    check(cortex_problem_set_epilogue(get(), &desc, &message), message);
    return *this;
  }
#endif
  cortex_status try_set_epilogue(const cortex_epilogue_desc& desc,
                                 cortex_message* message = nullptr) noexcept {
    return cortex_problem_set_epilogue(get(), &desc, message);
  }
  std::string text() const { return cortex_problem_text(get()); }
  double flops() const noexcept { return cortex_problem_flops(get()); }
  cortex_problem* get() const noexcept { return handle_.get(); }

 private:
  cortex_status take(cortex_status status, cortex_problem* handle) noexcept {
    if (status == CORTEX_OK) handle_.reset(handle);
    return status;
  }
  struct Destroy {
    void operator()(cortex_problem* p) const noexcept { cortex_problem_destroy(p); }
  };
  std::unique_ptr<cortex_problem, Destroy> handle_;
};

class ThreadPool {
 public:
  explicit ThreadPool(std::nullptr_t) noexcept {}
  static cortex_status create(int threads, ThreadPool& out, cortex_message* message = nullptr) noexcept {
    cortex_thread_pool* handle = nullptr;
    const cortex_status status = cortex_thread_pool_create(threads, &handle, message);
    if (status == CORTEX_OK) out.handle_.reset(handle);
    return status;
  }
#if defined(__cpp_exceptions)
  explicit ThreadPool(int threads) {
    cortex_message message;
    check(create(threads, *this, &message), message);
  }
#endif
  const cortex_thread_pool* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cortex_thread_pool* p) const noexcept { cortex_thread_pool_destroy(p); }
  };
  std::unique_ptr<cortex_thread_pool, Destroy> handle_;
};

class Plan {
 public:
  explicit Plan(std::nullptr_t) noexcept {}
  static cortex_status create(const Context& context, const Problem& problem,
                              const cortex_plan_options& options, Plan& out,
                              cortex_message* message = nullptr) noexcept {
    cortex_plan* handle = nullptr;
    const cortex_status status = cortex_plan_create(context.get(), problem.get(), &options, &handle, message);
    if (status != CORTEX_OK) return status;
    out.handle_.reset(handle);
    out.info_ = cortex_plan_info_init();
    return cortex_plan_query(handle, &out.info_, message);
  }
#if defined(__cpp_exceptions)
  Plan(const Context& context, const Problem& problem,
       const cortex_plan_options& options = cortex_plan_options_init()) {
    cortex_message message;
    check(create(context, problem, options, *this, &message), message);
  }
  // The caller's weights in a new buffer, packed for this plan.
  Buffer pack_weights(const void* weights) const {
    Buffer packed(info_.packed_weights_bytes);
    cortex_message message;
    check(cortex_plan_pack_weights(get(), weights, packed.data(), &message), message);
    return packed;
  }
  void execute(const cortex_execute_args& args) const {
    cortex_message message;
    check(cortex_plan_execute(get(), &args, &message), message);
  }
#endif
  cortex_status try_pack_weights(const void* weights, void* packed,
                                 cortex_message* message = nullptr) const noexcept {
    return cortex_plan_pack_weights(get(), weights, packed, message);
  }
  cortex_status try_execute(const cortex_execute_args& args,
                            cortex_message* message = nullptr) const noexcept {
    return cortex_plan_execute(get(), &args, message);
  }
  // Sizes, layouts, schedule; its strings live as long as this plan.
  const cortex_plan_info& info() const noexcept { return info_; }
  Buffer scratch() const { return Buffer(info_.scratch_bytes); }
  cortex_plan* get() const noexcept { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cortex_plan* p) const noexcept { cortex_plan_destroy(p); }
  };
  std::unique_ptr<cortex_plan, Destroy> handle_;
  cortex_plan_info info_ = {};
};

}  // namespace api
}  // namespace cortex

#endif
