// The nodes of a level at once, batched by hand: what an expert writes who must stay within torch.
#include <algorithm>

#include "bench/backends/torch/instance.h"

namespace cortex::bench::torch_peer {
namespace {

// Of one level: its place among the states, its words, its children.
struct Level {
  int64_t first = 0, count = 0;
  int64_t children = 0;  // of every node, if it is the same number; else -1
  at::Tensor words;      // undefined: no node has one
  at::Tensor child;      // positions of the children, node by node
  at::Tensor owner;      // children == -1: within the level, the node of each child
};

class Levels : public RecursiveInstance<Levels> {
 public:
  explicit Levels(const RecursiveRequest& request) : RecursiveInstance(request, "a tensor a batch", true) {}

  void run(const Structures& batch) {
    order_by_height(batch, order_);
    index(batch);
    const int64_t nodes = batch.node_count();
    const bool lstm = model_.second == model_.h;
    state_ = at::empty({nodes, lstm ? 2 * model_.h : model_.h});
    if (model_.second > model_.h || (model_.second && !lstm))
      matrix_ = at::empty({nodes, model_.h, model_.h});
    for (int32_t l = 0; l < order_.levels(); ++l) run(level(batch, l));
  }
  at::Tensor h_of(int32_t v) const { return row(v).narrow(0, 0, model_.h); }
  at::Tensor second_of(int32_t v) const {
    if (model_.kind == RecursiveModel::mvrnn) {
      return matrix_.select(0, order_.position[static_cast<std::size_t>(v)]).t().contiguous();
    }
    return row(v).narrow(0, model_.h, model_.h);
  }

 private:
  at::Tensor row(int32_t v) const { return state_.select(0, order_.position[static_cast<std::size_t>(v)]); }

  // Words and children of all nodes in the order of the levels, as torch indices.
  void index(const Structures& batch) {
    words_.clear();
    children_.clear();
    first_child_.assign(1, 0);
    for (const int32_t v : order_.node) {
      const int32_t word = batch.word[static_cast<std::size_t>(v)];
      words_.push_back(word < 0 ? model_.no_word : word);
      for (int32_t k = 0; k < batch.child_count(v); ++k) {
        children_.push_back(order_.position[static_cast<std::size_t>(batch.children_of(v)[k])]);
      }
      if (model_.kind == RecursiveModel::treelstm_nary && batch.child_count(v) > 0) {
        // Absent children read a row of zeros that is no node's.
        for (int64_t k = batch.child_count(v); k < model_.slots; ++k) children_.push_back(-1);
      }
      first_child_.push_back(static_cast<int64_t>(children_.size()));
    }
  }

  Level level(const Structures& batch, int32_t l) {
    Level out;
    const auto first = static_cast<std::size_t>(order_.first[static_cast<std::size_t>(l)]);
    const auto end = static_cast<std::size_t>(order_.first[static_cast<std::size_t>(l) + 1]);
    out.first = static_cast<int64_t>(first);
    out.count = static_cast<int64_t>(end - first);
    const auto has_word = [&](int64_t word) { return word != model_.no_word; };
    if (l == 0 || std::any_of(words_.begin() + long(first), words_.begin() + long(end), has_word)) {
      out.words = at::from_blob(words_.data() + first, {out.count}, at::kLong);
    }
    const int64_t edges = first_child_[end] - first_child_[first];
    if (edges == 0) return out;
    out.child = at::from_blob(children_.data() + first_child_[first], {edges}, at::kLong);
    out.children = first_child_[first + 1] - first_child_[first];
    for (std::size_t p = first; p < end; ++p) {
      if (first_child_[p + 1] - first_child_[p] != out.children) out.children = -1;
    }
    if (out.children < 0) {
      owner_.clear();
      for (std::size_t p = first; p < end; ++p) {
        owner_.insert(owner_.end(), static_cast<std::size_t>(first_child_[p + 1] - first_child_[p]),
                      static_cast<int64_t>(p - first));
      }
      out.owner = at::from_blob(owner_.data(), {edges}, at::kLong);
    }
    static_cast<void>(batch);
    return out;
  }

  // [edges][width] -> [nodes of the level][width]
  static at::Tensor sum(const Level& level, const at::Tensor& rows) {
    if (level.children == 1) return rows;
    if (level.children == 2) {
      const at::Tensor pairs = rows.view({level.count, 2, rows.size(1)});
      return pairs.select(1, 0) + pairs.select(1, 1);
    }
    if (level.children > 2) return rows.view({level.count, level.children, rows.size(1)}).sum(1);
    return at::zeros({level.count, rows.size(1)}).index_add_(0, level.owner, rows);
  }

