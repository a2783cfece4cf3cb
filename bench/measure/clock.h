// The clock everything is measured with.
#pragma once

#include <chrono>

namespace cortex::bench {

inline double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Seconds left of a limit; a limit of 0 never ends.
class Deadline {
 public:
  explicit Deadline(double seconds) : end_(seconds > 0 ? now_ns() + seconds * 1e9 : 0) {}
  bool limited() const { return end_ > 0; }
  bool passed() const { return limited() && now_ns() >= end_; }
  double seconds_left() const { return limited() ? (end_ - now_ns()) * 1e-9 : 1e30; }

 private:
  double end_;
};

}  // namespace cortex::bench
