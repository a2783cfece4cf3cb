#include "polyopt/analysis/lines.h"

#include <algorithm>

namespace cortex::polyhedral {
namespace {

class LineLister {
 public:
  LineLister(const Image& image, const Tensor& tensor, int64_t line, int64_t max_rows)
      : line_(line), left_(max_rows), elem_(size_of(tensor.type)) {
    for (std::size_t j = 0; j < image.size(); ++j) axes_.push_back({image[j], tensor.strides[j] * elem_});
    std::sort(axes_.begin(), axes_.end(), [](const Axis& a, const Axis& b) { return a.stride > b.stride; });
  }

  std::optional<Lines> list() {
    visit(0, 0);
    if (left_ < 0) return std::nullopt;
    std::sort(lines_.begin(), lines_.end());
    Lines merged;
    for (const LineInterval& next : lines_) {
      if (!merged.empty() && next.first <= merged.back().second + 1) {
        merged.back().second = std::max(merged.back().second, next.second);
      } else {
        merged.push_back(next);
      }
    }
    return merged;
  }

 private:
  void add(int64_t first_byte, int64_t last_byte) {
    if (--left_ < 0) return;
    lines_.push_back({first_byte / line_, last_byte / line_});
  }

  void visit(std::size_t axis, int64_t address) {
    if (left_ < 0) return;
    if (axis == axes_.size()) return add(address, address + elem_ - 1);
    for (const Run& run : axes_[axis].indices) {
      const int64_t stride = axes_[axis].stride;
      if (axis + 1 == axes_.size() && run.stride * stride <= line_) {  // leaves out no line in between
        add(address + run.lo * stride, address + run.hi * stride + elem_ - 1);
        continue;
      }
      for (int64_t x = run.lo; x <= run.hi && left_ >= 0; x += run.stride)
        visit(axis + 1, address + x * stride);
    }
  }

  int64_t line_, left_, elem_;
  std::vector<Axis> axes_;
  Lines lines_;
};

}  // namespace

int64_t count(const Lines& lines) {
  int64_t n = 0;
  for (const LineInterval& i : lines) n += i.second - i.first + 1;
  return n;
}

int64_t count_difference(const Lines& lines, const Lines& without) {
  int64_t common = 0;
  std::size_t i = 0, j = 0;
  while (i < lines.size() && j < without.size()) {
    const int64_t lo = std::max(lines[i].first, without[j].first);
    const int64_t hi = std::min(lines[i].second, without[j].second);
    if (lo <= hi) common += hi - lo + 1;
    (lines[i].second < without[j].second ? i : j) += 1;
  }
  return count(lines) - common;
}

std::optional<Lines> lines_of(const Image& image, const Tensor& tensor, int64_t line_bytes,
                              int64_t max_rows) {
  if (empty(image)) return Lines{};
  return LineLister(image, tensor, line_bytes, max_rows).list();
}

}  // namespace cortex::polyhedral
