// Ctrl-C while something is measured: what has been found so far is kept.
#pragma once

namespace cortex::bench {

// While one lives, the first SIGINT only sets a flag, which measuring loops ask for; a second one ends the
// process as always. One at a time in a process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

// Whether SIGINT came since the guard was made.
bool interrupted();

}  // namespace cortex::bench
