#include "bench/report/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

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

// False with errno set when not everything went out.
bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
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

void add_read(std::vector<NamedFile>& files, const char* option, const std::vector<std::string>& paths) {
  std::error_code failed;
  for (const std::string& path : paths) {
    if (std::filesystem::exists(path, failed)) files.push_back({option, path, false});
  }
}

Status check_outputs(const std::vector<NamedFile>& files) {
  // By whatever folder or link it is named.
  const auto normal = [](const NamedFile& file) {
    std::error_code failed;
    const std::filesystem::path path =
        std::filesystem::weakly_canonical(std::filesystem::absolute(file.path, failed), failed);
    return failed ? std::filesystem::path(file.path).lexically_normal() : path;
  };
  for (auto file = files.begin(); file != files.end(); ++file) {
    if (file->path.empty() || !file->written) continue;
    if (Status s = check_writable(file->path, file->option); !s) return s;
    if (is_special(file->path)) continue;
    for (auto other = files.begin(); other != files.end(); ++other) {
      if (other == file || other->path.empty() || (other->written && other > file)) continue;
      if (normal(*other) != normal(*file)) continue;
      return invalid_argument(
          fmt::format("{}: {} is the file of {} too: name another", file->option, file->path, other->option));
    }
  }
  return Status::success();
}

std::string json_text(const nlohmann::ordered_json& document, int indent) {
  return document.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Status write_file_atomically(const std::string& path, std::string_view content) {
  const bool special = is_special(path);
  const std::string target = special ? path : temporary_name(path);
  const int fd = open(target.c_str(), O_WRONLY | O_CREAT | (special ? 0 : O_TRUNC) | O_CLOEXEC, 0666);
  if (fd < 0) return cannot_write(path, errno);
  const bool written = write_all(fd, content) && (special || fsync(fd) == 0);
  int number = errno;
  close(fd);
  if (special) return written ? Status::success() : cannot_write(path, number);
  if (written && rename(target.c_str(), path.c_str()) == 0) return Status::success();
  if (written) number = errno;
  unlink(target.c_str());
  return cannot_write(path, number);
}

}  // namespace cortex::bench
