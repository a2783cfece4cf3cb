#include "polyopt/recursive/lower_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "polyopt/recursive/cell_uses.h"
#include "polyopt/recursive/lower_pointwise.h"

namespace cortex::recursive {
namespace {

class CellLowering : CellUses {
 public:
  CellLowering(const Model& model, const Cell& cell, const LowerOptions& options, Program& program,
               CellProgram& out)
      : CellUses(cell, options), model_(model), program_(program), out_(out) {}

  Status run() {
    find_phases();
    if (Status s = find_storage(); !s) return s;
    const int phases = 1 + (phase_.empty() ? 0 : *std::max_element(phase_.begin(), phase_.end()));
    for (int p = 0; p < phases; ++p) {
      Phase phase;
      if (Status s = products(p, phase); !s) return s;
      if (Status s = elementwise(p, phase); !s) return s;
      if (!phase.steps.empty()) out_.phases.push_back(std::move(phase));
    }
    return {};
  }

 private:
  int matrix_operand(int i) const { return value(i).args[0]; }

  void find_phases() {
    phase_.assign(cell_.values.size(), 0);
    for (int i = 0; i < count(); ++i) {
      int p = 0;
      if (is_product(i) && !is_hoisted(i)) {
        for (const int a : value(i).args) {
          if (!at_start(a)) p = std::max(p, phase_[static_cast<std::size_t>(a)] + 1);
        }
      } else {
        for (const int a : value(i).args) p = std::max(p, phase_[static_cast<std::size_t>(a)]);
      }
      phase_[static_cast<std::size_t>(i)] = p;
    }
    // As late as its users allow: what a later phase alone uses need not be kept for it.
    for (int i = count(); i-- > 0;) {
      if (!is_elementwise(value(i).op) || is_state(i) || is_operand(i) || summed_product(i) >= 0) continue;
      int latest = -1;
      for (int u = i + 1; u < count(); ++u) {
        const std::vector<int>& args = value(u).args;
        if (std::find(args.begin(), args.end(), i) == args.end()) continue;
        const int p = phase_[static_cast<std::size_t>(u)];
        latest = latest < 0 ? p : std::min(latest, p);
      }
      phase_[static_cast<std::size_t>(i)] = std::max(phase_[static_cast<std::size_t>(i)], latest);
    }
  }

  Stream new_temporary(int i) {
    const Value& v = value(i);
    std::vector<int64_t>& widths = v.per_child ? program_.edge_width : program_.row_width;
    widths.push_back(elements(v.shape));
    return {v.per_child ? From::edge : From::row, static_cast<int>(widths.size()) - 1};
  }

  // Products and stored element-wise values get their place; the first state that is a value is its place.
  Status find_storage() {
    for (int i = 0; i < count(); ++i) {
      std::optional<Stream>& place = places_[static_cast<std::size_t>(i)];
      const auto state = std::find(cell_.states.begin(), cell_.states.end(), i);
      const int summed = summed_product(i);
      const bool computed = is_product(i) || is_pointwise(i) || summed >= 0;
      if (is_hoisted(i)) {
        if (Status s = hoist(i); !s) return s;
      } else if (computed && state != cell_.states.end() && !value(i).shape.empty()) {
        place = Stream{From::own, static_cast<int>(state - cell_.states.begin())};
      } else if (is_product(i) || summed >= 0) {
        place = new_temporary(i);
      } else if (is_pointwise(i) && !value(i).shape.empty() && !is_gathered(i) &&
                 (is_operand(i) || used_later(i) || has_slot(i))) {
        place = new_temporary(i);
      }
      if (summed >= 0) {
        places_[static_cast<std::size_t>(summed)] = place;
        plus_[summed] = *source(value(i).args[value(i).args[0] == summed ? 1 : 0]);
      }
      if (has_slot(i) && (!is_product(i) || used_whole(i))) {
        return unsupported(
            fmt::format("model {}: {}: a block per child is taken of a product that nothing else uses",
                        model_.name, name_of(i)));
      }
      if (value(i).op == Op::concat && used_elementwise(i)) {
        return unsupported(
            fmt::format("model {}: {} joins values that are then used element by element; use "
                        "concat as an operand of @ alone",
                        model_.name, name_of(i)));
      }
    }
    return {};
  }

  Status weights_of(int product, Weights& weights) const {
    const Value* matrix = &value(matrix_operand(product));
    weights.n = matrix->shape[0];
    weights.k = matrix->shape[1];
    if (matrix->op == Op::slice) {
      weights.first_row = matrix->begin;
      matrix = &value(matrix->args[0]);
    }
    if (matrix->op != Op::parameter) {
      return unsupported(
          fmt::format("model {}: {}: the matrix of a product must be a parameter or rows of one", model_.name,
                      name_of(product)));
    }
    weights.parameter = matrix->ref;
    return {};
  }

