#include "bench/backends/buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

namespace cortex::bench {

void BenchBuffer::Unmap::operator()(void* p) const { munmap(p, length); }

BenchBuffer::BenchBuffer(std::size_t bytes, int colour) {
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  constexpr std::size_t colour_step = 1024 + 64;  // a multiple of the line; 4 colours differ modulo 4 KB
  const std::size_t offset = static_cast<std::size_t>(colour) * colour_step;
  const std::size_t length = bytes + offset + huge_page;
  if (bytes > SIZE_MAX / 2) return;
  void* raw = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return;
  mapping_ = std::unique_ptr<void, Unmap>(raw, Unmap(length));
  const auto aligned = (reinterpret_cast<std::uintptr_t>(raw) + huge_page - 1) & ~(huge_page - 1);
  if (bytes >= huge_page) madvise(reinterpret_cast<void*>(aligned), bytes + offset, MADV_HUGEPAGE);
  data_ = reinterpret_cast<void*>(aligned + offset);
  bytes_ = bytes;
  std::memset(data_, 0, bytes);  // touched now, not in the first timed execution
}

}  // namespace cortex::bench
