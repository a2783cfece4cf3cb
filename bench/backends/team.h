// Runs one share per thread on OpenMP's threads, for peers that leave threading to their caller.
#pragma once

#include <omp.h>

namespace cortex::bench {

template <typename Share>
void run_on_team(int threads, const Share& share) {
  if (threads == 1) {
    share(0);
    return;
  }
#pragma omp parallel num_threads(threads)
  share(omp_get_thread_num());
}

}  // namespace cortex::bench
