#include "bench/run/worker.h"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "bench/measure/clock.h"
#include "bench/measure/interrupt.h"
#include "bench/measure/peak.h"
#include "bench/measure/sampler.h"
#include "bench/measure/statistics.h"
#include "bench/report/row.h"
#include "bench/run/context.h"
#include "bench/run/job.h"
#include "bench/run/sparse_kernels.h"
#include "bench/run/subject.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

void say(const Json& event) {
  const std::string line = event.dump() + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = write(4, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);  // nobody listens any more
    done += static_cast<std::size_t>(n);
  }
}

int fail(const Error& error) {
  say({{"event", "error"}, {"message", error.message}, {"code", static_cast<int>(error.code)}});
  return 2;
}

std::string read_job() {
  std::string text;
  char chunk[65536];
  for (ssize_t n; (n = read(3, chunk, sizeof chunk)) > 0;) text.append(chunk, static_cast<std::size_t>(n));
  return text;
}

// Backends, the peak they are held against, and what stays the same while one problem is measured.
class Worker {
 public:
  explicit Worker(const Job& job)
      : job_(job), options_(job.options), isa_(options_.isas.front()), deadline_(options_.time_limit) {}

  int run() {
    const double peak = measure_core_peak(isa_, 0.25).gflops;
    peak_ = peak;
    Json versions = Json::object();
    for (const ContestantName& c : contestants(options_)) {
      if (backends_.count(c.backend)) continue;
      Result<std::unique_ptr<Backend>> backend = find_backend(c.backend)->make(isa_);
      if (!backend)
        return fail({backend.error().code, fmt::format("{}: {}", c.backend, backend.error().message)});
      for (const std::string& library : options_.libraries) {
        say({{"event", "begin"},
             {"set", job_.first_set},
             {"contestant", ""},
             {"doing", "loading " + library}});
        if (Status s = (*backend)->add_library(library); !s) return fail(s.error());
      }
      versions[c.backend] = (*backend)->version();
      backends_[c.backend] = std::move(*backend);
    }
    const int threads = *std::max_element(options_.threads.begin(), options_.threads.end());
    say({{"event", "context"},
         {"isa", isa_name(isa_)},
         {"versions", versions},
         {"context", job_.first_set == 0 ? worker_context(isa_, threads, peak) : Json()}});
    for (int set = job_.first_set; set < set_count(options_); ++set) {
      if (Status s = measure(set); !s) return fail(s.error());
      say({{"event", "end_set"}, {"set", set}});
      if (!interrupted()) continue;
      // Ctrl-C: this set was finished with what its search had found by then.
      say({{"event", "stopped"}, {"search", subject_ && subject_->search_cut_short()}});
      break;
    }
    return 0;
  }

 private:
  struct Entry {
    ContestantName who;
    std::unique_ptr<Instance> instance;
    Verdict verdict;
  };

  void begin(int set, const std::string& contestant, const char* doing) {
    say({{"event", "begin"}, {"set", set}, {"contestant", contestant}, {"doing", doing}});
  }

  void refuse(int set, const std::string& contestant, const std::string& reason) {
    const RunProblem& p = problem_of_set(options_, set);
    say({{"event", "refused"},
         {"set", set},
         {"refusal", to_json(Refusal{p.text(), p.name(), contestant, isa_name(isa_),
                                     threads_of_set(options_, set), reason})}});
  }

  Status prepare_problem(int set) {
    const RunProblem& problem = problem_of_set(options_, set);
    if (&problem == current_) return Status::success();
    current_ = &problem;
    subject_.reset();
    Result<std::unique_ptr<Subject>> subject = make_subject(problem, options_);
    if (!subject) return subject.error();
    subject_ = std::move(*subject);
    return Status::success();
  }

  std::vector<Entry> create(int set) {
    std::vector<Entry> entries;
    for (const ContestantName& who : contestants(options_)) {
      if (job_.skip.count({set, who.name})) continue;
      begin(set, who.name, "creating");
      Result<std::unique_ptr<Instance>> instance =
          subject_->create(*backends_[who.backend], isa_, threads_of_set(options_, set), who.kernel);
      if (!instance) {
        refuse(set, who.name, instance.error().message);
        continue;
      }
      entries.push_back({who, std::move(*instance), {}});
    }
    return entries;
  }

