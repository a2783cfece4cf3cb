// Result<T>: a value or a refusal with a reason. Compiler phases return it; nothing here throws.
//
// A refusal says what was asked, where (node, dimension, line), what was found, and what to do.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace cortex {

enum class ErrorCode {
  invalid_argument,  // the caller's input is malformed or inconsistent
  unsupported,       // well-formed, but not something this build or machine can do
  overflow,          // sizes that do not fit 64-bit arithmetic or the address space
  io,                // files and folders
  out_of_memory,
  internal,  // a broken invariant: a bug here, not in the input
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // one line, no trailing newline
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return std::get<T>(state_);
  }
  const T& value() const& {
    assert(ok());
    return std::get<T>(state_);
  }
  T&& value() && {
    assert(ok());
    return std::get<T>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return std::get<Error>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

// A phase that yields nothing but may refuse.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  static Status success() { return {}; }

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

inline Error invalid_argument(std::string message) {
  return {ErrorCode::invalid_argument, std::move(message)};
}
inline Error unsupported(std::string message) { return {ErrorCode::unsupported, std::move(message)}; }
inline Error overflow_error(std::string message) { return {ErrorCode::overflow, std::move(message)}; }
inline Error io_error(std::string message) { return {ErrorCode::io, std::move(message)}; }
inline Error internal_error(std::string message) { return {ErrorCode::internal, std::move(message)}; }

}  // namespace cortex