  Status new_gemm(int i, Gemm& gemm) {
    Weights weights;
    if (Status s = weights_of(i, weights); !s) return s;
    gemm.n = weights.n;
    gemm.k = weights.k;
    gemm.per_child = value(i).per_child;
    gemm.weights = has_slot(i) ? -1 : intern(weights);
    return {};
  }
  int intern(const Weights& weights) {
    const auto same = std::find(program_.weights.begin(), program_.weights.end(), weights);
    const int index = static_cast<int>(same - program_.weights.begin());
    if (same == program_.weights.end()) program_.weights.push_back(weights);
    return index;
  }

  // Leaf and node share what does not depend on the case.
  Status hoist(int i) {
    Gemm gemm;
    if (Status s = new_gemm(i, gemm); !s) return s;
    gemm.a = Stream{From::features, 0};
    for (const Gemm& other : program_.hoisted) {
      if (other.weights != gemm.weights) continue;
      places_[static_cast<std::size_t>(i)] = other.out;
      return {};
    }
    program_.hoisted_width.push_back(gemm.n);
    gemm.out = Stream{From::hoisted, static_cast<int>(program_.hoisted_width.size()) - 1};
    places_[static_cast<std::size_t>(i)] = gemm.out;
    program_.hoisted.push_back(gemm);
    return {};
  }

  // Where a product reads rows of operand i, after what `phase` may have to gather for it.
  Status operand(int i, bool per_child, Phase& phase, Stream& stream) {
    if (const auto found = panels_.find(i); options_.cache_reads && found != panels_.end()) {
      stream = found->second;
      return {};
    }
    const std::optional<Stream>& place = places_[static_cast<std::size_t>(i)];
    if (place && place->from != From::hoisted && value(i).per_child == per_child) {
      stream = *place;
      return {};
    }
    Gather gather;
    gather.per_child = per_child;
    int64_t at = 0;
    if (Status s = gather_parts(i, gather, at); !s) return s;
    gather.panel = static_cast<int>(program_.panels.size());
    program_.panels.push_back({at, per_child});
    stream = Stream{From::panel, gather.panel};
    if (!per_child) panels_.emplace(i, stream);
    phase.steps.emplace_back(std::move(gather));
    return {};
  }

  Status gather_parts(int i, Gather& gather, int64_t& at) {
    const Value& v = value(i);
    const auto add = [&](Stream stream, Gather::Reduce reduce, int64_t width) {
      gather.parts.push_back({stream, reduce, at, width});
      at += width;
    };
    if (v.op == Op::concat) {
      if (value(v.args[0]).per_child) {
        const std::optional<Stream> of = source(v.args[0]);
        if (!of || of->from != From::each) {
          return unsupported(fmt::format("model {}: {}: concat over the children takes their states",
                                         model_.name, name_of(i)));
        }
        const int64_t width = elements(value(v.args[0]).shape);
        for (int64_t k = 0; k < elements(v.shape) / width; ++k) {
          Stream slot = *of;
          slot.from = From::slot;
          slot.slot = static_cast<int>(k);
          add(slot, Gather::Reduce::none, width);
        }
        return {};
      }
      for (const int a : v.args) {
        if (Status s = gather_parts(a, gather, at); !s) return s;
      }
      return {};
    }
    const int64_t width = elements(v.shape);
    if (const std::optional<Stream>& place = places_[static_cast<std::size_t>(i)]; place) {
      add(*place, Gather::Reduce::none, width);
      return {};
    }
    if ((v.op == Op::sum || v.op == Op::max) && source(v.args[0])) {
      add(*source(v.args[0]), v.op == Op::sum ? Gather::Reduce::sum : Gather::Reduce::max, width);
      return {};
    }
    if (const std::optional<Stream> stream = source(i)) {
      add(*stream, Gather::Reduce::none, width);
      return {};
    }
    return unsupported(fmt::format("model {}: {} cannot be an operand of @", model_.name, name_of(i)));
  }

  Status products(int p, Phase& phase) {
    std::vector<Step> steps;
    for (int i = 0; i < count(); ++i) {
      if (!is_product(i) || is_hoisted(i) || phase_[static_cast<std::size_t>(i)] != p) continue;
      const Value& v = value(i);
      const Value &a = value(v.args[0]), &b = value(v.args[1]);
      const Stream out = *places_[static_cast<std::size_t>(i)];
      if (b.shape.size() == 1) {
        Gemm gemm;
        if (Status s = new_gemm(i, gemm); !s) return s;
        if (Status s = operand(v.args[1], v.per_child, phase, gemm.a); !s) return s;
        gemm.out = out;
        gemm.inner_only = out.from == From::own && out.array >= options_.visible_states;
        if (has_slot(i)) {
          if (Status s = split_in_blocks(i, gemm, steps); !s) return s;
        } else {
          steps.emplace_back(gemm);
        }
        continue;
      }
      if (v.per_child) {
        return unsupported(
            fmt::format("model {}: {}: products with a matrix per child", model_.name, name_of(i)));
      }
      if (a.shape.size() == 1) {
        VectorMatrix product{{}, {}, out, b.shape[0], b.shape[1]};
        if (Status s = located(v.args[0], phase, product.vector); !s) return s;
        if (Status s = located(v.args[1], phase, product.matrix); !s) return s;
        steps.emplace_back(product);
        continue;
      }
      MatrixProduct product;
      Weights weights;
      if (Status s = weights_of(i, weights); !s) return s;
      product.parameter = weights.parameter;
      product.first_row = weights.first_row;
      product.m = weights.n;
      product.k = weights.k;
      product.n = b.shape[1];
      product.out = out;
      if (const auto plus = plus_.find(i); plus != plus_.end()) product.plus = plus->second;
      if (Status s = matrix_parts(v.args[1], phase, product); !s) return s;
      steps.emplace_back(std::move(product));
    }
    for (Step& step : steps) phase.steps.push_back(std::move(step));
    return {};
  }

