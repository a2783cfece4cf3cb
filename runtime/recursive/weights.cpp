#include "runtime/recursive/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "support/bf16.h"
#include "support/checked.h"

namespace cortex::recursive {
namespace {

void note(const Stream& stream, std::vector<bool>& read) {
  if (stream.from == From::parameter || stream.from == From::word)
    read[static_cast<std::size_t>(stream.array)] = true;
}

void note(const CellProgram& cell, std::vector<bool>& read) {
  for (const Phase& phase : cell.phases) {
    for (const Step& step : phase.steps) {
      if (const auto* gather = std::get_if<Gather>(&step)) {
        for (const Gather::Part& part : gather->parts) note(part.stream, read);
      } else if (const auto* gemm = std::get_if<Gemm>(&step)) {
        note(gemm->a, read);
      } else if (const auto* product = std::get_if<MatrixProduct>(&step)) {
        read[static_cast<std::size_t>(product->parameter)] = true;
        if (product->plus) note(*product->plus, read);
        for (const MatrixProduct::Part& part : product->parts) note(part.stream, read);
      } else if (const auto* vector = std::get_if<VectorMatrix>(&step)) {
        note(vector->vector, read);
        note(vector->matrix, read);
      } else if (const auto* pointwise = std::get_if<Pointwise>(&step)) {
        for (const Stream& row : pointwise->rows) note(row, read);
      }
    }
  }
}

}  // namespace

ParameterStore::ParameterStore(const Model& model, const Program& program, int64_t panel, bool bf16)
    : keep_plain_(model.parameters.size()), weights_(program.weights), panel_(panel), bf16_(bf16) {
  for (const Parameter& p : model.parameters) {
    names_.push_back(p.name);
    counts_.push_back(elements(model.shape(p.dims)));
  }
  set_.resize(names_.size());
  note(program.leaf, keep_plain_);
  note(program.node, keep_plain_);
  plain_.resize(names_.size());
  packed_.resize(weights_.size());
  for (const Weights& w : weights_) {
    columns_.push_back(model.shape(model.parameters[static_cast<std::size_t>(w.parameter)].dims)[1]);
  }
  const auto packed_bytes = [&](const Weights& w) {
    return static_cast<std::size_t>(ceil_div(w.n, panel_) * w.k * panel_) * (bf16 ? 2 : 4);
  };
  std::size_t bytes = 0;
  for (const Weights& w : weights_) bytes += packed_bytes(w);
  packed_bytes_ = static_cast<int64_t>(bytes);
  memory_ = Pages(bytes);
  std::byte* at = static_cast<std::byte*>(memory_.data());
  for (std::size_t i = 0; at && i < weights_.size(); ++i) {
    packed_[i].row_stride = panel_ * (bf16 ? 2 : 4);
    packed_[i].panel_stride = weights_[i].k * packed_[i].row_stride;
    packed_[i].data = at;
    at += packed_bytes(weights_[i]);
  }
}

void ParameterStore::pack(std::size_t i, const float* values) {
  const Weights& w = weights_[i];
  float* to = static_cast<float*>(packed_[i].data);
  uint32_t* pairs = static_cast<uint32_t*>(packed_[i].data);
  for (int64_t p = 0; p < ceil_div(w.n, panel_); ++p) {
    for (int64_t k = 0; k < w.k; ++k) {
      const auto at = [&](int64_t j) {
        const int64_t row = p * panel_ + j;
        return row < w.n ? values[(w.first_row + row) * columns_[i] + k] : 0.0f;
      };
      if (bf16_) {
        for (int64_t j = 0; j < panel_ / 2; ++j)
          *pairs++ = to_bf16(at(j)) | uint32_t{to_bf16(at(j + panel_ / 2))} << 16;
      } else {
        for (int64_t j = 0; j < panel_; ++j) *to++ = at(j);
      }
    }
  }
}

Status ParameterStore::set(std::size_t parameter, const float* values, int64_t count) {
  if (count != counts_[parameter]) {
    return invalid_argument(
        fmt::format("parameter {} has {} elements, not {}", names_[parameter], counts_[parameter], count));
  }
  const Error full{ErrorCode::out_of_memory, fmt::format("parameter {}: out of memory", names_[parameter])};
  if (keep_plain_[parameter]) {
    Pages& plain = plain_[parameter];
    if (!plain.data()) plain = Pages(static_cast<std::size_t>(count) * sizeof(float));
    if (!plain.data()) return full;
    std::memcpy(plain.data(), values, static_cast<std::size_t>(count) * sizeof(float));
  }
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const Weights& w = weights_[i];
    if (static_cast<std::size_t>(w.parameter) != parameter) continue;
    if (!packed_[i].data) return full;
    pack(i, values);
  }
  set_[parameter] = true;
  ++version_;
  return {};
}

bool ParameterStore::complete(std::string* missing) const {
  const auto found = std::find(set_.begin(), set_.end(), false);
  if (found == set_.end()) return true;
  *missing = names_[static_cast<std::size_t>(found - set_.begin())];
  return false;
}

}  // namespace cortex::recursive
