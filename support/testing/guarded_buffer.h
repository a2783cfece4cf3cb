// Memory between two inaccessible pages, for tests: a read or write of one byte too many crashes there
// and then. `Side::after` puts the data directly before the upper guard (overruns), `Side::before`
// directly after the lower one (underruns).
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>

namespace cortex::testing {

enum class Side { before, after };

class GuardedBuffer {
 public:
  GuardedBuffer(std::size_t bytes, Side side) : bytes_(bytes) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t body = (bytes + page - 1) / page * page;
    length_ = body + 2 * page;
    void* p = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::runtime_error("mmap of a guarded buffer failed");
    base_ = static_cast<std::byte*>(p);
    mprotect(base_, page, PROT_NONE);
    mprotect(base_ + page + body, page, PROT_NONE);
    data_ = side == Side::before ? base_ + page : base_ + page + body - bytes;
  }
  ~GuardedBuffer() { munmap(base_, length_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  void* data() const { return data_; }
  std::size_t size() const { return bytes_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  std::byte* base_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t length_ = 0, bytes_;
};

}  // namespace cortex::testing
