#include "polyopt/recursive/lower_pointwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace cortex::recursive {
namespace {

constexpr int32_t none = -1;

int32_t activation_of(Op op) {
  switch (op) {
    case Op::sigmoid:
      return CORTEX_ACTIVATION_SIGMOID;
    case Op::tanh:
      return CORTEX_ACTIVATION_TANH;
    case Op::relu:
      return CORTEX_ACTIVATION_RELU;
    default:
      return CORTEX_CELL_EXP;
  }
}

class PointwiseLowering {
 public:
  explicit PointwiseLowering(const PointwiseInput& input) : in_(input) {}

  Result<Pointwise> run() {
    out_.width = elements(in_.shape);
    out_.quantum = in_.quantum;
    for (const int i : in_.values) in_group_[i] = true;
    find_segments();
    for (const int i : in_.values) {
      if (is_root(i)) location(i);
      if (!error_.message.empty()) return Error(error_);
    }
    for (const PointwiseCopy& copy : in_.copies) {
      const int segment = segment_of(copy.value);
      const int32_t from = location(copy.value), to = row(copy.to);
      push(form(from), to, segment % 2 ? segment + 1 : segment);
    }
    if (!error_.message.empty()) return Error(error_);
    while (!out_.segments.empty() && out_.segments.back().steps.empty()) out_.segments.pop_back();
    out_.scratch_rows = scratch_;
    return std::move(out_);
  }

 private:
  const Value& value(int i) const { return in_.cell.values[static_cast<std::size_t>(i)]; }
  bool grouped(int i) const { return in_group_.count(i) > 0; }
  static bool reduces(Op op) { return op == Op::sum || op == Op::max; }

  // Even segments run once per node, odd ones once per child; a reduction's result is there in the segment
  // after the one it is made in.
  void find_segments() {
    for (const int i : in_.values) {
      const Value& v = value(i);
      int s = 0;
      for (const int a : v.args) {
        if (grouped(a)) s = std::max(s, segment_[a] + (reduces(value(a).op) ? 1 : 0));
      }
      const bool child = v.per_child || reduces(v.op);
      if (s % 2 != (child ? 1 : 0)) ++s;
      segment_[i] = s;
    }
  }
  int segment_of(int i) const {
    const auto found = segment_.find(i);
    if (found == segment_.end()) return 0;
    return found->second + (reduces(value(i).op) ? 1 : 0);
  }

  int uses(int i) const {
    int n = 0;
    for (const Value& v : in_.cell.values) n += static_cast<int>(std::count(v.args.begin(), v.args.end(), i));
    return n;
  }
  // Stored values, reductions, values used more than once or in another segment are computed for themselves.
  bool is_root(int i) const {
    return !inlined(i, segment_.at(i)) && (value(i).op != Op::constant || in_.place(i));
  }
  bool inlined(int i, int segment) const {
    if (!in_.fuse || !grouped(i) || reduces(value(i).op) || value(i).op == Op::constant) return false;
    return uses(i) == 1 && !in_.place(i) && segment_.at(i) == segment && user_in(i, segment);
  }
  bool user_in(int i, int segment) const {
    return std::any_of(in_.values.begin(), in_.values.end(), [&](int u) {
      const std::vector<int>& args = value(u).args;
      return segment_.at(u) == segment && std::find(args.begin(), args.end(), i) != args.end();
    });
  }

  int32_t row(const Stream& stream) {
    const auto found = std::find(out_.rows.begin(), out_.rows.end(), stream);
    if (found != out_.rows.end()) return static_cast<int32_t>(found - out_.rows.begin());
    out_.rows.push_back(stream);
    return static_cast<int32_t>(out_.rows.size()) - 1;
  }
  int32_t scratch() { return row(Stream{From::scratch, scratch_++}); }

  void push(cortex_cell_step step, int32_t dst, int segment) {
    while (static_cast<int>(out_.segments.size()) <= segment) {
      out_.segments.push_back({out_.segments.size() % 2 == 1, {}, {}});
    }
    step.dst = dst;
    Pointwise::Segment& to = out_.segments[static_cast<std::size_t>(segment)];
    to.steps.push_back(step);
    if (!to.childless.empty()) to.childless.push_back(step);
  }
  void push_max_start(int32_t dst, int segment) {
    push(fill(0), dst, segment);
    Pointwise::Segment& to = out_.segments[static_cast<std::size_t>(segment)];
    if (to.childless.empty()) to.childless = to.steps;
    to.steps.back().alpha = -std::numeric_limits<float>::infinity();
  }

  static cortex_cell_step form(int32_t a) {
    return {CORTEX_CELL_FORM, 0, none, a, none, none, none, none, 0, 0};
  }
  static cortex_cell_step fill(double number) {
    return {CORTEX_CELL_FILL, 0, none, none, none, none, none, none, static_cast<float>(number), 0};
  }

  // The row a value's elements are in, computing it first if need be.
  int32_t location(int i) {
    if (const auto found = done_.find(i); found != done_.end()) return found->second;
    const Value& v = value(i);
    if (!grouped(i)) {
      if (v.op == Op::constant) {  // a number
        const int32_t to = scratch();
        push(fill(v.number), to, 0);
        return done_[i] = to;
      }
      const std::optional<Stream> stream = in_.place(i);
      if (!stream) {
        error_ = unsupported(fmt::format("{} of value {} has no place in memory", op_name(v.op), i));
        return 0;
      }
      return done_[i] = row(*stream);
    }
    const int segment = segment_.at(i);
    if (reduces(v.op)) return done_[i] = reduce(i, segment);
    std::optional<Stream> place = in_.place(i);
    if (!place && v.per_child && used_in_other_segment(i, segment)) place = in_.new_edge_temporary(i);
    cortex_cell_step step = build(i, segment);
    const int32_t to = place ? row(*place) : scratch();
    push(step, to, segment);
    return done_[i] = to;
  }

