// A child process with a pipe to its descriptor 3 (what we say) and one from its descriptor 4 (what it says).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "support/result.h"

namespace cortex::bench {

class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills what still runs

  // Runs this executable again with `arguments`, writes `input` to its descriptor 3 and closes it.
  Status start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
               const std::string& input);
  // The next line from its descriptor 4, without the newline; false at the end. SIGINT of an InterruptGuard
  // is passed on to it, once.
  bool read_line(std::string& line);
  // After the end: its exit status as waitpid reports it.
  int wait();

 private:
  void wait_for_output();

  pid_t pid_ = -1;
  bool passed_on_ = false;
  int from_ = -1;
  std::string pending_;
};

}  // namespace cortex::bench
