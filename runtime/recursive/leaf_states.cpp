#include "runtime/recursive/leaf_states.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/checked.h"

namespace cortex::recursive {
namespace {

// The states are read in place of the tables' rows, which are of about their size.
constexpr int64_t times_the_tables = 2;

int64_t table_floats(const Model& model) {
  int64_t floats = 0;
  for (const Parameter& p : model.parameters) {
    if (p.table) floats += elements(model.shape(p.dims));
  }
  return floats;
}

int64_t vocabulary(const Model& model) {
  int64_t words = 0;
  for (const Parameter& p : model.parameters) {
    if (p.table) words = words ? std::min(words, model.size(p.dims[0])) : model.size(p.dims[0]);
  }
  return words;
}

bool follows_from_word(const Cell& cell) {
  return std::none_of(cell.values.begin(), cell.values.end(),
                      [](const Value& v) { return v.op == Op::feature || v.op == Op::child || v.per_child; });
}

}  // namespace

std::unique_ptr<LeafStates> LeafStates::plan(const Model& model, const Program& program) {
  if (!model.leaf || !program.has_leaf || !program.hoisted.empty() || !follows_from_word(*model.leaf))
    return nullptr;
  auto out = std::make_unique<LeafStates>();
  out->words_ = vocabulary(model);
  if (out->words_ == 0) return nullptr;
  for (std::size_t s = 0; s < model.states.size(); ++s) {
    const Value& v = model.leaf->values[static_cast<std::size_t>(model.leaf->states[s])];
    const bool is_row = v.op == Op::table_row;
    out->parameter_.push_back(is_row ? v.ref : -1);
    out->stride_.push_back(is_row ? elements(v.shape) : round_up(program.state_width[s], 16));
  }
  if (out->kept_floats() > times_the_tables * table_floats(model) + (int64_t{1} << 20)) return nullptr;
  return out;
}

bool LeafStates::any_kept() const {
  return std::any_of(parameter_.begin(), parameter_.end(), [](int p) { return p < 0; });
}

int64_t LeafStates::kept_floats() const {
  int64_t floats = 0;
  for (std::size_t s = 0; s < stride_.size(); ++s) {
    if (parameter_[s] < 0) floats += (words_ + 1) * stride_[s];
  }
  return floats;
}

Status LeafStates::reserve() {
  data_.resize(stride_.size());  // first: it may throw, and memory without its rows would be taken for good
  if (memory_.data() || !any_kept()) return {};
  memory_ = Pages(static_cast<std::size_t>(kept_floats()) * sizeof(float));
  if (!memory_.data()) {
    return Error{ErrorCode::out_of_memory, fmt::format("leaf states of {} words: out of memory", words_)};
  }
  float* at = static_cast<float*>(memory_.data());
  for (std::size_t s = 0; s < stride_.size(); ++s) {
    if (parameter_[s] >= 0) continue;
    data_[s] = at;
    at += (words_ + 1) * stride_[s];
  }
  return {};
}

}  // namespace cortex::recursive
