#include "bench/fuzz/shards.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/fuzz/run_case.h"
#include "bench/measure/clock.h"
#include "bench/measure/interrupt.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

constexpr unsigned seconds_per_case = 60;  // longer is a hang

// Where a shard is; in memory shared with the parent, so that it outlives a crash.
struct Position {
  int64_t index;  // of the case at work or next
  int isa;        // position in FuzzOptions::isas
  int64_t runs;
  double largest_ratio;
  int64_t largest_index;
  int largest_isa;
};

struct Shard {
  pid_t pid = -1;
  Position* at = nullptr;
  bool done = false;
};

void run_shard(const FuzzOptions& o, Position& at, int report_fd, const Deadline& deadline) {
  CaseRunner runner;
  for (; at.index < o.first + o.count && !deadline.passed() && !interrupted(); at.index += o.processes) {
    const FuzzCase c = random_case(o.seed, at.index, o.space);
    for (; at.isa < static_cast<int>(o.isas.size()); ++at.isa) {
      alarm(seconds_per_case);
      const CaseOutcome outcome = runner.run(c, o.isas[static_cast<std::size_t>(at.isa)]);
      ++at.runs;
      if (!outcome.ok) {
        // One write below PIPE_BUF: lines of several shards do not mix.
        std::string line = fmt::format("{} {} {}", at.index, at.isa, outcome.message);
        line.resize(std::min<std::size_t>(line.size(), 3000));
        line += '\n';
        if (write(report_fd, line.data(), line.size()) < 0) _exit(1);
      } else if (outcome.error_ratio > at.largest_ratio) {
        at.largest_ratio = outcome.error_ratio;
        at.largest_index = at.index;
        at.largest_isa = at.isa;
      }
    }
    at.isa = 0;
  }
  alarm(0);
}

class Shards {
 public:
  Shards(const FuzzOptions& options, const FuzzListener& listener)
      : options_(options), listener_(listener), deadline_(options.time_limit) {}
  ~Shards() {
    for (Shard& shard : shards_) {
      if (shard.pid > 0) {
        kill(shard.pid, SIGKILL);
        waitpid(shard.pid, nullptr, 0);
      }
    }
    if (positions_) munmap(positions_, bytes());
    for (int fd : pipe_) {
      if (fd >= 0) close(fd);
    }
  }

  Result<FuzzReport> run() {
    void* memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || pipe(pipe_) != 0) {
      return io_error(fmt::format("cannot share memory with child processes: {}", std::strerror(errno)));
    }
    positions_ = static_cast<Position*>(memory);
    shards_.resize(static_cast<std::size_t>(options_.processes));
    for (int i = 0; i < options_.processes; ++i) {
      positions_[i] = {options_.first + i, 0, 0, 0, 0, 0};
      shards_[static_cast<std::size_t>(i)].at = &positions_[i];
      if (Status s = start(shards_[static_cast<std::size_t>(i)]); !s) return s.error();
    }
    while (std::any_of(shards_.begin(), shards_.end(), [](const Shard& s) { return !s.done; })) {
      take_reports(100);
      if (interrupted()) pass_on();
      for (Shard& shard : shards_) {
        if (Status s = look_after(shard); !s) return s.error();
      }
      if (listener_.progress) listener_.progress(runs());
    }
    take_reports(0);
    report_.runs = runs();
    report_.interrupted = interrupted() && report_.runs / std::ssize(options_.isas) < options_.count;
    for (const Shard& shard : shards_) {
      if (shard.at->largest_ratio <= report_.largest_ratio) continue;
      report_.largest_ratio = shard.at->largest_ratio;
      report_.largest_index = shard.at->largest_index;
      report_.largest_isa = options_.isas[static_cast<std::size_t>(shard.at->largest_isa)];
    }
    return std::move(report_);
  }

 private:
  std::size_t bytes() const { return sizeof(Position) * static_cast<std::size_t>(options_.processes); }
  int64_t runs() const {
    int64_t total = 0;
    for (const Shard& shard : shards_) total += shard.at->runs;
    return total;
  }

  Status start(Shard& shard) {
    output::flush();  // a child has the buffer too
    shard.pid = fork();
    if (shard.pid < 0) return io_error(fmt::format("cannot start a child process: {}", std::strerror(errno)));
    if (shard.pid > 0) return Status::success();
    run_shard(options_, *shard.at, pipe_[1], deadline_);
    _exit(0);
  }

  // Once: those that a terminal told already ignore it.
  void pass_on() {
    if (passed_on_) return;
    passed_on_ = true;
    for (const Shard& shard : shards_) {
      if (shard.pid > 0) pass_interrupt_on(shard.pid);
    }
  }

  // A child that ended well is done; one that crashed is blamed on its case and started again after it.
  Status look_after(Shard& shard) {
    int status = 0;
    if (shard.done || waitpid(shard.pid, &status, WNOHANG) != shard.pid) return Status::success();
    shard.pid = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      shard.done = true;
      return Status::success();
    }
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGINT || number == SIGTERM) return internal_error("interrupted");
    fail({shard.at->index, options_.isas[static_cast<std::size_t>(shard.at->isa)],
          number == SIGALRM ? fmt::format("hangs (over {} s)", seconds_per_case)
          : number
              ? fmt::format("crashes ({}): an operand was overrun, or an input written", strsignal(number))
              : fmt::format("ends its process with exit code {}", WEXITSTATUS(status))});
    ++shard.at->runs;
    if (++shard.at->isa == static_cast<int>(options_.isas.size())) {
      shard.at->isa = 0;
      shard.at->index += options_.processes;
    }
    return start(shard);
  }

  void take_reports(int wait_ms) {
    pollfd waiting{pipe_[0], POLLIN, 0};
    while (poll(&waiting, 1, wait_ms) > 0) {
      char chunk[8192];
      const ssize_t n = read(pipe_[0], chunk, sizeof chunk);
      if (n <= 0) break;
      pending_.append(chunk, static_cast<std::size_t>(n));
      wait_ms = 0;
    }
    for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1)) {
      const std::string line = pending_.substr(0, end);
      char* rest = nullptr;
      FuzzFailure failure;
      failure.index = std::strtoll(line.c_str(), &rest, 10);
      failure.isa = options_.isas[static_cast<std::size_t>(std::strtol(rest, &rest, 10))];
      failure.message = *rest ? rest + 1 : rest;
      fail(failure);
    }
  }

  void fail(const FuzzFailure& failure) {
    report_.failures.push_back(failure);
    if (listener_.failed) listener_.failed(failure);
  }

  const FuzzOptions& options_;
  const FuzzListener& listener_;
  Deadline deadline_;
  FuzzReport report_;
  std::vector<Shard> shards_;
  Position* positions_ = nullptr;
  int pipe_[2] = {-1, -1};
  std::string pending_;
  bool passed_on_ = false;
};

}  // namespace

Result<FuzzReport> fuzz(const FuzzOptions& options, const FuzzListener& listener) {
  const InterruptGuard guard;  // children have it too
  return Shards(options, listener).run();
}

}  // namespace cortex::bench
