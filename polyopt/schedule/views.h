// Views: the byte stride of every dim in an operand, as user memory or as a pack's scratch.
#pragma once

#include "polyopt/schedule/program.h"

namespace cortex {

// The operand where the user (or, for B packed ahead of time, nobody yet) holds it.
View user_view(const Nest& nest, Operand operand);

// Layout of one pack: descriptor, origin coefficients, bytes. Refuses boxes that overflow or that the
// pack routine cannot describe.
Result<ProgramPack> plan_pack(const Nest& nest, const Schedule& schedule, const Pack& pack,
                              const KernelInfo& kernel);

// The operand inside the pack.
View packed_view(const Nest& nest, const ProgramPack& pack, int n_dim);

}  // namespace cortex
