#include "polyopt/search/wisdom.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <tuple>

#include "polyopt/machine/describe.h"
#include "polyopt/machine/measured_file.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

constexpr MeasuredFile wisdom_file = {"cortex-wisdom-1", "entries", "measured"};

// Held while a file is read, merged and replaced.
class FileLock {
 public:
  explicit FileLock(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ >= 0 && flock(fd_, LOCK_EX) != 0) {
      close(fd_);
      fd_ = -1;
    }
  }
  ~FileLock() {
    if (fd_ >= 0) close(fd_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool held() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status replace_file(const std::string& path, const std::string& text) {
  const std::string beside = fmt::format("{}.tmp{}", path, getpid());
  const auto refuse = [&] {
    const Status s = io_error(fmt::format("wisdom {}: cannot write it: {}", path, std::strerror(errno)));
    unlink(beside.c_str());
    return s;
  };
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return refuse();
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  const bool whole = done == text.size() && fsync(fd) == 0;
  if (close(fd) != 0 || !whole) return refuse();
  if (rename(beside.c_str(), path.c_str()) != 0) return refuse();
  return Status::success();
}

}  // namespace

Wisdom::Wisdom(const Machine& machine) : cpu_(describe(machine)) {}

std::string Wisdom::key(const std::string& problem, Isa isa, int threads, bool prepacked) {
  return fmt::format("{} isa={} threads={} weights={}", problem, isa_name(isa), threads,
                     prepacked ? "prepacked" : "plain");
}

const WisdomEntry* Wisdom::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Wisdom::add(const std::string& key, const WisdomEntry& entry) {
  const auto [at, fresh] = entries_.try_emplace(key, entry);
  if (fresh) return;
  const WisdomEntry& old = at->second;
  const auto rank = [](const WisdomEntry& e) { return std::tuple(e.finished, e.variants, -e.ns); };
  if (rank(entry) > rank(old)) at->second = entry;
}

std::string Wisdom::text() const {
  Json entries = Json::object();
  for (const auto& [key, e] : entries_) {
    entries[key] = {
        {"schedule", e.schedule}, {"ns", e.ns}, {"variants", e.variants}, {"unfinished", !e.finished}};
  }
  return measured_document(wisdom_file, cpu_, std::move(entries)).dump(1) + "\n";
}

Status Wisdom::parse(const std::string& text, const std::string& source) {
  const auto refuse = [&](const std::string& why) {
    return invalid_argument(
        fmt::format("wisdom {}: {}; delete it, or name another file, to start with none", source, why));
  };
  const Result<Json> json = parse_measured(wisdom_file, cpu_, text);
  if (!json) return refuse(json.error().message);
  if (!json->at("entries").is_object()) return refuse("it is damaged: its entries are no object");
  std::map<std::string, WisdomEntry> read;
  for (const auto& [key, e] : json->at("entries").items()) {
    const bool good = e.is_object() && e.contains("schedule") && e["schedule"].is_string() &&
                      e.contains("ns") && e["ns"].is_number() && e["ns"].get<double>() > 0 &&
                      e.contains("variants") && e["variants"].is_number_integer();
    if (!good) return refuse(fmt::format("entry \"{}\" lacks schedule, ns or variants", key));
    if (e.contains("unfinished") && !e["unfinished"].is_boolean())
      return refuse(fmt::format("entry \"{}\": unfinished is neither true nor false", key));
    const int variants = e["variants"].get<int>();
    // Files did not always say it: a search that was interrupted there is told by having compared nothing.
    const bool unfinished = e.value("unfinished", variants < 2);
    read[key] = {e["schedule"].get<std::string>(), e["ns"].get<double>(), variants, !unfinished};
  }
  for (const auto& [key, e] : read) add(key, e);
  return Status::success();
}

Status Wisdom::load(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return Status::success();
  // Opening one succeeds; reading it throws.
  if (std::filesystem::is_directory(path, error))
    return invalid_argument(
        fmt::format("wisdom {0}: it is a directory: name a file, such as {0}{1}wisdom.json", path,
                    path.ends_with('/') ? "" : "/"));
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in && !in.eof()) return io_error(fmt::format("wisdom {}: it cannot be read", path));
  return parse(text, path);
}

Status Wisdom::save(const std::string& path) {
  const FileLock lock(path + ".lock");
  if (!lock.held())
    return io_error(fmt::format("wisdom {}: cannot lock {}.lock: {}", path, path, std::strerror(errno)));
  if (Status s = load(path); !s) return s;
  return replace_file(path, text());
}

}  // namespace cortex
