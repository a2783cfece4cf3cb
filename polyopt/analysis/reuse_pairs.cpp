#include "polyopt/analysis/reuse_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "polyopt/analysis/image.h"

namespace cortex::polyhedral {
namespace {

// Two calls share an element if and only if each subscript takes a common value in both, and no loop moves
// two subscripts: so the loops fall into groups, one per subscript and one per dim that moves none, and
// the first (last) pair is that of every group put together.
struct Group {
  int axis = -1;           // subscript of the operand; -1: its loops move none
  int moving = 0;          // dims of more than one iteration in it
  std::vector<int> loops;  // outermost first
};

std::vector<Group> groups_of(const Nest& nest, const Schedule& schedule, Operand operand) {
  const auto& subscripts = nest[operand].subscripts;
  std::vector<Group> groups;
  std::vector<int> group_of(nest.dims.size(), -1);
  for (int j = 0; j < std::ssize(subscripts); ++j) {
    for (const AffineTerm& t : subscripts[j].terms) {
      if (nest.dims[t.dim].extent == 1) continue;  // may stand in several; moves none
      group_of[t.dim] = j;
    }
    groups.push_back({.axis = j, .loops = {}});
    groups.back().moving = static_cast<int>(std::count(group_of.begin(), group_of.end(), j));
  }
  for (int l = 0; l < std::ssize(schedule.loops); ++l) {
    int& group = group_of[schedule.loops[l].dim];
    if (group < 0) {
      group = static_cast<int>(groups.size());
      groups.push_back({.loops = {}});
    }
    groups[group].loops.push_back(l);
  }
  return groups;
}

// Searches the tile indices of one group's loops in lexicographic order.
class GroupSearch {
 public:
  GroupSearch(const Nest& nest, const Schedule& schedule, Operand operand, const Group& group, int carrier)
      : nest_(nest), schedule_(schedule), operand_(operand), group_(group), carrier_(carrier) {
    for (const Dim& d : nest.dims) ranges_.push_back({0, d.extent});
    carries_ = std::find(group.loops.begin(), group.loops.end(), carrier) != group.loops.end();
  }

  // Writes the group's part of the pair; false: there is none.
  Result<bool> find(ReusePair& pair) {
    // Tiles of a single dim are disjoint: only itself shares elements with one.
    if (carries_ && group_.axis >= 0 && group_.moving < 2) return false;
    const bool found = first_source(0, pair);
    if (error_) return *error_;
    return found;
  }

 private:
  // Enough for every list of layers by far; what exceeds it is left to isl.
  static constexpr int64_t max_steps = 4'000'000;

  bool stop() {
    if (!error_ && ++steps_ > max_steps) {
      error_ = unsupported(fmt::format("reuse of {} in {}: more than {} pairs of tiles to look at",
                                       operand_name(operand_), nest_.name, max_steps));
    }
    return error_.has_value();
  }

  Runs runs_here() {
    if (group_.axis < 0) return {};
    Result<Runs> runs = axis_image(nest_, operand_, group_.axis, ranges_);
    if (runs) return std::move(*runs);
    error_ = runs.error();
    return {};
  }

  // Bounds of the subscript over the current ranges, clipping aside.
  bool may_meet_source() const {
    if (group_.axis < 0) return true;
    int64_t lo = nest_[operand_].subscripts[group_.axis].constant, hi = lo;
    for (const AffineTerm& t : nest_[operand_].subscripts[group_.axis].terms) {
      lo += t.coeff * ranges_[t.dim].lo;
      hi += t.coeff * (ranges_[t.dim].lo + ranges_[t.dim].len - 1);
    }
    return lo <= source_.back().hi && hi >= source_.front().lo;
  }

  bool first_source(std::size_t at, ReusePair& pair) {
    if (stop()) return false;
    if (at == group_.loops.size()) {
      source_ = runs_here();
      if (error_ || (group_.axis >= 0 && source_.empty())) return false;
      const std::vector<TileRange> here = ranges_;
      for (std::size_t d = 0; d < ranges_.size(); ++d) ranges_[d] = {0, nest_.dims[d].extent};
      const bool found =
          target(0, pair.source, pair.nearest, false) && target(0, pair.source, pair.farthest, true);
      ranges_ = here;
      return found;
    }
    const int l = group_.loops[at];
    const Loop& loop = schedule_.loops[l];
    const TileRange outer = ranges_[loop.dim];
    for (int64_t t = 0; t < trips(loop, outer); ++t) {
      pair.source[l] = t;
      ranges_[loop.dim] = tiles(loop, outer, t, t);
      const bool found = first_source(at + 1, pair);
      ranges_[loop.dim] = outer;
      if (found || error_) return found;
    }
    return false;
  }

  bool target(std::size_t at, const CallIndex& source, CallIndex& found, bool last) {
    if (stop() || !may_meet_source()) return false;
    if (at == group_.loops.size()) return group_.axis < 0 || intersect(source_, runs_here());
    const int l = group_.loops[at];
    const Loop& loop = schedule_.loops[l];
    const TileRange outer = ranges_[loop.dim];
    int64_t from = 0, to = trips(loop, outer) - 1;
    if (l < carrier_) from = to = source[l];
    if (l == carrier_) from = source[l] + 1;
    for (int64_t k = 0; k <= to - from; ++k) {
      found[l] = last ? to - k : from + k;
      ranges_[loop.dim] = tiles(loop, outer, found[l], found[l]);
      const bool here = target(at + 1, source, found, last);
      ranges_[loop.dim] = outer;
      if (here || error_) return here;
    }
    return false;
  }

  const Nest& nest_;
  const Schedule& schedule_;
  Operand operand_;
  const Group& group_;
  int carrier_;
  bool carries_ = false;
  std::vector<TileRange> ranges_;
  Runs source_;
  int64_t steps_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<std::optional<ReusePair>> reuse_pair(const Nest& nest, const Schedule& schedule, Operand operand,
                                            int loop) {
  if (!separable(nest, operand)) {
    return unsupported(fmt::format("reuse of {} in {}: a dim moves two subscripts at once",
                                   operand_name(operand), nest.name));
  }
  const std::size_t loops = schedule.loops.size();
  ReusePair pair{CallIndex(loops), CallIndex(loops), CallIndex(loops)};
  for (const Group& group : groups_of(nest, schedule, operand)) {
    const Result<bool> found = GroupSearch(nest, schedule, operand, group, loop).find(pair);
    if (!found) return found.error();
    if (!*found) return std::optional<ReusePair>{};
  }
  return std::optional<ReusePair>(std::move(pair));
}

}  // namespace cortex::polyhedral
