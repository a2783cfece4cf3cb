#include "polyopt/model/ask_for_c.h"

#include "polyopt/model/halves.h"

namespace cortex {

// Where FMAs of whole vectors take two halves' time (Zen 4), asking is free beside them, and C is asked for
// as soon as L2 does not hold it with what else is read. One core, 7x64 tiles, microseconds without and with:
// 3136x256x64 1185 and 1027, 784x512x128 1056 and 969, 196x1024x256 962 and 938, 128x768x768 1457 and 1426.
// Products of narrow types have fewer instructions between two tiles of C to hide it behind: they lose by it.
void ask_for_c(Program& program, const Machine& machine) {
  if (program.kernel.is_dwconv || program.kernel.c_far != 0 || machine.caches.size() < 2) return;
  if (!halves_take_turns(machine)) return;
  if (program.nest[Operand::a].tensor.type != DataType::f32) return;
  const Tensor& c = program.nest[Operand::c].tensor;
  int64_t bytes = size_of(c.type);
  for (const int64_t extent : c.shape) bytes *= extent;
  if (bytes > machine.caches[1].bytes / 4) program.kernel.c_far = 1;
}

}  // namespace cortex
