#include "polyopt/recursive/unroll_cost.h"

#include <numeric>

namespace cortex::recursive {
namespace {

// What a byte from memory costs over one from a near cache, and the part of the last cache that a batch's
// states may fill, the rest being others'. Zen 5, 32 MB: MV-RNN-64 gains 4 % at 28 MB of states and loses 3 %
// at 9 MB, MV-RNN-128 gains 2 % at 75 MB and loses 1 % at 12 MB.
constexpr double memory_over_near = 4;
constexpr double filled = 0.75;

}  // namespace

MovedBytes moved_bytes(const Program& program, double bytes_of_weight) {
  MovedBytes moved;
  for (const Phase& phase : program.node.phases) {
    for (const Step& step : phase.steps) {
      if (const auto* gemm = std::get_if<Gemm>(&step))
        moved.weights += static_cast<double>(gemm->n * gemm->k) * bytes_of_weight;
    }
  }
  for (const int64_t width : program.state_width) moved.states += 4 * static_cast<double>(width);
  return moved;
}

bool unrolling_pays(const MovedBytes& moved, const UnrolledBatch& batch, double last_cache_bytes) {
  if (batch.nodes * moved.states <= filled * last_cache_bytes) return false;
  const double found_near = batch.edges * moved.states * (memory_over_near - 1);
  return found_near > (batch.nodes - batch.levels) * moved.weights;
}

}  // namespace cortex::recursive
