#include "bench/run/workloads.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/run/gather.h"

namespace cortex::bench {
namespace fs = std::filesystem;

std::string workloads_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = self.parent_path().parent_path() / "share" / "cortex" / "workloads";
  if (!error && fs::is_directory(installed, error)) return installed.string();
  const fs::path source = CORTEX_BENCH_WORKLOADS;
  return fs::is_directory(source, error) ? source.string() : std::string();
}

std::vector<Workload> shipped_workloads() {
  std::vector<Workload> all;
  const std::string folder = workloads_folder();
  if (folder.empty()) return all;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".txt") continue;
    Workload w;
    w.name = entry.path().stem().string();
    w.path = entry.path().string();
    std::ifstream in(w.path);
    for (std::string line; std::getline(in, line);) {
      if (line.empty()) continue;
      if (line[0] != '#') {
        ++w.problems;
      } else if (w.comment.empty()) {
        w.comment = line.substr(std::min(line.size(), line.find_first_not_of("# ")));
      }
    }
    w.runnable = gather_run_problems({}, {}, {w.path}, "").ok();
    all.push_back(std::move(w));
  }
  std::sort(all.begin(), all.end(), [](const Workload& a, const Workload& b) { return a.name < b.name; });
  return all;
}

Result<std::string> find_workload(const std::string& path_or_name) {
  std::error_code error;
  if (fs::exists(path_or_name, error)) return path_or_name;
  for (const Workload& w : shipped_workloads()) {
    if (path_or_name == w.name || path_or_name == w.name + ".txt") return w.path;
  }
  return io_error(fmt::format(
      "{}: no such file, and no shipped list of that name (cortex-bench list shows them)", path_or_name));
}

}  // namespace cortex::bench
