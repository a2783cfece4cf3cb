#include "bench/report/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace cortex::bench {
namespace {

std::string temporary_name(const std::string& path) { return fmt::format("{}.tmp{}", path, getpid()); }

bool is_folder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Devices and pipes (/dev/null, /dev/stdout) are written in place.
bool is_special(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Error cannot_write(const std::string& path, int number) {
  return io_error(
      fmt::format("cannot write {}: {}; choose a file in a folder that exists and is yours to write", path,
                  std::strerror(number)));
}

Status write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error(std::strerror(errno));
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return Status::success();
}

}  // namespace

Status check_writable(const std::string& path, std::string_view option) {
  const auto refuse = [&](int number) {
    return io_error(fmt::format("{}: {}", option, cannot_write(path, number).message));
  };
  if (is_folder(path)) return refuse(EISDIR);
  const bool special = is_special(path);
  const std::string probe = special ? path : temporary_name(path);
  const int fd = open(probe.c_str(), O_WRONLY | (special ? 0 : O_CREAT | O_EXCL) | O_CLOEXEC, 0666);
  if (fd < 0) return refuse(errno);
  close(fd);
  if (!special) unlink(probe.c_str());
  return Status::success();
}

Status write_file_atomically(const std::string& path, std::string_view content) {
  const bool special = is_special(path);
  const std::string target = special ? path : temporary_name(path);
  const int fd = open(target.c_str(), O_WRONLY | O_CREAT | (special ? 0 : O_TRUNC) | O_CLOEXEC, 0666);
  if (fd < 0) return cannot_write(path, errno);
  const Status written = write_all(fd, content);
  const bool synced = special || fsync(fd) == 0;
  close(fd);
  if (special) return written;
  if (!written || !synced || rename(target.c_str(), path.c_str()) != 0) {
    const int number = errno;
    unlink(target.c_str());
    return cannot_write(path, number);
  }
  return Status::success();
}

Result<std::string> read_file(const std::string& path) {
  if (is_folder(path)) return io_error(fmt::format("cannot read {}: it is a folder", path));
  std::ifstream in(path, std::ios::binary);
  if (!in) return io_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

}  // namespace cortex::bench
