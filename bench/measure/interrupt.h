// Ctrl-C while something is measured: what has been found so far is kept.
#pragma once

#include <sys/types.h>

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

// As if SIGINT had come.
void interrupt();

// Interrupts a process too. Where the terminal has told it already, this changes nothing.
void pass_interrupt_on(pid_t process);

}  // namespace cortex::bench