  void verify(int set, std::vector<Entry>& entries) {
    if (!options_.verify) return;
    for (Entry& entry : entries) {
      begin(set, entry.who.name, "verifying");
      entry.verdict = subject_->verify(*entry.instance);
    }
  }

  SamplingOptions sampling(int set, std::size_t entries) const {
    SamplingOptions s;
    s.min_time = options_.min_time;
    s.repeats = options_.repeats;
    if (deadline_.limited()) {
      const double share = std::max(0.0, deadline_.seconds_left()) / (set_count(options_) - set);
      s.min_time = std::min(s.min_time, 0.5 * share / static_cast<double>(std::max<std::size_t>(1, entries)));
      if (deadline_.passed()) s.min_samples = 2;
    }
    if (threads_of_set(options_, set) > 1) {
      s.settle_seconds = 0.003;
      s.wake_ns = 3e6;
    }
    return s;
  }

  Status measure(int set) {
    if (Status s = prepare_problem(set); !s) return s;
    std::vector<Entry> entries = create(set);
    verify(set, entries);
    std::vector<Contestant> turns;
    for (Entry& entry : entries) {
      Instance* instance = entry.instance.get();
      Contestant turn;
      turn.execute = [this, set, instance, &entry, first = true]() mutable {
        if (first) begin(set, entry.who.name, "measuring");
        first = false;
        instance->execute();
      };
      turn.flush = flushed(*instance, options_.cold);
      turns.push_back(std::move(turn));
    }
    const std::vector<Samples> samples = sample_interleaved(turns, sampling(set, entries.size()));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      say({{"event", "row"}, {"set", set}, {"row", to_json(make_row(set, entries[i], samples[i]))}});
    }
    return Status::success();
  }

  Row make_row(int set, const Entry& entry, const Samples& samples) const {
    const RunProblem& p = *current_;
    const InstanceInfo& info = entry.instance->info();
    Row row;
    row.problem = p.text();
    row.name = p.name();
    row.count = p.count();
    row.op = p.op();
    row.backend = entry.who.name;
    row.version = backends_.at(entry.who.backend)->version();
    row.isa = isa_name(isa_);
    row.impl = info.isa;
    row.threads = threads_of_set(options_, set);
    row.samples_ns = samples.ns;
    for (double& ns : row.samples_ns) ns /= subject_->batches_per_execution();
    row.executions_per_sample = samples.executions_per_sample;
    row.median_ns = median(row.samples_ns);
    row.min_ns = minimum(row.samples_ns);
    row.create_ns = info.create_ns;
    row.pack_ns = info.pack_ns;
    row.handling = "prepacked";
    subject_->describe(row, isa_, peak_);
    row.gflops = row.flops / row.median_ns;
    row.percent_of_peak = 100 * row.gflops / (peak_ * row.peak_factor * row.threads);
    row.status = options_.verify ? (entry.verdict.ok() ? "ok" : "wrong") : "unverified";
    if (options_.verify) row.error_ratio = entry.verdict.error_ratio;
    row.where = entry.verdict.where;
    row.kernel = info.kernel;
    row.schedule = info.schedule;
    row.layout = info.layout;
    row.cold = cold_name(options_.cold);
    row.predicted_ns = info.predicted_seconds * 1e9;
    return row;
  }

  const Job& job_;
  const RunOptions& options_;
  Isa isa_;
  Deadline deadline_;
  double peak_ = 0;
  std::map<std::string, std::unique_ptr<Backend>> backends_;
  const RunProblem* current_ = nullptr;
  std::unique_ptr<Subject> subject_;
};

}  // namespace

int run_worker() {
  Result<Job> job = job_from_json(read_job());
  if (!job) return fail(job.error());
  const InterruptGuard guard;
  return Worker(*job).run();
}

}  // namespace cortex::bench
