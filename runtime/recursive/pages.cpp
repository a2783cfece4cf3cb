#include "runtime/recursive/pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace cortex::recursive {
namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;
constexpr std::size_t worth_it = large_page / 4;

}  // namespace

Pages::Pages(std::size_t bytes) {
  if (bytes > SIZE_MAX - large_page) return;
  const std::size_t alignment = bytes < worth_it ? 64 : large_page;
  const std::size_t rounded = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
  memory_.reset(std::aligned_alloc(alignment, rounded));
#ifdef MADV_HUGEPAGE
  // Advice: where the system does not take it, small pages serve.
  if (memory_ && alignment == large_page) (void)madvise(memory_.get(), rounded, MADV_HUGEPAGE);
#endif
}

void Pages::Free::operator()(void* p) const { std::free(p); }

}  // namespace cortex::recursive
