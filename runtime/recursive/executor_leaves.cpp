#include <algorithm>
#include <numeric>

#include "runtime/recursive/executor.h"
#include "runtime/recursive/walk.h"

namespace cortex::recursive {
namespace {

// Leaves with the words first, first + 1, ..., the last of all being the leaf without a word; one level, and
// each with a parent, so that what parents alone need is computed too.
void line_up(int64_t first, int64_t count, int64_t words, Linear& out) {
  const auto n = static_cast<std::size_t>(count);
  out.nodes = count;
  out.edges = 0;
  out.levels = 1;
  out.leaves = count;
  out.level_start = {0, static_cast<int32_t>(count)};
  out.level_inner = {static_cast<int32_t>(count)};
  out.original.resize(n);
  std::iota(out.original.begin(), out.original.end(), 0);
  out.position = out.original;
  out.child_begin.assign(n + 1, 0);
  out.children.clear();
  out.word.resize(n);
  std::iota(out.word.begin(), out.word.end(), static_cast<int32_t>(first));
  if (first + count > words) out.word.back() = -1;
  out.selected.assign(n, -1);
  out.first_child = {-1};
}

}  // namespace

Status Executor::keep_leaves(const CompiledModel& model, std::size_t d, LeafStates& leaves) {
  if (!leaves.any_kept()) return {};
  Result<std::unique_ptr<Executor>> made = create(model, 1);
  if (!made) return made.error();
  Executor& self = **made;
  const Direction& direction = model.directions[d];
  constexpr int64_t at_once = 256;
  for (int64_t first = 0; first <= leaves.words(); first += at_once) {
    const int64_t count = std::min(at_once, leaves.words() + 1 - first);
    line_up(first, count, leaves.words(), self.linear_[d]);
    if (!self.reserve(d)) return Error{ErrorCode::out_of_memory, "leaf states: out of memory"};
    cortex_recursive_batch batch{};
    batch.nodes = count;
    Walk(model, direction, self.linear_[d], self.arenas_[d], self.rooms_[d][0], batch, *self.team_, 0, 1,
         nullptr)
        .run();
    for (std::size_t s = 0; s < direction.program.state_width.size(); ++s) {
      if (!leaves.kept(static_cast<int>(s))) continue;
      const float* from = self.arenas_[d].state[s].as<float>();
      for (int64_t row = 0; row < count; ++row) {
        std::copy_n(from + row * self.arenas_[d].state_stride[s], direction.program.state_width[s],
                    leaves.kept_row(static_cast<int>(s), first + row));
      }
    }
  }
  return {};
}

}  // namespace cortex::recursive
