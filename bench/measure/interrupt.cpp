#include "bench/measure/interrupt.h"

#include <signal.h>

namespace cortex::bench {
namespace {

volatile sig_atomic_t flag = 0;
struct sigaction before;

void raise_flag(int) { flag = 1; }

}  // namespace

InterruptGuard::InterruptGuard() {
  flag = 0;
  struct sigaction action {};
  action.sa_handler = raise_flag;
  // A read that waits goes on: a worker ends by itself, and with it what is read.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, &before);
}

InterruptGuard::~InterruptGuard() { sigaction(SIGINT, &before, nullptr); }

bool interrupted() { return flag != 0; }

}  // namespace cortex::bench
