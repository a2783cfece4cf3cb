#include "polyopt/isl/runs.h"

#include <algorithm>

namespace cortex::polyhedral {
namespace {

// Lines of one block of elements: how many, the first and the last.
struct Touched {
  int64_t count = 0, first = 0, last = 0;
};

// Blocks come in ascending order, so two of them can share but one line: the last of the former.
bool append(Touched& all, const Touched& next, bool& started) {
  if (!started) {
    all = next;
    started = true;
    return true;
  }
  if (next.first < all.last) return false;
  all.count += next.count - (next.first == all.last ? 1 : 0);
  all.last = next.last;
  return true;
}

class LineCounter {
 public:
  LineCounter(const std::vector<Axis>& axes, int64_t elem, int64_t line)
      : axes_(axes), elem_(elem), line_(line), memo_(axes.size()) {
    for (auto& m : memo_) m.resize(line);
  }

  // Axes [0, level] are free, the block's origin is at byte `phase` of line 0. Where a block starts
  // within a line is all that matters of its address, so a block is counted once for every phase.
  std::optional<Touched> block(int level, int64_t phase) {
    if (level < 0) return Touched{(phase + elem_ - 1) / line_ + 1, 0, (phase + elem_ - 1) / line_};
    std::optional<Touched>& known = memo_[level][phase];
    if (!known) known = level == 0 ? innermost(phase) : combine(level, phase);
    return known;
  }

 private:
  std::optional<Touched> innermost(int64_t phase) const {
    const Axis& axis = axes_[0];
    Touched all;
    bool started = false;
    for (const Run& run : axis.indices) {
      const int64_t step = run.stride * axis.stride;
      if (step <= line_ && step % elem_ == 0 && phase % elem_ == 0) {  // no line in between is left out
        const int64_t first = (phase + run.lo * axis.stride) / line_;
        const int64_t last = (phase + run.hi * axis.stride + elem_ - 1) / line_;
        if (!append(all, {last - first + 1, first, last}, started)) return std::nullopt;
        continue;
      }
      for (int64_t x = run.lo; x <= run.hi; x += run.stride) {
        const int64_t address = phase + x * axis.stride;
        const int64_t first = address / line_, last = (address + elem_ - 1) / line_;
        if (!append(all, {last - first + 1, first, last}, started)) return std::nullopt;
      }
    }
    return all;
  }

  std::optional<Touched> combine(int level, int64_t phase) {
    const Axis& axis = axes_[level];
    Touched all;
    bool started = false;
    for (const Run& run : axis.indices) {
      for (int64_t x = run.lo; x <= run.hi; x += run.stride) {
        const int64_t address = phase + x * axis.stride;
        const std::optional<Touched> inner = block(level - 1, address % line_);
        if (!inner) return std::nullopt;
        const int64_t shift = address / line_;
        if (!append(all, {inner->count, inner->first + shift, inner->last + shift}, started))
          return std::nullopt;
      }
    }
    return all;
  }

  const std::vector<Axis>& axes_;
  int64_t elem_, line_;
  std::vector<std::vector<std::optional<Touched>>> memo_;
};

}  // namespace

int64_t count(const Runs& runs) {
  int64_t n = 0;
  for (const Run& run : runs) n += run.count();
  return n;
}

std::optional<int64_t> count_lines(std::vector<Axis> axes, int64_t elem_bytes, int64_t line_bytes) {
  for (const Axis& axis : axes) {
    if (axis.indices.empty()) return 0;
  }
  std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.stride < b.stride; });
  LineCounter counter(axes, elem_bytes, line_bytes);
  const std::optional<Touched> all = counter.block(static_cast<int>(axes.size()) - 1, 0);
  if (!all) return std::nullopt;
  return all->count;
}

}  // namespace cortex::polyhedral