  // Threads own the same columns of every child's block, as they do of what is computed with it.
  Status split_in_blocks(int i, const Gemm& whole, std::vector<Step>& steps) {
    const int64_t blocks = model_.children();
    Weights weights;
    if (Status s = weights_of(i, weights); !s) return s;
    for (int64_t b = 0; b < blocks; ++b) {
      Gemm gemm = whole;
      gemm.n = whole.n / blocks;
      gemm.out.offset += b * gemm.n;
      gemm.weights = intern({weights.parameter, weights.first_row + b * gemm.n, gemm.n, weights.k});
      steps.emplace_back(gemm);
    }
    return {};
  }

  // A whole value in memory, wherever it stands.
  Status located(int i, Phase& phase, Stream& stream) {
    if (places_[static_cast<std::size_t>(i)]) {
      stream = *places_[static_cast<std::size_t>(i)];
    } else if (const std::optional<Stream> of = source(i)) {
      stream = *of;
    } else {
      return operand(i, false, phase, stream);
    }
    return {};
  }

  Status matrix_parts(int i, Phase& phase, MatrixProduct& product) {
    const Value& v = value(i);
    if (v.op == Op::concat && value(v.args[0]).per_child) {
      return operand(i, false, phase, product.parts.emplace_back(MatrixProduct::Part{{}, v.shape[0]}).stream);
    }
    if (v.op == Op::concat) {
      for (const int a : v.args) {
        if (Status s = matrix_parts(a, phase, product); !s) return s;
      }
      return {};
    }
    return located(i, phase, product.parts.emplace_back(MatrixProduct::Part{{}, v.shape[0]}).stream);
  }

  // The phase's element-wise values, a group per shape; states that are copies of what stands elsewhere.
  Status elementwise(int p, Phase& phase) {
    std::map<std::vector<int64_t>, std::vector<int>> groups;
    std::map<std::vector<int64_t>, std::vector<PointwiseCopy>> copies;
    for (int i = 0; i < count(); ++i) {
      if (phase_[static_cast<std::size_t>(i)] != p) continue;
      if (is_pointwise(i) && !panels_.count(i) && !value(i).shape.empty() && needed(i))
        groups[value(i).shape].push_back(i);
    }
    for (std::size_t s = 0; s < cell_.states.size(); ++s) {
      const int i = cell_.states[s];
      if (phase_[static_cast<std::size_t>(i)] != p) continue;
      const Stream own{From::own, static_cast<int>(s)};
      if (places_[static_cast<std::size_t>(i)] == own) continue;
      copies[model_.shape(model_.states[s].dims)].push_back({i, own});
    }
    for (const auto& [shape, list] : copies) groups[shape];
    for (const auto& [shape, values] : groups) {
      PointwiseInput input{
          cell_, values, copies[shape], shape, options_.fuse, shape.size() == 2 ? shape[1] : options_.panel,
          {},    {}};
      input.place = [&](int i) -> std::optional<Stream> {
        if (const auto found = panels_.find(i); found != panels_.end()) return found->second;
        const std::optional<Stream>& place = places_[static_cast<std::size_t>(i)];
        return place ? place : source(i);
      };
      input.new_edge_temporary = [&](int i) {
        return *(places_[static_cast<std::size_t>(i)] = new_temporary(i));
      };
      Result<Pointwise> group = lower_pointwise(input);
      if (!group) return unsupported(fmt::format("model {}: {}", model_.name, group.error().message));
      program_.scratch_rows = std::max(program_.scratch_rows, group->scratch_rows);
      program_.widest_pointwise = std::max(program_.widest_pointwise, group->width);
      if (!group->segments.empty()) phase.steps.emplace_back(std::move(group).value());
    }
    return {};
  }

  const Model& model_;
  Program& program_;
  CellProgram& out_;
  std::map<int, Stream> plus_;    // of products, what is added to them
  std::map<int, Stream> panels_;  // values that a gather has brought together
};

}  // namespace

Status lower_cell(const Model& model, const Cell& cell, const LowerOptions& options, Program& program,
                  CellProgram& out) {
  return CellLowering(model, cell, options, program, out).run();
}

}  // namespace cortex::recursive
