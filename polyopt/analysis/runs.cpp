#include "polyopt/analysis/runs.h"

#include <algorithm>
#include <numeric>

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
      const auto element = [&](int64_t address) -> std::optional<Touched> {
        const int64_t first = address / line_, last = (address + elem_ - 1) / line_;
        return Touched{last - first + 1, first, last};
      };
      if (!append_run(run, axis, phase, element, all, started)) return std::nullopt;
    }
    return all;
  }

  std::optional<Touched> combine(int level, int64_t phase) {
    const Axis& axis = axes_[level];
    Touched all;
    bool started = false;
    for (const Run& run : axis.indices) {
      const auto inner_block = [&](int64_t address) {
        std::optional<Touched> inner = block(level - 1, address % line_);
        const int64_t shift = address / line_;
        if (inner) inner->first += shift, inner->last += shift;
        return inner;
      };
      if (!append_run(run, axis, phase, inner_block, all, started)) return std::nullopt;
    }
    return all;
  }

  // Blocks of a run start at every phase in turn: what one period of them adds, each further period adds too.
  template <typename Block>
  bool append_run(const Run& run, const Axis& axis, int64_t phase, Block block_at, Touched& all,
                  bool& started) const {
    const int64_t step = run.stride * axis.stride, period = line_ / std::gcd(step, line_),
                  blocks = run.count();
    int64_t count_before = 0;
    for (int64_t i = 0; i < blocks; ++i) {
      const std::optional<Touched> next = block_at(phase + run.lo * axis.stride + i * step);
      if (!next || !append(all, *next, started)) return false;
      if (i == 0) count_before = all.count;
      if (i != period) continue;
      const int64_t periods = (blocks - 1 - i) / period;
      all.count += periods * (all.count - count_before);
      all.last += periods * (period * step / line_);
      i += periods * period;
    }
    return true;
  }

  const std::vector<Axis>& axes_;
  int64_t elem_, line_;
  std::vector<std::vector<std::optional<Touched>>> memo_;
};

constexpr int64_t max_runs = 1 << 16, max_listed = 1 << 20;

// Ascending distinct values as runs, each as long as it can be.
Runs compress(const std::vector<int64_t>& values) {
  Runs runs;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i + 1;
    const int64_t stride = end < values.size() ? values[end] - values[i] : 1;
    while (end < values.size() && values[end] - values[end - 1] == stride) ++end;
    runs.push_back({values[i], values[end - 1], stride});
    i = end;
  }
  return runs;
}

// One value of `a` in `b`? Their values are lo + stride * i.
bool share_a_value(const Run& a, const Run& b) {
  const int64_t lo = std::max(a.lo, b.lo), hi = std::min(a.hi, b.hi);
  if (lo > hi) return false;
  // The sparser of the two, within the other's reach, is met in at most stride / gcd of its values.
  const Run& sparse = a.stride >= b.stride ? a : b;
  const Run& dense = a.stride >= b.stride ? b : a;
  int64_t x = sparse.lo + (lo - sparse.lo + sparse.stride - 1) / sparse.stride * sparse.stride;
  for (int64_t tries = 0; x <= hi && tries < dense.stride; ++tries, x += sparse.stride) {
    if ((x - dense.lo) % dense.stride == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<Runs> sum(const Runs& runs, int64_t coeff, int64_t len) {
  if (runs.empty() || len < 1) return Runs{};
  if (len == 1) return runs;
  if (runs.size() == 1) {
    const Run& run = runs[0];
    const int64_t reach = (len - 1) * coeff;
    if (run.count() == 1) return Runs{{run.lo, run.lo + reach, coeff}};
    if (coeff % run.stride == 0 && coeff <= run.hi - run.lo + run.stride) {
      return Runs{{run.lo, run.hi + reach, run.stride}};
    }
    if (run.stride % coeff == 0 && run.stride <= reach + coeff) return Runs{{run.lo, run.hi + reach, coeff}};
  }
  const int64_t copies = static_cast<int64_t>(runs.size());
  if (coeff > runs.back().hi - runs.front().lo) {  // the copies stand apart
    if (len > max_runs / copies) return std::nullopt;
    Runs all;
    for (int64_t i = 0; i < len; ++i) {
      for (const Run& run : runs) all.push_back({run.lo + i * coeff, run.hi + i * coeff, run.stride});
    }
    return all;
  }
  if (count(runs) > max_listed / len) return std::nullopt;
  std::vector<int64_t> values;
  for (int64_t i = 0; i < len; ++i) {
    for (const Run& run : runs) {
      for (int64_t x = run.lo; x <= run.hi; x += run.stride) values.push_back(x + i * coeff);
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return compress(values);
}

Runs clip(const Runs& runs, int64_t lo, int64_t end) {
  Runs inside;
  for (Run run : runs) {
    if (run.lo < lo) run.lo += (lo - run.lo + run.stride - 1) / run.stride * run.stride;
    if (run.hi >= end) run.hi -= (run.hi - end + run.stride) / run.stride * run.stride;
    if (run.lo <= run.hi) inside.push_back(run);
  }
  return inside;
}

bool intersect(const Runs& a, const Runs& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (share_a_value(a[i], b[j])) return true;
    (a[i].hi < b[j].hi ? i : j) += 1;
  }
  return false;
}

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