  bool used_in_other_segment(int i, int segment) const {
    return std::any_of(in_.values.begin(), in_.values.end(), [&](int u) {
      const std::vector<int>& args = value(u).args;
      return segment_.at(u) != segment && std::find(args.begin(), args.end(), i) != args.end();
    });
  }

  int32_t reduce(int i, int segment) {
    const int a = value(i).args[0];
    const std::optional<Stream> place = in_.place(i);
    const int32_t to = place ? row(*place) : scratch();
    if (value(i).op == Op::max) {
      push_max_start(to, segment - 1);
      cortex_cell_step step = form(to);
      step.op = CORTEX_CELL_MAX;
      step.b = location(a);
      push(step, to, segment);
      return to;
    }
    push(fill(0), to, segment - 1);
    cortex_cell_step step = form(none);
    if (inlined(a, segment)) {
      step = build(a, segment);
    }
    if (step.a == none || step.op != CORTEX_CELL_FORM || step.e != none) {
      const bool computed = step.a != none;
      int32_t from;
      if (computed) {
        from = scratch();
        push(step, from, segment);
      } else {
        from = location(a);
      }
      step = form(from);
    }
    step.e = to;
    push(step, to, segment);
    return to;
  }

  bool is_number(int i) const { return value(i).op == Op::constant; }

  // The step that computes value i, without its destination.
  cortex_cell_step build(int i, int segment) {
    const Value& v = value(i);
    const auto arg = [&](std::size_t k) { return v.args[k]; };
    const auto affine = [&](int x, double alpha, double beta) {
      cortex_cell_step step = form(location(x));
      step.op = CORTEX_CELL_AFFINE;
      step.alpha = static_cast<float>(alpha);
      step.beta = static_cast<float>(beta);
      return step;
    };
    const auto binary = [&](cortex_cell_op op) {
      cortex_cell_step step = form(location(arg(0)));
      step.op = op;
      step.b = location(arg(1));
      return step;
    };
    switch (v.op) {
      case Op::constant:
        return fill(v.number);
      case Op::add:
        if (is_number(arg(0))) return affine(arg(1), 1, value(arg(0)).number);
        if (is_number(arg(1))) return affine(arg(0), 1, value(arg(1)).number);
        for (const int side : {0, 1}) {
          const int product = arg(static_cast<std::size_t>(side));
          if (!inlined(product, segment) || value(product).op != Op::mul || has_number(product)) continue;
          cortex_cell_step step = build(product, segment);
          step.e = location(arg(static_cast<std::size_t>(1 - side)));
          return step;
        }
        return terms(i, segment);
      case Op::sub:
        if (is_number(arg(0))) return affine(arg(1), -1, value(arg(0)).number);
        if (is_number(arg(1))) return affine(arg(0), 1, -value(arg(1)).number);
        return binary(CORTEX_CELL_SUB);
      case Op::mul: {
        if (is_number(arg(0))) return affine(arg(1), value(arg(0)).number, 0);
        if (is_number(arg(1))) return affine(arg(0), value(arg(1)).number, 0);
        for (const int side : {0, 1}) {
          const int act = arg(static_cast<std::size_t>(side));
          if (!inlined(act, segment) || !is_activation(value(act).op)) continue;
          const int32_t factor = location(arg(static_cast<std::size_t>(1 - side)));
          cortex_cell_step step = build(act, segment);
          step.d = factor;
          return step;
        }
        cortex_cell_step step = form(location(arg(0)));
        step.d = location(arg(1));
        return step;
      }
      case Op::div:
        return binary(CORTEX_CELL_DIV);
      case Op::maximum:
        return binary(CORTEX_CELL_MAX);
      case Op::minimum:
        return binary(CORTEX_CELL_MIN);
      default: {
        cortex_cell_step step = inlined(arg(0), segment) && value(arg(0)).op == Op::add && !has_number(arg(0))
                                    ? terms(arg(0), segment)
                                    : form(location(arg(0)));
        step.activation = activation_of(v.op);
        return step;
      }
    }
  }

  static bool is_activation(Op op) {
    return op == Op::sigmoid || op == Op::tanh || op == Op::relu || op == Op::exp;
  }
  bool has_number(int i) const {
    const Value& v = value(i);
    return std::any_of(v.args.begin(), v.args.end(), [&](int a) { return is_number(a); });
  }

  // a + b, or (a + b) + c.
  cortex_cell_step terms(int i, int segment) {
    const Value& v = value(i);
    const int left = v.args[0], right = v.args[1];
    if (inlined(left, segment) && value(left).op == Op::add && !has_number(left)) {
      const Value& inner = value(left);
      cortex_cell_step step = form(location(inner.args[0]));
      step.b = location(inner.args[1]);
      step.c = location(right);
      return step;
    }
    cortex_cell_step step = form(location(left));
    step.b = location(right);
    return step;
  }

  const PointwiseInput& in_;
  Pointwise out_;
  std::map<int, bool> in_group_;
  std::map<int, int> segment_;
  std::map<int, int32_t> done_;
  int scratch_ = 0;
  Error error_;
};

}  // namespace

Result<Pointwise> lower_pointwise(const PointwiseInput& input) { return PointwiseLowering(input).run(); }

}  // namespace cortex::recursive
