// Node by node, as users of torch write recursive models: small tensors, one call per equation.
#include "bench/backends/torch/instance.h"

namespace cortex::bench::torch_peer {
namespace {

class Nodes : public RecursiveInstance<Nodes> {
 public:
  explicit Nodes(const RecursiveRequest& request) : RecursiveInstance(request, "a tensor a node", false) {}

  void run(const Structures& batch) {
    order_by_height(batch, order_);
    const auto nodes = static_cast<std::size_t>(batch.node_count());
    h_.assign(nodes, {});
    second_.assign(nodes, {});
    for (const int32_t v : order_.node) node(batch, v);
  }
  at::Tensor h_of(int32_t v) const { return h_[static_cast<std::size_t>(v)]; }
  at::Tensor second_of(int32_t v) const { return second_[static_cast<std::size_t>(v)]; }

 private:
  void node(const Structures& batch, int32_t v) {
    h_children_.clear();
    second_children_.clear();
    for (int32_t k = 0; k < batch.child_count(v); ++k) {
      const auto child = static_cast<std::size_t>(batch.children_of(v)[k]);
      h_children_.push_back(h_[child]);
      second_children_.push_back(second_[child]);
    }
    const int32_t word = batch.word[static_cast<std::size_t>(v)];
    at::Tensor& h = h_[static_cast<std::size_t>(v)];
    at::Tensor& second = second_[static_cast<std::size_t>(v)];
    switch (model_.kind) {
      case RecursiveModel::treefc:
        h = h_children_.empty() ? row(model_.x, word) : model_.w(at::cat(h_children_, 1)).relu_();
        return;
      case RecursiveModel::mvrnn:
        mvrnn(word, h, second);
        return;
      case RecursiveModel::treegru:
      case RecursiveModel::seqgru:
        h = gru(word);
        return;
      case RecursiveModel::treelstm:
      case RecursiveModel::treelstm_nary:
        tree_lstm(word, h, second);
        return;
      case RecursiveModel::seqlstm:
        sequence_lstm(word, h, second);
        return;
      default:
        h = h_children_.empty() ? row(model_.x, word).tanh()
            : word < 0          ? model_.u_biased(sum(h_children_)).tanh_()
                                : model_.u(sum(h_children_)).add_(row(model_.x, word)).tanh_();
    }
  }

  at::Tensor row(const at::Tensor& table, int32_t word) const {
    return table.narrow(0, word < 0 ? model_.no_word : word, 1);
  }
  static at::Tensor sum(const std::vector<at::Tensor>& states) {
    if (states.size() == 1) return states[0];
    if (states.size() == 2) return states[0] + states[1];
    return at::cat(states).sum(0, true);
  }

  at::Tensor gru(int32_t word) const {
    const int64_t n = model_.h;
    if (h_children_.empty()) {
      const at::Tensor x = row(model_.x, word);
      return (1 - x.narrow(1, n, n).sigmoid()) * x.narrow(1, 2 * n, n).tanh();
    }
    const at::Tensor hs = sum(h_children_);
    at::Tensor rz, g;
    if (word < 0) {
      rz = model_.u_biased(hs).sigmoid_();
      g = model_.u_gate_biased(rz.narrow(1, 0, n) * hs).tanh_();
    } else {
      const at::Tensor x = row(model_.x, word);
      rz = model_.u(hs).add_(x.narrow(1, 0, 2 * n)).sigmoid_();
      g = model_.u_gate(rz.narrow(1, 0, n) * hs).add_(x.narrow(1, 2 * n, n)).tanh_();
    }
    return at::lerp(g, hs, rz.narrow(1, n, n));
  }

  void tree_lstm(int32_t word, at::Tensor& h, at::Tensor& c) const {
    const int64_t n = model_.h;
    const bool nary = model_.kind == RecursiveModel::treelstm_nary;
    if (h_children_.empty()) {
      const at::Tensor x = row(model_.x_leaf, word), io = x.narrow(1, 0, 2 * n).sigmoid();
      c = io.narrow(1, 0, n) * x.narrow(1, 2 * n, n).tanh();
      h = io.narrow(1, n, n) * c.tanh();
      return;
    }
    const auto k = static_cast<int64_t>(h_children_.size());
    at::Tensor children = at::cat(h_children_), hs = nary ? children.reshape({1, k * n}) : sum(h_children_);
    if (nary && k < model_.slots) hs = at::constant_pad_nd(hs, {0, (model_.slots - k) * n});
    at::Tensor iou, f;
    if (word < 0) {
      iou = model_.u_biased(hs);
      f = model_.u_f_biased(nary ? hs : children);
    } else {
      iou = model_.u(hs).add_(row(model_.x_leaf, word));
      f = model_.u_f(nary ? hs : children);
    }
    if (nary) f = f.view({model_.slots, n}).narrow(0, 0, k);
    if (word >= 0) f = f + row(model_.x, word).narrow(1, 3 * n, n);
    const at::Tensor io = iou.narrow(1, 0, 2 * n).sigmoid(), u = iou.narrow(1, 2 * n, n).tanh();
    const at::Tensor kept = (f.sigmoid() * at::cat(second_children_)).sum(0, true);
    c = at::addcmul(kept, io.narrow(1, 0, n), u);
    h = io.narrow(1, n, n) * c.tanh();
  }

  void sequence_lstm(int32_t word, at::Tensor& h, at::Tensor& c) const {
    const int64_t n = model_.h;
    const at::Tensor x = row(model_.x, word);
    const at::Tensor gates = h_children_.empty() ? x : model_.u(h_children_[0]).add_(x);
    const at::Tensor i_f = gates.narrow(1, 0, 2 * n).sigmoid(), u = gates.narrow(1, 2 * n, n).tanh();
    c = i_f.narrow(1, 0, n) * u;
    if (!h_children_.empty()) c.addcmul_(i_f.narrow(1, n, n), second_children_[0]);
    h = gates.narrow(1, 3 * n, n).sigmoid() * c.tanh();
  }

  void mvrnn(int32_t word, at::Tensor& h, at::Tensor& m) const {
    if (h_children_.empty()) {
      h = row(model_.x, word);
      m = model_.x_m.select(0, word);
      return;
    }
    h = model_
            .w(at::cat(
                {at::mm(h_children_[0], second_children_[1]), at::mm(h_children_[1], second_children_[0])},
                1))
            .tanh_();
    m = at::addmm(model_.b_m, model_.w_m, at::cat(second_children_));
  }

  std::vector<at::Tensor> h_, second_, h_children_, second_children_;
};

}  // namespace

std::unique_ptr<Instance> make_nodes(const RecursiveRequest& request) {
  return std::make_unique<Nodes>(request);
}

}  // namespace cortex::bench::torch_peer
