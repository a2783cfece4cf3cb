// Wisdom: schedules that were measured to be the best, kept for later runs. A small JSON file that belongs to
// one CPU and one version of Cortex; one made elsewhere or damaged is refused, never half used.
#pragma once

#include <map>
#include <string>

#include "polyopt/machine/machine.h"
#include "support/result.h"

namespace cortex {

struct WisdomEntry {
  std::string schedule;
  double ns = 0;         // when it was measured
  int variants = 0;      // that it was the best of
  bool finished = true;  // false: the search was interrupted, or may have been; the next one starts again
};

class Wisdom {
 public:
  // For the CPU that `machine` describes and this version.
  explicit Wisdom(const Machine& machine);

  // Refuses text that is not wisdom, is damaged (a checksum says so), or is for another CPU or version.
  // `source` names the file in the message.
  Status parse(const std::string& text, const std::string& source);
  std::string text() const;

  // The key of a problem (problem_key), its threads and ISA, and whether weights are prepacked.
  static std::string key(const std::string& problem, Isa isa, int threads, bool prepacked);
  const WisdomEntry* find(const std::string& key) const;  // nullptr: nothing known
  // Keeps a finished entry rather than one that is not; then the one of more variants, then the faster.
  void add(const std::string& key, const WisdomEntry& entry);
  std::size_t size() const { return entries_.size(); }

  // A missing file is empty wisdom. Saving writes beside the file, flushes, and renames; entries that another
  // process saved meanwhile are kept.
  Status load(const std::string& path);
  Status save(const std::string& path);

 private:
  std::string cpu_;
  std::map<std::string, WisdomEntry> entries_;
};

}  // namespace cortex
