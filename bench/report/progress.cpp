#include "bench/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "bench/measure/clock.h"
#include "support/tools/output.h"

namespace cortex::bench {

Progress::Progress() : active_(isatty(STDOUT_FILENO) && isatty(STDERR_FILENO)), started_(now_ns()) {}

void Progress::show(double done, const std::string& doing) {
  if (!active_ || now_ns() - last_ < 50e6) return;
  last_ = now_ns();
  winsize size{};
  const int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  const double elapsed = (last_ - started_) * 1e-9;
  const int filled = static_cast<int>(20 * std::clamp(done, 0.0, 1.0));
  std::string line =
      fmt::format("[{:#<{}}{:.<{}}] {:3.0f} % {:.0f} s", "", filled, "", 20 - filled, 100 * done, elapsed);
  if (done > 0.02) line += fmt::format(", about {:.0f} s left", elapsed * (1 - done) / done);
  line += ": " + doing;
  line.resize(std::min<std::size_t>(line.size(), static_cast<std::size_t>(width - 1)));
  complain("\r\033[K{}", line);
  std::fflush(stderr);
  visible_ = true;
}

void Progress::clear() {
  if (!visible_) return;
  complain("\r\033[K");
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace cortex::bench
