// Ownership of isl objects, made explicit.
//
// An isl function marks each argument __isl_take (it will free it) or __isl_keep (it only looks). A
// Handle owns one reference. Calls to functions that take go through call():
//
//   call(isl_set_intersect, a, std::move(b))    // a lives on (the callee gets a copy), b is consumed
//
// call() makes every copy before it moves anything, so call(isl_set_subtract, s, std::move(s)) means
// what it says, whatever order the compiler evaluates arguments in. Functions that keep are called
// directly with .get(). A failed call yields a null Handle; null propagates through isl, so that one
// test at the end of a chain is enough.
#pragma once

#include <isl/aff.h>
#include <isl/flow.h>
#include <isl/ilp.h>
#include <isl/map.h>
#include <isl/point.h>
#include <isl/set.h>
#include <isl/space.h>
#include <isl/union_map.h>
#include <isl/union_set.h>
#include <isl/val.h>

#include <tuple>
#include <type_traits>
#include <utility>

namespace cortex::polyhedral {

template <typename T>
struct HandleTraits;

#define CORTEX_ISL_HANDLE(type)                           \
  template <>                                             \
  struct HandleTraits<type> {                             \
    static type* copy(type* p) { return type##_copy(p); } \
    static void free(type* p) { type##_free(p); }         \
  }
CORTEX_ISL_HANDLE(isl_basic_map);
CORTEX_ISL_HANDLE(isl_basic_set);
CORTEX_ISL_HANDLE(isl_map);
CORTEX_ISL_HANDLE(isl_point);
CORTEX_ISL_HANDLE(isl_set);
CORTEX_ISL_HANDLE(isl_space);
CORTEX_ISL_HANDLE(isl_stride_info);
CORTEX_ISL_HANDLE(isl_union_access_info);
CORTEX_ISL_HANDLE(isl_union_flow);
CORTEX_ISL_HANDLE(isl_union_map);
CORTEX_ISL_HANDLE(isl_union_set);
CORTEX_ISL_HANDLE(isl_val);
#undef CORTEX_ISL_HANDLE

template <typename T>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* owned) : p_(owned) {}
  Handle(Handle&& other) noexcept : p_(other.take()) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) reset(other.take());
    return *this;
  }
  Handle(const Handle& other) : p_(HandleTraits<T>::copy(other.p_)) {}
  Handle& operator=(const Handle& other) { return *this = Handle(other); }
  ~Handle() { reset(nullptr); }

  T* get() const { return p_; }                     // for __isl_keep parameters
  T* take() { return std::exchange(p_, nullptr); }  // for __isl_take parameters; call() does this
  T* copy() const { return HandleTraits<T>::copy(p_); }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  void reset(T* p) {
    if (p_) HandleTraits<T>::free(p_);
    p_ = p;
  }
  T* p_ = nullptr;
};

using Set = Handle<isl_set>;
using Map = Handle<isl_map>;
using UnionMap = Handle<isl_union_map>;
using UnionSet = Handle<isl_union_set>;
using Val = Handle<isl_val>;
using Point = Handle<isl_point>;

namespace detail {

template <typename T>
T* prepare(const Handle<T>& h) {
  return h.copy();
}
template <typename T>
T* prepare(Handle<T>& h) {
  return h.copy();
}
template <typename T>
Handle<T>* prepare(Handle<T>&& h) {
  return &h;
}
template <typename T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T> T prepare(T v) { return v; }

template <typename T>
T extract(T v) {
  return v;
}
template <typename T>
T* extract(Handle<T>* h) {
  return h->take();
}

}  // namespace detail

// f's result as a Handle. Lvalue handles are copied, rvalue handles consumed, numbers passed through.
template <typename F, typename... Args>
auto call(F* f, Args&&... args) {
  // Braces order the evaluation: every copy is made here, before extract() moves anything.
  std::tuple prepared{detail::prepare(std::forward<Args>(args))...};
  auto* result = std::apply([f](auto... p) { return f(detail::extract(p)...); }, prepared);
  return Handle<std::remove_pointer_t<decltype(result)>>(result);
}

}  // namespace cortex::polyhedral
