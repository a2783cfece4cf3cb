// What the C functions share: handles, messages, and the wall no exception passes.
#pragma once

#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "cortex/cortex.h"
#include "runtime/plan/context.h"
#include "runtime/plan/plan.h"

struct cortex_context {
  cortex::Context value;
};

struct cortex_problem {
  cortex::Problem value;
};

struct cortex_plan {
  cortex::Plan value;
};

namespace cortex {

inline void write_message(cortex_message* message, std::string_view text) {
  if (!message) return;
  const std::size_t length = text.size() < sizeof message->text ? text.size() : sizeof message->text - 1;
  std::memcpy(message->text, text.data(), length);
  message->text[length] = '\0';
}

inline cortex_status fail(cortex_message* message, cortex_status status, std::string_view text) {
  write_message(message, text);
  return status;
}

cortex_status status_of(ErrorCode code);

inline cortex_status fail(cortex_message* message, const Error& error) {
  return fail(message, status_of(error.code), error.message);
}

// Runs body(), which returns a cortex_status; nothing below is meant to throw, but the standard library may.
template <typename Body>
cortex_status guarded(cortex_message* message, Body&& body) noexcept {
  if (message) message->text[0] = '\0';
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return fail(message, CORTEX_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return fail(message, CORTEX_INTERNAL, e.what());
  } catch (...) {
    return fail(message, CORTEX_INTERNAL, "unknown exception");
  }
}

// Copies the caller's struct, which may come from an older header (shorter: the rest is zero) or a newer one
// (longer: what this library does not know must be zero).
template <typename T>
bool read_struct(const T* from, T* to, cortex_message* message, std::string_view name) {
  std::memset(to, 0, sizeof *to);
  const std::size_t size = from->struct_size;
  bool good = size >= sizeof(std::size_t) && size <= 4096;
  for (std::size_t i = sizeof *to; good && i < size; ++i) good = reinterpret_cast<const char*>(from)[i] == 0;
  if (!good) {
    write_message(message, std::string(name) + ": struct_size is not the size of the struct");
    return false;
  }
  std::memcpy(to, from, size < sizeof *to ? size : sizeof *to);
  for (const uint64_t word : to->reserved) good = good && word == 0;
  if (!good) write_message(message, std::string(name) + ": reserved fields must be zero");
  return good;
}

}  // namespace cortex
