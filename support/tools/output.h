// What a tool prints. A reader that goes away (`... | head -1`) or a full disk ends nothing halfway and
// throws nothing: what follows is not printed, files asked for are still written, and the tool's exit says
// why.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

namespace cortex {

namespace output {

inline int failure = 0;  // errno of the first write that did not go out

inline void note(bool written) {
  if (!written && failure == 0) failure = errno != 0 ? errno : EIO;
}

// Before anything is printed: a reader that has gone is an error of the write, not a signal that ends the
// process between two files.
inline void begin() { std::signal(SIGPIPE, SIG_IGN); }

inline void flush() { note(std::fflush(stdout) == 0 && !std::ferror(stdout)); }

// Whether what is printed has no reader any more. Known once a buffer went out: after flush().
inline bool closed() { return failure == EPIPE; }

}  // namespace output

// To standard output.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  if (output::failure != 0) return;
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  output::note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

// To standard error, where nobody may be listening either.
template <typename... Args>
void complain(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

namespace output {

// The exit code, once all is printed: `code`, or `unwritten` where it did not reach the disk. Without a
// reader the process ends by SIGPIPE, as other tools do: the shell shows 141.
inline int end(const char* tool, int code, int unwritten) {
  flush();
  if (failure == 0) return code;
  if (closed()) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
    return 128 + SIGPIPE;  // blocked
  }
  complain("{}: standard output: cannot write: {}\n", tool, std::strerror(failure));
  return unwritten;
}

}  // namespace output
}  // namespace cortex
