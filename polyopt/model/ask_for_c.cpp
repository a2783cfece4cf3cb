#include "polyopt/model/ask_for_c.h"

#include "polyopt/model/halves.h"

namespace cortex {

// Where FMAs of whole vectors take two halves' time (Zen 4), asking is free beside them, and C is asked for
// as soon as L2 does not hold it with what else is read. One core, 7x64 tiles, microseconds without and with:
// 3136x256x64 1185 and 1027, 784x512x128 1056 and 969, 196x1024x256 962 and 938, 128x768x768 1457 and 1426;
// in bf16, A asked for too: 3136x1024x256 7595 and 7286, 12544x512x128 7984 and 7290, 50176x64x576 (3x3)
// 16318 and 15690. Products of bytes have fewer instructions between two tiles of C to hide it behind: they
// lose by it, and f32 gains nothing by asking for A.
void ask_for_c(Program& program, const Machine& machine) {
  if (program.kernel.is_dwconv || machine.caches.size() < 2) return;
  if (!halves_take_turns(machine)) return;
  const Access& a = program.nest[Operand::a];
  const bool pairs = a.tensor.type == DataType::bf16x2;
  if (!pairs && a.tensor.type != DataType::f32) return;
  const int64_t few = small_beside_l2(machine);
  if (pairs && byte_size(a.tensor) > few) ask_for_next_a(program);
  if (program.kernel.c_far == 0 && byte_size(program.nest[Operand::c].tensor) > few) program.kernel.c_far = 1;
}

}  // namespace cortex
