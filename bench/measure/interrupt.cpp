#include "bench/measure/interrupt.h"

#include <signal.h>
#include <time.h>

namespace cortex::bench {
namespace {

volatile sig_atomic_t flag = 0;
struct sigaction before;

timespec first;

// One press may arrive twice, as a signal to the process and to its group.
constexpr double apart = 0.5;

// What a parent passes on is the same press once more, however late it comes.
void raise_flag(int, siginfo_t* info, void*) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (!flag) {
    flag = 1;
    first = now;
    return;
  }
  if (info->si_code == SI_QUEUE) return;
  const double passed = static_cast<double>(now.tv_sec - first.tv_sec) +
                        static_cast<double>(now.tv_nsec - first.tv_nsec) * 1e-9;
  if (passed < apart) return;
  signal(SIGINT, SIG_DFL);
  raise(SIGINT);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  flag = 0;
  struct sigaction action {};
  action.sa_sigaction = raise_flag;
  // A read that waits goes on: a worker ends by itself, and with it what is read.
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigaction(SIGINT, &action, &before);
}

InterruptGuard::~InterruptGuard() { sigaction(SIGINT, &before, nullptr); }

bool interrupted() { return flag != 0; }

void interrupt() {
  if (!flag) clock_gettime(CLOCK_MONOTONIC, &first);
  flag = 1;
}

void pass_interrupt_on(pid_t process) { sigqueue(process, SIGINT, {}); }

}  // namespace cortex::bench
