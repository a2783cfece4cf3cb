// A model's parameters: as given where rows of them are read, in panels where products stream them.
#pragma once

#include <cstdint>
#include <vector>

#include "polyopt/recursive/program.h"
#include "runtime/recursive/pages.h"
#include "support/result.h"

namespace cortex::recursive {

// [k][panel] blocks, one per panel of rows of the parameter; the last padded with zeros. In bf16 a panel's
// first and second half share 32-bit words, as cortex_cell_gemm_bf16 reads them.
struct PackedWeights {
  void* data = nullptr;
  int64_t panel_stride = 0, row_stride = 0;  // bytes; of a row of k
};

class ParameterStore {
 public:
  ParameterStore() = default;
  // Without memory for the weights set() refuses.
  ParameterStore(const Model& model, const Program& program, int64_t panel, bool bf16);

  Status set(std::size_t parameter, const float* values, int64_t count);
  bool complete(std::string* missing) const;
  uint64_t version() const { return version_; }  // grows whenever a parameter is set

  const float* plain(int parameter) const {
    return static_cast<const float*>(plain_[static_cast<std::size_t>(parameter)].data());
  }
  bool bf16() const { return bf16_; }
  int64_t packed_bytes() const { return packed_bytes_; }
  const PackedWeights& packed(int weights) const { return packed_[static_cast<std::size_t>(weights)]; }

 private:
  void pack(std::size_t weights, const float* values);

  std::vector<std::string> names_;
  std::vector<int64_t> counts_;
  std::vector<bool> set_, keep_plain_;
  std::vector<Weights> weights_;
  std::vector<int64_t> columns_;  // of the parameter each of the weights is rows of
  int64_t panel_ = 0;
  bool bf16_ = false;
  int64_t packed_bytes_ = 0;
  uint64_t version_ = 0;
  std::vector<Pages>
      plain_;     // in large pages: every word of a large table would cost a walk through small ones
  Pages memory_;  // of all packed weights, one behind the other
  std::vector<PackedWeights> packed_;
};

}  // namespace cortex::recursive