  void run(const Level& level) {
    switch (model_.kind) {
      case RecursiveModel::treefc:
        return treefc(level);
      case RecursiveModel::mvrnn:
        return mvrnn(level);
      case RecursiveModel::treegru:
      case RecursiveModel::seqgru:
        return gru(level);
      case RecursiveModel::treelstm:
        return child_sum(level);
      case RecursiveModel::treelstm_nary:
        return nary(level);
      case RecursiveModel::seqlstm:
        return sequence_lstm(level);
      default:
        return simple(level);
    }
  }

  at::Tensor rows(const Level& level) const { return state_.narrow(0, level.first, level.count); }
  at::Tensor h_rows(const Level& level) const { return rows(level).narrow(1, 0, model_.h); }
  at::Tensor c_rows(const Level& level) const { return rows(level).narrow(1, model_.h, model_.h); }
  at::Tensor gather(const Level& level) const { return at::index_select(state_, 0, level.child); }

  void treefc(const Level& level) {
    at::Tensor out = rows(level);
    if (!level.child.defined()) {
      at::index_select_out(out, model_.x, 0, level.words);
      return;
    }
    const at::Tensor sums = model_.w(gather(level).view({level.count, 2 * model_.h}));
    at::clamp_min_out(out, sums, 0);
  }

  void simple(const Level& level) {
    at::Tensor out = rows(level), sums;
    if (!level.child.defined()) {
      sums = at::index_select(model_.x, 0, level.words);
    } else {
      const at::Tensor hs = sum(level, gather(level));
      sums = level.words.defined() ? model_.u(hs).add_(at::index_select(model_.x, 0, level.words))
                                   : model_.u_biased(hs);
    }
    at::tanh_out(out, sums);
  }

  void gru(const Level& level) {
    const int64_t n = model_.h;
    at::Tensor out = rows(level);
    at::Tensor x;
    if (level.words.defined()) x = at::index_select(model_.x, 0, level.words);
    if (!level.child.defined()) {
      const at::Tensor z = x.narrow(1, n, n).sigmoid_(), g = x.narrow(1, 2 * n, n).tanh_();
      at::sub_out(out, g, z.mul_(g));
      return;
    }
    const at::Tensor hs = sum(level, gather(level));
    at::Tensor rz, g;
    if (x.defined()) {
      rz = model_.u(hs).add_(x.narrow(1, 0, 2 * n)).sigmoid_();
      g = model_.u_gate(rz.narrow(1, 0, n) * hs).add_(x.narrow(1, 2 * n, n)).tanh_();
    } else {
      rz = model_.u_biased(hs).sigmoid_();
      g = model_.u_gate_biased(rz.narrow(1, 0, n) * hs).tanh_();
    }
    at::lerp_out(out, g, hs, rz.narrow(1, n, n));
  }

  // i * u + kept, o * tanh(c) into the states; iou [nodes][3h] is overwritten.
  void finish(const Level& level, const at::Tensor& iou, const at::Tensor& kept) {
    const int64_t n = model_.h;
    const at::Tensor io = iou.narrow(1, 0, 2 * n).sigmoid_(), u = iou.narrow(1, 2 * n, n).tanh_();
    at::Tensor c = c_rows(level), h = h_rows(level);
    if (kept.defined()) {
      at::addcmul_out(c, kept, io.narrow(1, 0, n), u);
    } else {
      at::mul_out(c, io.narrow(1, 0, n), u);
    }
    at::mul_out(h, io.narrow(1, n, n), at::tanh(c));
  }

  void child_sum(const Level& level) {
    const int64_t n = model_.h;
    if (!level.child.defined()) return finish(level, at::index_select(model_.x_leaf, 0, level.words), {});
    const at::Tensor both = gather(level), h = both.narrow(1, 0, n), c = both.narrow(1, n, n);
    at::Tensor iou, f;
    if (level.words.defined()) {
      const at::Tensor x = at::index_select(model_.x, 0, level.words);
      iou = model_.u(sum_of(level, both, 0)).add_(x.narrow(1, 0, 3 * n));
      const at::Tensor x_f = x.narrow(1, 3 * n, n);
      f = model_.u_f(h).add_(level.children > 0 ? x_f.repeat_interleave(level.children, 0)
                                                : at::index_select(x_f, 0, level.owner));
    } else {
      iou = model_.u_biased(sum_of(level, both, 0));
      f = model_.u_f_biased(h);
    }
    finish(level, iou, sum(level, f.sigmoid_().mul_(c)));
  }

