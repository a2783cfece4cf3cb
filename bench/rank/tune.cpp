#include "bench/rank/tune.h"

#include "bench/rank/measure.h"
#include "bench/rank/variants.h"

namespace cortex::bench {

Result<WisdomEntry> tune(const Problem& problem, const Machine& machine, const cortex_context* context,
                         const cortex_thread_pool* pool, const TuneOptions& options) {
  const bool exhaustive = options.mode == SearchMode::exhaustive;
  VariantOptions which;
  which.threads = options.threads;
  which.plain = options.plain;
  which.tried = exhaustive ? 64 : 8;
  which.drawn = exhaustive ? 400 : 0;
  Result<Ranking> ranking = choose_variants(problem, machine, which);
  if (!ranking) return ranking.error();
  Result<std::unique_ptr<Stage>> stage =
      Stage::make(problem, context, pool, options.threads, options.plain, 1);
  if (!stage) return stage.error();
  MeasureOptions measure;
  measure.seconds = options.seconds;
  measure.cold = options.cold;
  measure.progress = options.progress;
  measure.cancelled = options.cancelled;
  if (Status s = measure_variants(*ranking, **stage, measure); !s) return s.error();
  WisdomEntry best;
  best.finished = !(options.cancelled && options.cancelled());
  for (const Variant& v : ranking->variants) {
    if (v.samples == 0) continue;
    ++best.variants;
    if (v.finalist && (best.ns == 0 || v.ns < best.ns)) {
      best.ns = v.ns;
      best.schedule = v.schedule;
    }
  }
  return best;
}

}  // namespace cortex::bench
