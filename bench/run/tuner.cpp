#include "bench/run/tuner.h"

#include <fmt/format.h>

#include "graph/lower/lower.h"
#include "support/text_file.h"

#if CORTEX_BENCH_HAS_CORTEX
#include "bench/backends/cortex_handles.h"
#include "bench/measure/interrupt.h"
#include "bench/rank/tune.h"
#endif

namespace cortex::bench {

#if CORTEX_BENCH_HAS_CORTEX
struct Tuner::Runtime {
  ContextHandle context;
  std::map<int, PoolHandle> pools;
};

Result<WisdomEntry> Tuner::measure(const Request& request) {
  cortex_message message;
  if (!runtime_) {
    auto runtime = std::make_unique<Runtime>();
    cortex_context_options context_options{};
    context_options.struct_size = sizeof context_options;
    context_options.max_isa = isa_name(machine_.isa);
    cortex_context* context = nullptr;
    if (cortex_status s = cortex_context_create(&context_options, &context, &message); s)
      return failure(s, message);
    runtime->context.reset(context);
    runtime_ = std::move(runtime);
  }
  PoolHandle& pool = runtime_->pools[request.threads];
  if (request.threads > 1 && !pool) {
    cortex_thread_pool* made = nullptr;
    if (cortex_status s = cortex_thread_pool_create(request.threads, &made, &message); s)
      return failure(s, message);
    pool.reset(made);
  }
  TuneOptions options;
  options.mode = options_.mode;
  options.threads = request.threads;
  options.plain = request.plain;
  options.cold = options_.cold != Cold::none;
  options.seconds = options_.tune_seconds;
  options.cancelled = interrupted;
  return tune(*request.problem, machine_, runtime_->context.get(), pool.get(), options);
}
#else
struct Tuner::Runtime {};
Result<WisdomEntry> Tuner::measure(const Request&) { return unsupported("this build has no cortex backend"); }
#endif

Tuner::Tuner(const RunOptions& options, Isa isa)
    : options_(options), machine_(host_machine(isa)), wisdom_(machine_) {}
Tuner::~Tuner() = default;

Status Tuner::start() {
  if (!options_.ranker.empty()) {
    const Result<std::string> text = read_text_file(options_.ranker);
    if (!text) return text.error();
    ranker_.emplace(machine_);
    if (Status s = ranker_->parse(*text, options_.ranker); !s) return s;
  }
  return options_.wisdom.empty() ? Status::success() : wisdom_.load(options_.wisdom);
}

Result<std::string> Tuner::ranked(const Request& request) const {
  Result<Nest> lowered = lower(*request.problem);
  if (!lowered) return lowered.error();
  const bool plain = request.plain && request.problem->is_matmul();
  lowered->b_constant = lowered->b_constant && !plain;
  const Nest nest = coalesce(*lowered);
  const SearchOptions search{.threads = request.threads, .keep = 1, .prepacked_b = !plain};
  const Result<Candidate> best = best_schedule(nest, machine_, search, &*ranker_);
  if (!best) return best.error();
  return to_string(best->schedule, nest);
}

Result<std::string> Tuner::schedule(const Request& request) {
  const std::string key =
      Wisdom::key(problem_key(*request.problem), machine_.isa, request.threads, !request.plain);
  const WisdomEntry* known = wisdom_.find(key);
  // The few that measure mode tries say little to who asks for all.
  const auto enough = [&](const WisdomEntry& e) {
    if (options_.mode == SearchMode::estimate) return true;
    return e.finished && (options_.mode != SearchMode::exhaustive || e.variants > 16);
  };
  if (known && enough(*known)) return known->schedule;
  if (options_.mode == SearchMode::estimate) return ranker_ ? ranked(request) : std::string();
  Result<WisdomEntry> found = measure(request);
  if (!found) return found.error();
  cut_short_ = cut_short_ || !found->finished;
  wisdom_.add(key, *found);
  if (!options_.wisdom.empty()) {
    if (Status s = wisdom_.save(options_.wisdom); !s) return s.error();
  }
  return found->schedule;
}

}  // namespace cortex::bench
