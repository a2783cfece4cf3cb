#include "polyopt/ranker/features.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>

#include "microkernels/catalogue/catalogue.h"

namespace cortex {
namespace {

constexpr double line_bytes = 64;

// Appends to the features in the order of their names.
class Writer {
 public:
  explicit Writer(RankerFeatures& out) : out_(out) {}
  void operator()(double value) { out_[at_++] = static_cast<float>(value); }
  bool full() const { return at_ == out_.size(); }

 private:
  RankerFeatures& out_;
  std::size_t at_ = 0;
};

double log_of(double bytes) { return std::log1p(bytes); }

}  // namespace

const std::vector<std::string>& ranker_feature_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> n = {"cycles", "kernel_share", "pack_share", "mr",     "nr",      "batch_dims",
                                  "loops",  "threads",      "pack_a",     "pack_b", "b_ahead", "balanced"};
    for (int level = 1; level <= ranker_levels; ++level) {
      for (const char* what :
           {"share", "footprint", "read_a", "write_a", "read_b", "write_b", "read_c", "write_c"})
        n.push_back(fmt::format("level{}_{}", level, what));
    }
    return n;
  }();
  return names;
}

RankerFeatures ranker_features_of(const Schedule& schedule, const Prediction& p) {
  RankerFeatures features{};
  Writer put(features);
  const KernelInfo* kernel = find_kernel(schedule.tile.kernel);
  put(std::log(p.cycles));
  put(p.kernel_cycles / p.cycles);
  put(p.pack_cycles / p.cycles);
  put(kernel ? kernel->mr : 0);
  put(kernel ? kernel->nr : 0);
  put(static_cast<double>(schedule.tile.batch_dims.size()));
  int threads = 1, balanced = 0;
  for (const Loop& l : schedule.loops) {
    threads *= l.threads;
    balanced += l.balanced;
  }
  put(static_cast<double>(schedule.loops.size()));
  put(threads);
  int a = 0, b = 0, ahead = 0;
  for (const Pack& pack : schedule.packs) {
    a += pack.operand == Operand::a;
    b += pack.operand == Operand::b;
    ahead += pack.ahead_of_time;
  }
  put(a);
  put(b);
  put(ahead);
  put(balanced);
  for (std::size_t level = 0; level < ranker_levels; ++level) {
    const LevelTraffic traffic = level < p.levels.size() ? p.levels[level] : LevelTraffic{};
    put(traffic.cycles / p.cycles);
    put(log_of(traffic.footprint_bytes));
    for (std::size_t o = 0; o < operand_count; ++o) {  // lines per cycle
      put(traffic.read_bytes[o] / line_bytes / p.cycles);
      put(traffic.write_bytes[o] / line_bytes / p.cycles);
    }
  }
  assert(put.full());
  return features;
}

}  // namespace cortex
