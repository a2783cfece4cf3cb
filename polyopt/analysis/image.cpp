#include "polyopt/analysis/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "support/checked.h"

namespace cortex::polyhedral {
namespace {

constexpr std::size_t max_images = 64;
constexpr int64_t max_residues = 1 << 16, max_listed = 1 << 22;

// How many indices of one axis lie in exactly the images of a mask.
using Classes = std::map<uint64_t, int64_t>;

struct Active {
  Run run;
  uint64_t bit;
};

// Indices in [lo, end), where all of `active` reach from end to end; only strides tell them apart.
bool classify(const std::vector<Active>& active, int64_t lo, int64_t end, Classes& classes) {
  uint64_t all = 0;
  int64_t period = 1;
  for (const Active& a : active) {
    all |= a.bit;
    if (period > max_residues || a.run.stride > max_residues) {
      period = max_residues + 1;
    } else {
      period = std::lcm(period, a.run.stride);
    }
  }
  if (period == 1) {
    classes[all] += end - lo;
    return true;
  }
  const int64_t residues = std::min(period > max_residues ? end - lo : period, end - lo);
  if (residues > max_listed) return false;
  const bool listed = residues == end - lo;
  for (int64_t r = 0; r < residues; ++r) {
    uint64_t mask = 0;
    for (const Active& a : active) {
      if ((lo + r - a.run.lo) % a.run.stride == 0) mask |= a.bit;
    }
    if (mask) classes[mask] += listed ? 1 : (end - lo - r - 1) / period + 1;
  }
  return true;
}

// Sweeps one axis from left to right.
bool classes_of(const std::vector<Image>& images, std::size_t axis, Classes& classes) {
  std::vector<Active> runs;
  std::vector<int64_t> cuts;
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (const Run& run : images[i][axis]) {
      runs.push_back({run, uint64_t{1} << i});
      cuts.push_back(run.lo);
      cuts.push_back(run.hi + 1);
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Active& a, const Active& b) { return a.run.lo < b.run.lo; });
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Active> active;
  std::size_t next = 0;
  for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
    std::erase_if(active, [&](const Active& a) { return a.run.hi < cuts[c]; });
    for (; next < runs.size() && runs[next].run.lo == cuts[c]; ++next) active.push_back(runs[next]);
    if (!active.empty() && !classify(active, cuts[c], cuts[c + 1], classes)) return false;
  }
  return true;
}

// Elements of axes [axis, rank) that lie in some image of `mask`, given the indices before.
class UnionCounter {
 public:
  explicit UnionCounter(std::vector<Classes> axes) : axes_(std::move(axes)), known_(axes_.size()) {}

  std::optional<int64_t> count(std::size_t axis, uint64_t mask) {
    if (axis == axes_.size()) return 1;
    if (const auto found = known_[axis].find(mask); found != known_[axis].end()) return found->second;
    int64_t total = 0;
    for (const auto& [classes, number] : axes_[axis]) {
      if ((classes & mask) == 0) continue;
      const std::optional<int64_t> inner = count(axis + 1, classes & mask);
      const auto product = inner ? checked_mul(*inner, number) : std::nullopt;
      const auto next = product ? checked_add(total, *product) : std::nullopt;
      if (!next) return std::nullopt;
      total = *next;
    }
    known_[axis].emplace(mask, total);
    return total;
  }

 private:
  std::vector<Classes> axes_;
  std::vector<std::map<uint64_t, int64_t>> known_;
};

}  // namespace

bool empty(const Image& image) {
  return std::any_of(image.begin(), image.end(), [](const Runs& runs) { return runs.empty(); });
}

bool separable(const Nest& nest, Operand operand) {
  std::vector<int> used(nest.dims.size());
  for (const AffineExpr& e : nest[operand].subscripts) {
    for (const AffineTerm& t : e.terms) {
      if (nest.dims[t.dim].extent > 1 && ++used[t.dim] > 1) return false;
    }
  }
  return true;
}

Result<Runs> axis_image(const Nest& nest, Operand operand, int axis, const std::vector<TileRange>& box) {
  const Access& access = nest[operand];
  const AffineExpr& e = access.subscripts[axis];
  std::vector<AffineTerm> terms = e.terms;
  std::sort(terms.begin(), terms.end(),
            [](const AffineTerm& a, const AffineTerm& b) { return a.coeff < b.coeff; });
  std::optional<Runs> runs = Runs{{e.constant, e.constant, 1}};
  for (const AffineTerm& t : terms) {
    const TileRange& range = box[t.dim];
    for (Run& run : *runs) {
      run.lo += t.coeff * range.lo;
      run.hi += t.coeff * range.lo;
    }
    runs = sum(*runs, t.coeff, range.len);
    if (!runs) {
      return unsupported(fmt::format("image of {} in {}: subscript {} leaves too many gaps to list",
                                     operand_name(operand), nest.name, axis));
    }
  }
  return access.padded ? clip(*runs, 0, access.tensor.shape[axis]) : *runs;
}

Result<Image> image(const Nest& nest, Operand operand, const std::vector<TileRange>& box) {
  if (!separable(nest, operand)) {
    return unsupported(
        fmt::format("image of {} in {}: a dim moves two subscripts at once, so the image of a "
                    "box is no product",
                    operand_name(operand), nest.name));
  }
  Image product;
  for (int j = 0; j < std::ssize(nest[operand].subscripts); ++j) {
    Result<Runs> runs = axis_image(nest, operand, j, box);
    if (!runs) return runs.error();
    product.push_back(std::move(*runs));
  }
  return product;
}

Result<int64_t> count_union(const std::vector<Image>& images) {
  std::vector<Image> kept;
  for (const Image& one : images) {
    if (!empty(one) && std::find(kept.begin(), kept.end(), one) == kept.end()) kept.push_back(one);
  }
  if (kept.empty()) return 0;
  if (kept.size() > max_images) {
    return unsupported(fmt::format("union of {} images: at most {}", kept.size(), max_images));
  }
  std::vector<Classes> axes(kept.front().size());
  for (std::size_t j = 0; j < axes.size(); ++j) {
    if (!classes_of(kept, j, axes[j])) return unsupported("union of images: too many gaps to list");
  }
  const uint64_t all = kept.size() == max_images ? ~uint64_t{0} : (uint64_t{1} << kept.size()) - 1;
  const std::optional<int64_t> n = UnionCounter(std::move(axes)).count(0, all);
  if (!n) return overflow_error("union of images: more elements than 64 bits count");
  return *n;
}

}  // namespace cortex::polyhedral
