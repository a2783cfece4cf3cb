#include "support/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cortex {

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
  const auto refuse = [&](int number) -> Error {
    if (number == ENOENT) return io_error(fmt::format("{}: no such file", path));
    if (number == EISDIR) return io_error(fmt::format("{}: is a directory: name a file", path));
    return io_error(fmt::format("{}: cannot read it: {}", path, std::strerror(number)));
  };
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return refuse(errno);
  std::string text;
  char chunk[16384];
  errno = 0;
  for (std::size_t n; (n = std::fread(chunk, 1, sizeof chunk, file.get())) > 0;) {
    text.append(chunk, n);
    if (text.size() > limit) {
      return invalid_argument(fmt::format("{}: more than {} bytes: is this the right file?", path, limit));
    }
  }
  if (std::ferror(file.get())) return refuse(errno);
  return text;
}

}  // namespace cortex
