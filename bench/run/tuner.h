// Which schedule Cortex runs with: its own, the one a wisdom file knows, or the fastest of those tried now,
// or the one a ranker likes best.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bench/run/options.h"
#include "polyopt/ranker/ranker.h"
#include "polyopt/search/wisdom.h"

namespace cortex::bench {

class Tuner {
 public:
  Tuner(const RunOptions& options, Isa isa);
  ~Tuner();

  // Reads the files of wisdom and ranker, if any.
  Status start();
  // Empty: Cortex's own choice. What is measured goes to the wisdom file at once.
  Result<std::string> schedule(const Request& request);
  // Whether a search was interrupted.
  bool cut_short() const { return cut_short_; }

 private:
  struct Runtime;  // context and thread pools, made when first needed
  Result<WisdomEntry> measure(const Request& request);
  Result<std::string> ranked(const Request& request) const;

  const RunOptions& options_;
  Machine machine_;
  Wisdom wisdom_;
  std::optional<Ranker> ranker_;
  std::unique_ptr<Runtime> runtime_;
  bool cut_short_ = false;
};

}  // namespace cortex::bench
