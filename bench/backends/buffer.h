// Operand memory for measurements: page-aligned plus a colour, so that no two operands of a backend start
// at the same offset modulo 4 KB, and huge pages where the size allows, so that physical page placement
// does not differ from backend to backend.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace cortex::bench {

class BenchBuffer {
 public:
  BenchBuffer() = default;
  // Zero-filled; data() is null when memory ran out. `colour` numbers the operands of one backend: 0, 1, 2,
  // ...
  BenchBuffer(std::size_t bytes, int colour);

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  std::size_t bytes() const { return bytes_; }
  std::span<const std::byte> range() const { return {static_cast<const std::byte*>(data_), bytes_}; }

 private:
  struct Unmap {
    std::size_t length;
    Unmap() : length(0) {}
    explicit Unmap(std::size_t n) : length(n) {}
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Unmap> mapping_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace cortex::bench
