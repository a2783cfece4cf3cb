// Memory in large pages, where the system has them.
#pragma once

#include <cstddef>
#include <memory>

namespace cortex::recursive {

// Weights that just fit L2 stay there only if their physical pages spread evenly over its sets, as the lines
// of a large page do; and a level that streams them crosses a small page every 64 lines.
class Pages {
 public:
  Pages() = default;
  explicit Pages(std::size_t bytes);  // data() is NULL when there is not so much memory

  void* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> memory_;
};

}  // namespace cortex::recursive
