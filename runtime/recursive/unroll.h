// Unrolling: a node right after its children, in place of levels.
#pragma once

#include "runtime/recursive/linearize.h"

namespace cortex::recursive {

// Reorders what linearize ordered: leaves stay where they are, the first level; every other node becomes a
// level of its own, in post-order. Of two children the higher one comes first, so that few nodes wait for
// their parent. Never recurses.
void unroll(Linear& linear);

}  // namespace cortex::recursive
