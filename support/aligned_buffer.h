// A 64-byte aligned, uniquely owned byte buffer. Allocation failure leaves data() null: the caller
// turns that into ErrorCode::out_of_memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace cortex {

class AlignedBuffer {
 public:
  static constexpr std::size_t alignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes) : size_(bytes) {
    if (bytes > SIZE_MAX - alignment) return;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    data_.reset(std::aligned_alloc(alignment, rounded ? rounded : alignment));
  }

  void* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_.get());
  }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace cortex
