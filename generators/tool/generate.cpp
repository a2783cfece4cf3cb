#include "generators/tool/generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "generators/tool/compile.h"
#include "generators/tool/machines.h"
#include "generators/tool/version.h"
#include "generators/tool/write_files.h"
#include "polyopt/schedule/kernel_key.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex {
namespace {

constexpr std::size_t kernels_per_part = 25;

struct Job {
  KernelRequest request;
  const Machine* machine;
};

Result<std::vector<Problem>> read_problems(const GenerateOptions& options) {
  std::vector<Problem> all;
  for (const std::string& file : options.batch_files) {
    Result<std::vector<Problem>> batch = read_batch(file, options.op);
    if (!batch) return batch.error();
    if (batch->empty()) return invalid_argument(fmt::format("{}: no problem in it", file));
    all.insert(all.end(), batch->begin(), batch->end());
  }
  for (const std::string& line : options.problems) {
    Result<Problem> problem = parse_problem(line, options.op);
    if (!problem) return problem.error();
    all.push_back(*problem);
  }
  if (all.empty()) return invalid_argument("no problem given: name one, or a file of them with --batch");
  return all;
}

// One request per distinct kernel key, in the order of first appearance.
std::vector<KernelRequest> requests(const std::vector<Problem>& problems, bool plain) {
  std::vector<KernelRequest> out;
  std::set<std::string> seen;
  for (const Problem& problem : problems) {
    for (const bool prepacked : {true, false}) {
      if (!prepacked && !(plain && problem.is_matmul())) continue;
      if (seen.insert(kernel_table_key(problem, prepacked)).second) out.push_back({problem, prepacked, 1});
    }
  }
  return out;
}

class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(isatty(STDERR_FILENO)) {}
  ~Progress() {
    if (shown_) complain("\r\033[K");
  }
  void step() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    if (!shown_) return;
    const std::size_t bar = 40 * done_ / total_;
    complain("\r[{}{}] {}/{} kernels", std::string(bar, '#'), std::string(40 - bar, ' '), done_, total_);
    std::fflush(stderr);
  }

 private:
  std::mutex mutex_;
  std::size_t done_ = 0, total_;
  bool shown_;
};

// In the order of `jobs` whatever the threads do; the first refusal in that order wins.
Result<std::vector<LibraryKernel>> compile_all(const std::vector<Job>& jobs, int threads,
                                               const Wisdom& wisdom, const Ranker* ranker) {
  std::vector<Result<LibraryKernel>> results(jobs.size(), internal_error("not compiled"));
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  Progress progress(jobs.size());
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size() && !failed; i = next++) {
      results[i] = compile_kernel(jobs[i].request, *jobs[i].machine, &wisdom, ranker);
      if (!results[i].ok()) failed = true;
      progress.step();
    }
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads && static_cast<std::size_t>(t) < jobs.size(); ++t) pool.emplace_back(work);
  work();
  for (std::thread& t : pool) t.join();

  std::vector<LibraryKernel> kernels;
  if (failed) {
    for (const Result<LibraryKernel>& r : results) {
      if (!r.ok() && r.error().message != "not compiled") return r.error();
    }
  }
  for (Result<LibraryKernel>& r : results) kernels.push_back(std::move(*r));
  return kernels;
}

// The levels asked for, and those that f32 problems need in place of levels that add narrow types.
std::vector<Isa> levels_of(const std::vector<Isa>& isas) {
  std::vector<Isa> levels;
  const auto add = [&](Isa isa) {
    if (std::find(levels.begin(), levels.end(), isa) == levels.end()) levels.push_back(isa);
  };
  for (const Isa isa : isas) {
    add(isa);
    add(f32_isa(isa));
  }
  return levels;
}

bool wants(const GenerateOptions& options, const Problem& problem, Isa level) {
  const bool f32 = problem.src == DataType::f32;
  return std::any_of(options.isas.begin(), options.isas.end(),
                     [&](Isa isa) { return (f32 ? f32_isa(isa) : isa) == level; });
}

}  // namespace

Status run_generate(const GenerateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Result<std::vector<Problem>> problems = read_problems(options);
  if (!problems) return problems.error();
  const Result<std::vector<Machine>> targets = machines(levels_of(options.isas), options.machine_file);
  if (!targets) return targets.error();
  Wisdom wisdom(targets->front());
  if (!options.wisdom_file.empty()) {
    if (Status s = wisdom.load(options.wisdom_file); !s) return s;
    if (wisdom.size() == 0) {
      return io_error(
          fmt::format("--wisdom {}: it is missing or empty; `cortex-bench run --mode measure "
                      "--wisdom FILE` writes one",
                      options.wisdom_file));
    }
  }
  std::optional<Ranker> ranker;
  if (!options.ranker_file.empty()) {
    const Result<std::string> text = read_text_file(options.ranker_file);
    if (!text) return named("--ranker", text.error());
    ranker.emplace(targets->front());
    if (Status s = ranker->parse(*text, options.ranker_file); !s) return s;
  }

  std::vector<Job> jobs;
  const std::vector<KernelRequest> wanted = requests(*problems, options.plain);
  for (const KernelRequest& request : wanted) {
    for (const Machine& machine : *targets) {
      if (!wants(options, request.problem, machine.isa)) continue;
      for (const int threads : options.threads) {
        jobs.push_back({request, &machine});
        jobs.back().request.threads = threads;
      }
    }
  }
  const int workers = options.jobs > 0 ? options.jobs : static_cast<int>(std::thread::hardware_concurrency());
  Result<std::vector<LibraryKernel>> kernels =
      compile_all(jobs, workers, wisdom, ranker ? &*ranker : nullptr);
  if (!kernels) return kernels.error();

  Library library;
  library.name = options.name;
  library.generator = generator_version();
  library.kernels = std::move(*kernels);
  library.parts = options.parts > 0
                      ? options.parts
                      : static_cast<int>((jobs.size() + kernels_per_part - 1) / kernels_per_part);
  const std::string prefix = options.name + "_part";
  const Result<WriteReport> report = write_files(
      options.out, emit_library(library), [&](const std::string& file, const std::string& first_line) {
        return file.starts_with(prefix) && file.ends_with(".cpp") &&
               first_line.starts_with("// " + options.name + ": kernels, part ");
      });
  if (!report) return report.error();

  std::vector<std::string> isas;
  for (const Isa isa : options.isas) isas.emplace_back(isa_name(isa));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  say("{}: {} kernels ({} problems; {}; threads {}) in {}: {} files written, {} unchanged, {:.1f} s\n",
      options.name, library.kernels.size(), wanted.size(), fmt::join(isas, ","),
      fmt::join(options.threads, ","), options.out, report->written, report->unchanged, seconds);
  return {};
}

Status print_outputs(const GenerateOptions& options) {
  if (options.parts < 1) return invalid_argument("--list-outputs needs --parts");
  for (const std::string& file : library_files(options.name, options.parts))
    say("{}/{}\n", options.out, file);
  return {};
}

}  // namespace cortex
