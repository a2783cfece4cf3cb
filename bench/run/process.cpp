#include "bench/run/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "bench/measure/interrupt.h"

namespace cortex::bench {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// Above 4, so that the child can put them at 3 and 4 in either order.
int moved_up(int fd) {
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  close(fd);
  return high;
}

}  // namespace

Child::~Child() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    wait();
  }
  if (from_ >= 0) close(from_);
}

Status Child::start(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                    const std::string& input) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
    return io_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const int child_in = moved_up(in[0]), child_out = moved_up(out[1]);
  std::vector<std::string> argument_texts = {"cortex-bench"};
  argument_texts.insert(argument_texts.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = pointers(argument_texts), envp = pointers(environment);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) return io_error(fmt::format("cannot start a worker process: {}", std::strerror(errno)));
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(child_in, 3);
    dup2(child_out, 4);
    execve("/proc/self/exe", argv.data(), envp.data());
    _exit(127);
  }
  close(child_in);
  close(child_out);
  from_ = out[0];
  // A worker that dies early must not take us along.
  signal(SIGPIPE, SIG_IGN);
  std::size_t written = 0;
  while (written < input.size()) {
    const ssize_t n = write(in[1], input.data() + written, input.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  close(in[1]);
  return Status::success();
}

// SIGINT is blocked but while we wait: one that comes just before is not slept through.
void Child::wait_for_output() {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  pollfd output{from_, POLLIN, 0};
  for (int ready = -1; ready < 0;) {
    if (!passed_on_ && interrupted()) {
      passed_on_ = true;
      pass_interrupt_on(pid_);
    }
    ready = ppoll(&output, 1, nullptr, &before);
    if (ready < 0 && errno != EINTR) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool Child::read_line(std::string& line) {
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return true;
    }
    char chunk[65536];
    wait_for_output();
    const ssize_t n = read(from_, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    pending_.append(chunk, static_cast<std::size_t>(n));
  }
}

int Child::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

}  // namespace cortex::bench
