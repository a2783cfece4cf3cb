#include "generators/tool/write_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace cortex {
namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (fs::file_size(path, error) != text.size() || error) return false;
  std::ifstream in(path, std::ios::binary);
  return std::equal(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), text.begin(),
                    text.end());
}

// Undoes what was done when it goes out of scope, unless told to keep it.
struct Undo {
  std::vector<fs::path> paths;  // removed in reverse order
  bool keep = false;
  ~Undo() {
    std::error_code ignored;
    if (keep) return;
    for (auto p = paths.rbegin(); p != paths.rend(); ++p) fs::remove(*p, ignored);
  }
};

Status make_folder(const fs::path& folder, Undo& undo) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  if (fs::exists(folder, error)) {
    return io_error(
        fmt::format("output folder {}: it is a file; choose another with --out", folder.string()));
  }
  if (folder.has_parent_path() && folder.parent_path() != folder) {
    if (Status s = make_folder(folder.parent_path(), undo); !s) return s;
  }
  if (!fs::create_directory(folder, error) && error) {
    return io_error(fmt::format("output folder {}: cannot create it: {}; choose another with --out",
                                folder.string(), error.message()));
  }
  undo.paths.push_back(folder);
  return {};
}

}  // namespace

Result<WriteReport> write_files(const std::string& folder_name, const std::vector<OutputFile>& files,
                                const std::function<bool(const std::string&, const std::string&)>& stale) {
  const fs::path folder = fs::path(folder_name).lexically_normal();
  Undo undo;
  if (Status s = make_folder(folder, undo); !s) return s.error();

  WriteReport report;
  std::vector<std::pair<fs::path, fs::path>> renames;
  for (const OutputFile& file : files) {
    const fs::path target = folder / file.name;
    if (holds(target, file.text)) {
      ++report.unchanged;
      continue;
    }
    const fs::path temporary = folder / fmt::format(".{}.{}", file.name, getpid());
    undo.paths.push_back(temporary);
    std::ofstream out(temporary, std::ios::binary);
    out.write(file.text.data(), static_cast<std::streamsize>(file.text.size()));
    out.close();
    if (!out) {
      return io_error(
          fmt::format("output folder {}: cannot write {}: check its permissions and free space, or choose "
                      "another with --out",
                      folder.string(), file.name));
    }
    renames.emplace_back(temporary, target);
  }
  for (const auto& [from, to] : renames) {
    std::error_code error;
    if (fs::is_directory(to, error)) {
      return io_error(fmt::format("{}: a folder stands where this file should go", to.string()));
    }
  }
  undo.keep = true;
  for (const auto& [from, to] : renames) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) return io_error(fmt::format("{}: cannot replace it: {}", to.string(), error.message()));
    ++report.written;
  }

  std::error_code error;
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool current =
        std::any_of(files.begin(), files.end(), [&](const OutputFile& f) { return f.name == name; });
    if (current || !entry.is_regular_file(error)) continue;
    std::string first_line;
    std::ifstream in(entry.path());
    std::getline(in, first_line);
    if (stale(name, first_line)) old.push_back(entry.path());
  }
  for (const fs::path& path : old) report.removed += fs::remove(path, error);
  return report;
}

}  // namespace cortex
