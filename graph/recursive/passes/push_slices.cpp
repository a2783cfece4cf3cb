#include <map>
#include <tuple>

#include "graph/recursive/check.h"
#include "graph/recursive/passes/passes.h"
#include "graph/recursive/passes/rewrite.h"

namespace cortex::recursive {
namespace {

class Pusher {
 public:
  Pusher(const Model& model, const Cell& cell) : model_(model), rewrite_(cell), count_(cell.values.size()) {}

  Cell run() {
    for (std::size_t i = 0; i < count_; ++i) rewrite_.map(static_cast<int>(i), whole(static_cast<int>(i)));
    return rewrite_.finish();
  }

 private:
  int whole(int index) {
    const Value& v = rewrite_.old(index);
    if (v.op == Op::slice) return part(v.args[0], v.begin, v.end, v.name);
    return rewrite_.add(rewrite_.with_mapped_args(v));
  }

  // Rows [lo, hi) of old value `index`, as a new value; the same part is made once.
  int part(int index, int64_t lo, int64_t hi, const std::string& name = "") {
    const Value& v = rewrite_.old(index);
    if (v.shape.empty()) return rewrite_.mapped(index);
    if (lo == 0 && hi == v.shape[0]) return rewrite_.mapped(index);
    const auto key = std::make_tuple(index, lo, hi);
    if (const auto found = parts_.find(key); found != parts_.end()) return found->second;
    const int made = make_part(index, v, lo, hi);
    if (rewrite_.at(made).name.empty()) rewrite_.at(made).name = name;
    parts_.emplace(key, made);
    return made;
  }

  int make_part(int index, const Value& v, int64_t lo, int64_t hi) {
    if (v.op == Op::slice) return part(v.args[0], v.begin + lo, v.begin + hi);
    Value out = v;
    out.name.clear();
    if (is_elementwise(v.op) || v.op == Op::sum || v.op == Op::max) {
      for (int& a : out.args) a = part(a, lo, hi);
      return rewrite_.add(out);
    }
    if (v.op == Op::matmul && rewrite_.old(v.args[0]).shape.size() == 2) {
      out.args = {part(v.args[0], lo, hi), rewrite_.mapped(v.args[1])};
      return rewrite_.add(out);
    }
    if (v.op == Op::concat && !rewrite_.old(v.args[0]).per_child) {
      int64_t at = 0;
      out.args.clear();
      for (const int a : v.args) {
        const int64_t rows = rewrite_.old(a).shape[0];
        const int64_t first = std::max(lo, at), last = std::min(hi, at + rows);
        if (first < last) out.args.push_back(part(a, first - at, last - at));
        at += rows;
      }
      return out.args.size() == 1 ? out.args[0] : rewrite_.add(out);
    }
    Value slice;
    slice.op = Op::slice;
    slice.args = {rewrite_.mapped(index)};
    slice.lo = number(lo);
    slice.hi = number(hi);
    return rewrite_.add(slice);
  }

  const Model& model_;
  Rewrite rewrite_;
  std::size_t count_;
  std::map<std::tuple<int, int64_t, int64_t>, int> parts_;
};

}  // namespace

Result<Model> push_slices(const Model& model) {
  Model out = model;
  if (model.leaf) out.leaf = Pusher(model, *model.leaf).run();
  out.node = Pusher(model, model.node).run();
  if (Status s = check(out); !s) return s.error();
  return drop_unused(out);
}

}  // namespace cortex::recursive
