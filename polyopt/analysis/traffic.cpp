#include "polyopt/analysis/traffic.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "polyopt/analysis/calls.h"
#include "polyopt/analysis/lines.h"

namespace cortex {
namespace {

using namespace polyhedral;

constexpr int64_t max_tiles = 1 << 20, max_rows = 1 << 24;

using Box = std::vector<TileRange>;

// Lines of one operand that a tile has and the tile before it had not. Depends on where the two stand
// relative to each other, to lines and to the tensor's edges, and on nothing else: few cases, each counted
// once.
class Arrivals {
 public:
  Arrivals(const Nest& nest, Operand operand, int64_t line) : nest_(nest), operand_(operand), line_(line) {
    for (int d = 0; d < std::ssize(nest.dims); ++d) {
      if (linear_stride(nest[operand], d) != 0) dims_.push_back(d);
    }
  }

  Result<int64_t> count(const Box* before, const Box& now) {
    if (before && std::all_of(dims_.begin(), dims_.end(), [&](int d) { return (*before)[d] == now[d]; }))
      return 0;
    std::vector<int64_t> key{before ? 1 : 0};
    describe(now, key);
    for (const int d : dims_) {
      if (before) key.insert(key.end(), {now[d].lo - (*before)[d].lo, (*before)[d].len});
    }
    if (before) describe(*before, key);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    const Result<Lines> here = lines(now), there = before ? lines(*before) : Result<Lines>(Lines{});
    if (!here) return here.error();
    if (!there) return there.error();
    const int64_t n = count_difference(*here, *there);
    known_.emplace(std::move(key), n);
    return n;
  }

  Result<Lines> lines(const Box& box) {
    const Result<Image> touched = image(nest_, operand_, box);
    if (!touched) return touched.error();
    std::optional<Lines> found = lines_of(*touched, nest_[operand_].tensor, line_, rows_left_);
    if (!found) {
      return unsupported(fmt::format("traffic of {} in {}: more than {} rows to visit",
                                     operand_name(operand_), nest_.name, max_rows));
    }
    rows_left_ -= std::ssize(*found);
    return std::move(*found);
  }

 private:
  void describe(const Box& box, std::vector<int64_t>& key) const {
    const Access& access = nest_[operand_];
    int64_t address = linear_constant(access);
    for (const int d : dims_) {
      address += linear_stride(access, d) * box[d].lo;
      key.push_back(box[d].len);
    }
    const int64_t bytes = address * size_of(access.tensor.type) % line_;
    key.push_back(bytes < 0 ? bytes + line_ : bytes);
    if (!access.padded) return;
    for (std::size_t j = 0; j < access.subscripts.size(); ++j) {  // how far it hangs over the edges
      int64_t lo = access.subscripts[j].constant, hi = lo;
      for (const AffineTerm& t : access.subscripts[j].terms) {
        lo += t.coeff * box[t.dim].lo;
        hi += t.coeff * (box[t.dim].lo + box[t.dim].len - 1);
      }
      key.push_back(std::max<int64_t>(0, -lo));
      key.push_back(std::max<int64_t>(0, hi - access.tensor.shape[j] + 1));
    }
  }

  const Nest& nest_;
  Operand operand_;
  int64_t line_, rows_left_ = max_rows;
  std::vector<int> dims_;  // that move through the operand
  std::map<std::vector<int64_t>, int64_t> known_;
};

class Walker {
 public:
  Walker(const Nest& nest, const Schedule& schedule, int depth, int64_t line)
      : nest_(nest), schedule_(schedule), depth_(depth) {
    for (int o = 0; o < operand_count; ++o) arrivals_.emplace_back(nest, static_cast<Operand>(o), line);
    for (const Dim& d : nest.dims) box_.push_back({0, d.extent});
    traffic_.line_bytes = line;
  }

  Result<TileTraffic> run() {
    const Result<Lines> all_of_c = arrivals_[2].lines(box_);
    if (!all_of_c) return all_of_c.error();
    if (Status walked = open(0); !walked) return walked.error();
    traffic_.allocated = polyhedral::count(*all_of_c);
    traffic_.written = traffic_.read[2];
    traffic_.read[2] -= traffic_.allocated;
    return traffic_;
  }

 private:
  Status open(int at) {
    if (at == depth_) return visit();
    const Loop& loop = schedule_.loops[at];
    const TileRange outer = box_[loop.dim];
    for (int64_t t = 0; t < trips(loop, outer); ++t) {
      box_[loop.dim] = tiles(loop, outer, t, t);
      if (Status inner = open(at + 1); !inner) return inner;
    }
    box_[loop.dim] = outer;
    return Status::success();
  }

  Status visit() {
    if (++traffic_.tiles > max_tiles) {
      return unsupported(fmt::format("traffic in {}: more than {} tiles to visit", nest_.name, max_tiles));
    }
    for (int o = 0; o < operand_count; ++o) {
      const Result<int64_t> lines = arrivals_[o].count(before_.empty() ? nullptr : &before_, box_);
      if (!lines) return lines.error();
      traffic_.read[o] += *lines;
    }
    before_ = box_;
    return Status::success();
  }

  const Nest& nest_;
  const Schedule& schedule_;
  int depth_;
  std::vector<Arrivals> arrivals_;
  Box box_, before_;
  TileTraffic traffic_;
};

}  // namespace

Result<TileTraffic> tile_traffic(const Nest& nest, const Schedule& schedule, int depth, int64_t line_bytes) {
  if (depth < 0 || depth > std::ssize(schedule.loops)) {
    return invalid_argument(fmt::format("traffic in {}: depth {} of a schedule with {} loops", nest.name,
                                        depth, schedule.loops.size()));
  }
  return Walker(nest, schedule, depth, line_bytes).run();
}

}  // namespace cortex