  // Of the columns from `column`, hidden of them.
  at::Tensor sum_of(const Level& level, const at::Tensor& both, int64_t column) const {
    const int64_t n = model_.h;
    if (level.children < 0 || level.children == 1) return sum(level, both.narrow(1, column, n).contiguous());
    const at::Tensor grouped = both.view({level.count, level.children, 2 * n}).narrow(2, column, n);
    return level.children == 2 ? grouped.select(1, 0) + grouped.select(1, 1) : grouped.sum(1);
  }

  void nary(const Level& level) {
    const int64_t n = model_.h, k = model_.slots;
    if (!level.child.defined()) return finish(level, at::index_select(model_.x_leaf, 0, level.words), {});
    const bool padded = level.child.min().item<int64_t>() < 0;
    at::Tensor both = padded ? at::index_select(state_, 0, level.child.clamp_min(0)) : gather(level);
    if (padded) both.mul_(level.child.ge(0).unsqueeze(1));
    const at::Tensor slots = both.view({level.count, k, 2 * n});
    const at::Tensor hs = slots.narrow(2, 0, n).reshape({level.count, k * n}), c = slots.narrow(2, n, n);
    at::Tensor iou, f;
    if (level.words.defined()) {
      const at::Tensor x = at::index_select(model_.x, 0, level.words);
      iou = model_.u(hs).add_(x.narrow(1, 0, 3 * n));
      f = model_.u_f(hs).view({level.count, k, n}).add_(x.narrow(1, 3 * n, n).unsqueeze(1));
    } else {
      iou = model_.u_biased(hs);
      f = model_.u_f_biased(hs).view({level.count, k, n});
    }
    f.sigmoid_().mul_(c);
    finish(level, iou, k == 2 ? f.select(1, 0) + f.select(1, 1) : f.sum(1));
  }

  void sequence_lstm(const Level& level) {
    const int64_t n = model_.h;
    at::Tensor gates = at::index_select(model_.x, 0, level.words), before;
    if (level.child.defined()) {
      before = gather(level);
      gates = model_.u(before.narrow(1, 0, n)).add_(gates);
    }
    const at::Tensor i_f = gates.narrow(1, 0, 2 * n).sigmoid_(), u = gates.narrow(1, 2 * n, n).tanh_();
    const at::Tensor o = gates.narrow(1, 3 * n, n).sigmoid_();
    at::Tensor c = c_rows(level), h = h_rows(level);
    if (before.defined()) {
      at::addcmul_out(c, before.narrow(1, n, n).mul_(i_f.narrow(1, n, n)), i_f.narrow(1, 0, n), u);
    } else {
      at::mul_out(c, i_f.narrow(1, 0, n), u);
    }
    at::mul_out(h, o, at::tanh(c));
  }

  // Matrices are kept transposed: all of a level's then meet W_M as rows, in one product a side.
  void mvrnn(const Level& level) {
    const int64_t n = model_.h;
    at::Tensor out = rows(level), matrices = matrix_.narrow(0, level.first, level.count);
    if (!level.child.defined()) {
      at::index_select_out(out, model_.x, 0, level.words);
      matrices.copy_(at::index_select(model_.x_m, 0, level.words).transpose(1, 2));
      return;
    }
    const at::Tensor vectors = gather(level).view({level.count, 2, n, 1});
    const at::Tensor children = level.child.view({level.count, 2});
    const at::Tensor left = at::index_select(matrix_, 0, children.select(1, 0));
    const at::Tensor right = at::index_select(matrix_, 0, children.select(1, 1));
    const at::Tensor joined =
        at::cat({at::bmm(right, vectors.select(1, 0)), at::bmm(left, vectors.select(1, 1))}, 1).squeeze(2);
    const at::Tensor sums = model_.w(joined);
    at::tanh_out(out, sums);
    at::Tensor flat = matrices.view({level.count * n, n});
    const at::Tensor b = model_.b_m.t();
    flat.view({level.count, n, n}).copy_(b.expand({level.count, n, n}));
    flat.addmm_(left.view({level.count * n, n}), model_.w_m.narrow(1, 0, n).t());
    flat.addmm_(right.view({level.count * n, n}), model_.w_m.narrow(1, n, n).t());
  }

  at::Tensor state_, matrix_;
  std::vector<int64_t> words_, children_, first_child_, owner_;
};

}  // namespace

std::unique_ptr<Instance> make_levels(const RecursiveRequest& request) {
  return std::make_unique<Levels>(request);
}

}  // namespace cortex::bench::torch_peer
