// Leaf tables: where a leaf's states follow from its word alone, they are kept by word. Computed once per
// setting of the parameters, by the leaf's own program; a batch then reads them where they are.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "graph/recursive/model.h"
#include "polyopt/recursive/program.h"
#include "runtime/recursive/pages.h"
#include "runtime/recursive/weights.h"
#include "support/result.h"

namespace cortex::recursive {

class LeafStates {
 public:
  // nullptr: the leaves of this model need more than their word, or their states more memory than is
  // reasonable beside the model's own tables.
  static std::unique_ptr<LeafStates> plan(const Model& transformed, const Program& program);

  // Once per version of the parameters, whoever comes first; from any number of threads.
  template <typename Compute>
  Status make(uint64_t version, Compute compute) {
    if (made_.load(std::memory_order_acquire) == version) return {};
    const std::lock_guard lock(mutex_);
    if (made_.load(std::memory_order_relaxed) == version) return {};
    if (Status s = reserve(); !s) return s;
    if (Status s = compute(*this); !s) return s;
    made_.store(version, std::memory_order_release);
    return {};
  }

  int64_t words() const { return words_; }
  bool kept(int state) const { return parameter_[static_cast<std::size_t>(state)] < 0; }
  bool any_kept() const;

  // A state's row for a word; -1 is the row of nodes without one. nullptr: zeros.
  const float* row(int state, int32_t word, const ParameterStore& parameters) const {
    const auto s = static_cast<std::size_t>(state);
    if (parameter_[s] >= 0) return word < 0 ? nullptr : parameters.plain(parameter_[s]) + word * stride_[s];
    return data_[s] + (word < 0 ? words_ : word) * stride_[s];
  }
  float* kept_row(int state, int64_t row) {
    const auto s = static_cast<std::size_t>(state);
    return data_[s] + row * stride_[s];
  }

 private:
  Status reserve();
  int64_t kept_floats() const;

  int64_t words_ = 0;
  std::vector<int> parameter_;  // by state: the table whose rows are the state; -1: kept here
  std::vector<int64_t> stride_;
  Pages memory_;
  std::vector<float*> data_;
  std::atomic<uint64_t> made_{0};  // from this version
  std::mutex mutex_;
};

}  // namespace cortex::recursive
