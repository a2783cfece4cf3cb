// A progress bar on standard error: only when both it and standard output are terminals.
#pragma once

#include <string>

namespace cortex::bench {

class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  void show(double done, const std::string& doing);
  void clear();  // before anything else is printed

 private:
  bool active_ = false;
  bool visible_ = false;
  double started_ = 0, last_ = 0;
};

}  // namespace cortex::bench
