#include "bench/run/runner.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "bench/measure/clock.h"
#include "bench/measure/interrupt.h"
#include "bench/run/environment.h"
#include "bench/run/job.h"
#include "bench/run/process.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

class IsaRun {
 public:
  IsaRun(const RunOptions& options, Isa isa, double time_limit, int isa_index, const RunListener& listener,
         RunResults& results)
      : isa_(isa),
        isa_index_(isa_index),
        isa_count_(static_cast<int>(options.isas.size())),
        listener_(listener),
        results_(results),
        started_(now_ns()) {
    job_.options = options;
    job_.options.isas = {isa};
    job_.options.time_limit = time_limit;
    limit_ = time_limit;
  }

  // Workers until every set is done; a new one after each crash.
  Status run() {
    while (job_.first_set < set_count(job_.options)) {
      if (interrupted()) {
        stop(false);
        break;
      }
      if (limit_ > 0) job_.options.time_limit = std::max(0.001, limit_ - (now_ns() - started_) * 1e-9);
      Child child;
      const int threads = *std::max_element(job_.options.threads.begin(), job_.options.threads.end());
      if (Status s = child.start({"worker"}, worker_environment(isa_, threads), to_json(job_).dump()); !s)
        return s;
      for (std::string line; child.read_line(line);) {
        if (Status s = take(line); !s) return s;
      }
      const int status = child.wait();
      if (job_.first_set >= set_count(job_.options) || !results_.stopped.empty()) break;
      if (!WIFSIGNALED(status)) {
        return internal_error(fmt::format("the worker for {} ended early with exit code {} while {} {}",
                                          isa_name(isa_), WEXITSTATUS(status), doing_, contestant_));
      }
      if (WTERMSIG(status) == SIGINT) {
        stop(false);
        break;
      }
      if (WTERMSIG(status) == SIGTERM) return internal_error("interrupted");
      if (contestant_.empty()) {
        return internal_error(fmt::format("the worker for {} crashed ({}) while {}", isa_name(isa_),
                                          strsignal(WTERMSIG(status)), doing_));
      }
      blame_crash(WTERMSIG(status));
    }
    return Status::success();
  }

 private:
  Status take(const std::string& line) {
    try {
      const Json event = Json::parse(line);
      const std::string kind = event.at("event");
      if (kind == "error") {
        return Error{static_cast<ErrorCode>(event.at("code").get<int>()), event.at("message")};
      }
      if (kind == "context") {
        results_.versions.update(event.at("versions"));
        if (!event.at("context").is_null()) {
          results_.workers[isa_name(isa_)] = event.at("context");
          if (listener_.isa_started) listener_.isa_started(isa_, event.at("context"));
        }
      } else if (kind == "begin") {
        contestant_ = event.at("contestant");
        doing_ = event.at("doing");
        report_progress();
      } else if (kind == "row") {
        rows_.push_back(row_from_json(event.at("row")));
      } else if (kind == "refused") {
        refusals_.push_back(refusal_from_json(event.at("refusal")));
      } else if (kind == "end_set") {
        finish_set();
      } else if (kind == "stopped") {
        stop(event.at("search"));
      }
      return Status::success();
    } catch (const Json::exception& e) {
      return internal_error(
          fmt::format("the worker for {} said something unreadable: {}", isa_name(isa_), e.what()));
    }
  }

  // Ctrl-C. Earlier instruction sets were measured whole.
  void stop(bool search) {
    const int sets = set_count(job_.options);
    results_.stopped = fmt::format("interrupted: {} of {} measurements done",
                                   isa_index_ * sets + job_.first_set, isa_count_ * sets);
    if (search)
      results_.stopped += "; the search then under way, answered with its best so far, is to be repeated";
  }

  void report_progress() const {
    if (!listener_.progress) return;
    const double sets = set_count(job_.options);
    const RunProblem& p = problem_of_set(job_.options, job_.first_set);
    listener_.progress((isa_index_ + job_.first_set / sets) / isa_count_,
                       fmt::format("{} {} {}", p.name().empty() ? p.text() : p.name(), doing_, contestant_));
  }

  void finish_set() {
    refusals_.insert(refusals_.begin(), crashes_.begin(), crashes_.end());
    crashes_.clear();
    if (listener_.set_done) listener_.set_done(rows_, refusals_);
    results_.rows.insert(results_.rows.end(), rows_.begin(), rows_.end());
    results_.refusals.insert(results_.refusals.end(), refusals_.begin(), refusals_.end());
    rows_.clear();
    refusals_.clear();
    ++job_.first_set;
  }

  // The set is measured again without the contestant that was at work when the worker died.
  void blame_crash(int signal_number) {
    rows_.clear();
    refusals_.clear();
    const int set = job_.first_set;
    const RunProblem& p = problem_of_set(job_.options, set);
    crashes_.push_back({p.text(), p.name(), contestant_, isa_name(isa_), threads_of_set(job_.options, set),
                        fmt::format("crashed ({}) while {}", strsignal(signal_number), doing_)});
    if (!job_.skip.insert({set, contestant_}).second) finish_set();  // nothing left to leave out
  }

  Job job_;
  Isa isa_;
  int isa_index_, isa_count_;
  const RunListener& listener_;
  RunResults& results_;
  double started_, limit_ = 0;
  std::string contestant_, doing_ = "starting";
  std::vector<Row> rows_;
  std::vector<Refusal> refusals_, crashes_;
};

}  // namespace

Result<RunResults> run_all(const RunOptions& options, const RunListener& listener) {
  RunResults results;
  const InterruptGuard guard;  // passed on to the worker, which ends after the set under way
  const Deadline deadline(options.time_limit);
  for (std::size_t i = 0; i < options.isas.size(); ++i) {
    const double left = static_cast<double>(options.isas.size() - i);
    const double limit = deadline.limited() ? std::max(0.001, deadline.seconds_left() / left) : 0;
    IsaRun run(options, options.isas[i], limit, static_cast<int>(i), listener, results);
    if (Status s = run.run(); !s) return s.error();
    if (!results.stopped.empty()) break;
  }
  return results;
}

}  // namespace cortex::bench
