// How many cores threads really have: other work, affinity and quotas take them away.
#pragma once

namespace cortex::bench {

// CPU seconds per second that `threads` spinning threads get between them, over about `seconds`; at most
// `threads`, up to rounding.
double cores_had(int threads, double seconds);

}  // namespace cortex::bench
