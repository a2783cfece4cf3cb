// The measuring process of `cortex-bench run`: one ISA, all sets of a job.
#pragma once

namespace cortex::bench {

// Reads the job from descriptor 3, writes events to descriptor 4, one JSON object a line:
//   {"event": "context", "isa", "context": {...}, "versions": {backend: version}}
//   {"event": "begin", "set", "contestant", "doing"}       what a crash would be blamed on
//   {"event": "row", "set", "row": {...}}
//   {"event": "refused", "set", "refusal": {...}}
//   {"event": "end_set", "set"}
//   {"event": "error", "message", "code"}                   the run cannot go on
int run_worker();

}  // namespace cortex::bench
