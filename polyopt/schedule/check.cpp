// Structural checks of a Schedule: what the interpreter and the generated code rely on.
#include <fmt/format.h>

#include <algorithm>

#include "graph/problem/text.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"
#include "polyopt/schedule/views.h"
#include "support/checked.h"

namespace cortex {
namespace {

struct Checker {
  const Nest& nest;
  const Schedule& schedule;
  const KernelInfo* kernel = nullptr;

  std::string dim(int d) const { return nest.dims[d].name; }
  // As problems name it: nests of narrow types are counted in units.
  const char* type(Operand o) const { return dtype_name(element_of(nest[o].tensor.type)); }
  template <typename... Args>
  Error refuse(fmt::format_string<Args...> text, Args&&... args) const {
    return invalid_argument(fmt::format("schedule of {}: ", nest.name) +
                            fmt::format(text, std::forward<Args>(args)...));
  }

  // "S[m=0,k=128]": the instance with `value` in dim d and zero elsewhere; I has no reduction dims.
  std::string instance(char statement, int d, int64_t value) const {
    std::string at;
    for (int i = 0; i < static_cast<int>(nest.dims.size()); ++i) {
      if (statement == 'I' && nest.dims[i].kind == DimKind::reduction) continue;
      at += fmt::format("{}{}={}", at.empty() ? "" : ",", dim(i), i == d ? value : 0);
    }
    return fmt::format("{}[{}]", statement, at);
  }

  // Where the second tile of a loop begins; 1 where it has but one.
  int64_t second_tile(int index) const {
    const Loop& loop = schedule.loops[index];
    const int64_t range = max_range(nest, schedule, loop.dim, index),
                  tiles = max_trips(nest, schedule, index);
    if (tiles < 2) return 1;
    return loop.balanced ? ceil_div(range, tiles) : loop.step;
  }

  Status run() {
    for (Status (Checker::*step)() const : {&Checker::loops, &Checker::packs}) {
      if (Status s = (this->*step)(); !s) return s;
    }
    kernel = find_kernel(schedule.tile.kernel);
    if (!kernel) {
      return refuse("no microkernel {}: `cortex-bench list` names them", quoted(schedule.tile.kernel));
    }
    for (Status (Checker::*step)() const : {&Checker::types, &Checker::roles, &Checker::coverage,
                                            &Checker::strides, &Checker::panels, &Checker::op}) {
      if (Status s = (this->*step)(); !s) return s;
    }
    return Status::success();
  }

  Status loops() const {
    const int dims = static_cast<int>(nest.dims.size());
    if (dims > max_dims)
      return refuse("{} dims, at most {} are supported: coalesce the nest", dims, max_dims);
    if (schedule.loops.size() > static_cast<std::size_t>(max_loops)) {
      return refuse("{} loops, at most {} are supported", schedule.loops.size(), max_loops);
    }
    int parallel = 0;
    bool prefix = true;
    for (const Loop& loop : schedule.loops) {
      if (loop.dim < 0 || loop.dim >= dims)
        return refuse("a loop over dim #{}, the nest has {}", loop.dim, dims);
      if (loop.step < 1) return refuse("loop {}: step {} is not positive", dim(loop.dim), loop.step);
      if (!loop.parallel && loop.threads != 1) {
        return refuse("loop {}: a thread grid on a sequential loop", dim(loop.dim));
      }
      if (loop.split) {
        if (Status s = split(loop); !s) return s;
      }
      if (!loop.parallel) {
        prefix = false;
        continue;
      }
      if (!prefix) {
        return refuse("parallel loop {} stands inside a sequential one: parallel loops come first",
                      dim(loop.dim));
      }
      if (nest.dims[loop.dim].kind != DimKind::parallel && !loop.split) {
        const int64_t next = second_tile(static_cast<int>(&loop - schedule.loops.data()));
        return refuse(
            "parallel loop {}: RAW on {}: {} -> {} would race: make {} sequential or split the reduction "
            "({}/{}+)",
            dim(loop.dim), nest[Operand::c].tensor.name, instance('S', loop.dim, 0),
            instance('S', loop.dim, next), dim(loop.dim), dim(loop.dim), loop.step);
      }
      if (loop.threads < 1) return refuse("loop {}: thread grid {}", dim(loop.dim), loop.threads);
      if (++parallel > CORTEX_MAX_PARALLEL_LOOPS) {
        return refuse("more than {} parallel loops", static_cast<int>(CORTEX_MAX_PARALLEL_LOOPS));
      }
    }
    return Status::success();
  }

  // What a split of `loop` asks for (see Loop::split).
  Status split(const Loop& loop) const {
    const std::string name = dim(loop.dim);
    if (nest.dims[loop.dim].kind != DimKind::reduction) {
      return refuse("loop {}/{}+: {} is no reduction: only a sum can be split", name, loop.step, name);
    }
    if (!loop.parallel) {
      return refuse("loop {}/{}+: a split of a sequential loop: make it parallel or drop the +", name,
                    loop.step);
    }
    const auto splits = std::count_if(schedule.loops.begin(), schedule.loops.end(),
                                      [](const Loop& other) { return other.split; });
    if (splits > 1) return refuse("{} split loops: one reduction can be split", splits);
    const int64_t parts = max_trips(nest, schedule, static_cast<int>(&loop - schedule.loops.data()));
    if (parts < 2 || parts > most_parts) {
      return refuse("loop {}/{}+: {} part{}: a reduction is split in 2 to {}", name, loop.step, parts,
                    parts == 1 ? "" : "s", most_parts);
    }
    if (nest[Operand::c].tensor.type != DataType::f32 || !holds_sums(nest)) {
      return refuse("loop {}/{}+: sums of {} by {} into {}: only f32 sums into f32 can be split", name,
                    loop.step, type(Operand::a), type(Operand::b), type(Operand::c));
    }
    return Status::success();
  }

  Status packs() const {
    std::array<int, operand_count> seen{};
    for (const Pack& pack : schedule.packs) {
      const char* name = operand_name(pack.operand);
      if (pack.operand == Operand::c) return refuse("pack(C): only A and B can be packed");
      if (seen[static_cast<int>(pack.operand)]++) return refuse("{} is packed twice", name);
      if (pack.depth < 0 || pack.depth > static_cast<int>(schedule.loops.size())) {
        return refuse("pack({}) at depth {}: there are {} loops", name, pack.depth, schedule.loops.size());
      }
      if (pack.pitch_pad < 0) return refuse("pack({}): pitch pad {}", name, pack.pitch_pad);
      if (pack.form == PackForm::panel && pack.operand != Operand::b) {
        return refuse("pack({},panel): only B is held in panels", name);
      }
      if (pack.form == PackForm::panel && pack.pitch_pad)
        return refuse("pack(B,panel): panels take no pitch pad");
      if (pack.ahead_of_time) {
        if (Status s = ahead(pack); !s) return s;
      }
    }
    return Status::success();
  }

  Status ahead(const Pack& pack) const {
    const std::string text = fmt::format("pack({},...,ahead)", operand_name(pack.operand));
    if (pack.operand != Operand::b)
      return refuse("{}: A changes from run to run: only B, the weights, can be packed ahead of time", text);
    if (!nest.b_constant)
      return refuse("{}: B is no constant here: only constant weights can be packed ahead of time", text);
    if (pack.depth == 0) return Status::success();
    return refuse("{} inside {} loop{}: what is packed ahead of time is packed once, outside all loops", text,
                  pack.depth, pack.depth == 1 ? "" : "s");
  }

  Status types() const {
    if (!serves_types(*kernel, nest)) {
      return refuse("{} does not multiply {} by {} into {}", kernel->name, type(Operand::a), type(Operand::b),
                    type(Operand::c));
    }
    if (holds_sums(nest)) return Status::success();
    for (int i = 0; i < static_cast<int>(schedule.loops.size()); ++i) {
      const int d = schedule.loops[i].dim;
      if (nest.dims[d].kind != DimKind::reduction || max_trips(nest, schedule, i) == 1) continue;
      return refuse(
          "loop {}: C is {}, which cannot hold partial sums: leave the whole reduction to the microkernel",
          dim(d), type(Operand::c));
    }
    return Status::success();
  }

  Status roles() const {
    const KernelTile& t = schedule.tile;
    const int dims = static_cast<int>(nest.dims.size());
    std::vector<int> used;
    auto role = [&](int d, DimKind kind, const char* name) -> Status {
      if (d < 0) return Status::success();
      if (d >= dims) return refuse("role {}: dim #{}, the nest has {}", name, d, dims);
      if (nest.dims[d].kind != kind) {
        return refuse("role {}: dim {} is {}", name, dim(d),
                      kind == DimKind::parallel ? "a reduction" : "parallel");
      }
      if (std::find(used.begin(), used.end(), d) != used.end()) return refuse("dim {} has two roles", dim(d));
      used.push_back(d);
      return Status::success();
    };
    if (Status s = role(t.m_dim, DimKind::parallel, "m"); !s) return s;
    if (Status s = role(t.n_dim, DimKind::parallel, "n"); !s) return s;
    if (Status s = role(t.k_dim, DimKind::reduction, "k"); !s) return s;
    if (Status s = role(t.rows_dim, DimKind::parallel, "rows"); !s) return s;
    for (int d : t.batch_dims) {
      if (Status s = role(d, DimKind::reduction, "batch"); !s) return s;
    }
    return Status::success();
  }

  bool in_kernel(int d) const {
    const KernelTile& t = schedule.tile;
    return d == t.m_dim || d == t.n_dim || d == t.k_dim || d == t.rows_dim ||
           std::find(t.batch_dims.begin(), t.batch_dims.end(), d) != t.batch_dims.end();
  }

  Status coverage() const {
    const int depth = static_cast<int>(schedule.loops.size());
    for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
      const int64_t left = max_range(nest, schedule, d, depth);
      if (!in_kernel(d) && left != 1) {
        const bool reduction = nest.dims[d].kind == DimKind::reduction;
        return refuse(
            "dim {}: {} iterations are left inside the loops and the microkernel does not take them, so "
            "that RAW on {}: {} -> {} is broken: add a loop {}/1 or a role",
            dim(d), left, nest[Operand::c].tensor.name, instance(reduction ? 'S' : 'I', d, reduction ? 0 : 1),
            instance('S', d, 1), dim(d));
      }
      if (kernel->op != KernelOp::brgemm) continue;
      if (d == schedule.tile.m_dim && left > kernel->mr) {
        return refuse("dim {}: tiles of {} rows, {} takes {}", dim(d), left, kernel->name, kernel->mr);
      }
      if (d == schedule.tile.rows_dim && kernel->tiles) {
        if (Status s = bands(left); !s) return s;
      }
      if (d == schedule.tile.n_dim && left > kernel->nr) {
        return refuse("dim {}: tiles of {} columns, {} takes {}", dim(d), left, kernel->name, kernel->nr);
      }
    }
    return Status::success();
  }

  // `count` bands of rows, each in register tiles of its own.
  Status bands(int64_t count) const {
    const int m = schedule.tile.m_dim, depth = static_cast<int>(schedule.loops.size());
    const int64_t rows = m < 0 ? 1 : max_range(nest, schedule, m, depth);
    if (count == 1 || (rows <= tile_rows && count <= kernel->mr / tile_rows)) return Status::success();
    return refuse("role rows: {} bands of {} rows, {} takes {} of {}", count, rows, kernel->name,
                  kernel->mr / tile_rows, tile_rows);
  }

  Status adjacent(Operand operand, int d) const {
    if (d < 0) return Status::success();
    if (find_pack(schedule, operand)) {
      // A pack makes the tensor dimension of d innermost; d itself must step through it one by one.
      for (const AffineExpr& e : nest[operand].subscripts) {
        for (const AffineTerm& t : e.terms) {
          if (t.dim == d && t.coeff != 1) {
            return refuse("{} is indexed by {}*{}: {} cannot be the adjacent dim", operand_name(operand),
                          t.coeff, dim(d), dim(d));
          }
        }
      }
      return Status::success();
    }
    const int64_t stride = linear_stride(nest[operand], d);
    if (stride == 1) return Status::success();
    return refuse(
        "{} reads {} with stride {} along {}, the microkernel needs it adjacent: pack {} or choose another "
        "dim",
        kernel->name, operand_name(operand), stride, dim(d), operand_name(operand));
  }

  Status padding_is_skipped() const {
    const int j = unclipped_dimension(nest, schedule);
    if (j < 0) return Status::success();
    return refuse("A is read outside its bounds in dimension {}: pack(A,box) fills the halo with zeros",
                  nest[Operand::a].tensor.dim_names[j]);
  }

  Status strides() const {
    const KernelTile& t = schedule.tile;
    const bool windowed = kernel->op == KernelOp::dwconv;
    if (Status s = adjacent(Operand::c, t.n_dim); !s) return s;
    if (Status s = adjacent(Operand::b, kernel->dots ? t.k_dim : t.n_dim); !s) return s;
    if (Status s = adjacent(Operand::a, windowed ? t.n_dim : t.k_dim); !s) return s;
    if (nest[Operand::b].padded) return refuse("padded access to B");
    if (nest[Operand::a].padded && !windowed && !find_pack(schedule, Operand::a)) {
      if (Status s = padding_is_skipped(); !s) return s;
    }
    if (!windowed) {
      auto zero = [&](Operand o, int d, const char* role) -> Status {
        if (d < 0 || linear_stride(nest[o], d) == 0) return Status::success();
        return refuse("role {}: {} depends on dim {}, which the microkernel keeps fixed", role,
                      operand_name(o), dim(d));
      };
      if (Status s = zero(Operand::b, t.m_dim, "m"); !s) return s;
      if (Status s = zero(Operand::b, t.rows_dim, "rows"); !s) return s;
      if (Status s = zero(Operand::a, t.n_dim, "n"); !s) return s;
    }
    return Status::success();
  }

  Status panels() const {
    const Pack* pack = find_pack(schedule, Operand::b);
    const int n = schedule.tile.n_dim;
    if (!pack || pack->form != PackForm::panel) return Status::success();
    if (kernel->dots) return refuse("pack(B,panel): {} takes B by columns: use pack(B,box)", kernel->name);
    if (n < 0) return refuse("pack(B,panel): there is no n dim to split in panels: use pack(B,box)");
    for (const AffineExpr& e : nest[Operand::b].subscripts) {
      for (const AffineTerm& t : e.terms) {
        if (t.dim == n && (t.coeff != 1 || e.terms.size() != 1 || e.constant != 0)) {
          return refuse("pack(B,panel): dim {} does not index a dimension of B by itself", dim(n));
        }
      }
    }
    // The panel step is linear in n only if every tile inside the pack starts at a multiple of nr.
    for (int i = pack->depth; i < static_cast<int>(schedule.loops.size()); ++i) {
      const Loop& loop = schedule.loops[i];
      if (loop.dim != n || max_trips(nest, schedule, i) == 1) continue;
      if (loop.balanced || loop.step % kernel->nr) {
        return refuse("loop {}/{}: panels of {} columns need steps that are multiples of {}", dim(n),
                      loop.step, kernel->nr, kernel->nr);
      }
    }
    return Status::success();
  }

  Status op() const {
    const int rows = schedule.tile.rows_dim;
    if (kernel->op == KernelOp::brgemm) {
      if (rows >= 0 && !kernel->tiles) return refuse("role rows: {} takes one row dim, m", kernel->name);
      if (kernel->dots && !schedule.tile.batch_dims.empty()) {
        return refuse("batch={}: {} adds up along k alone", dim(schedule.tile.batch_dims[0]), kernel->name);
      }
      return Status::success();
    }
    const std::optional<Window> window = depthwise_window(nest);
    if (!window) return refuse("{} needs a depthwise nest", kernel->name);
    if (find_pack(schedule, Operand::a) || find_pack(schedule, Operand::b)) {
      return refuse("{} reads its operands in place: drop the packs", kernel->name);
    }
    if (schedule.tile.n_dim < 0 || linear_stride(nest[Operand::a], schedule.tile.n_dim) != 1) {
      return refuse("{}: role n must be the channel dim", kernel->name);
    }
    if (schedule.tile.m_dim >= 0 && schedule.tile.m_dim != window->w.out_dim) {
      return refuse("{}: role m must be the dim that slides along rows", kernel->name);
    }
    if (rows >= 0 && rows != window->h.out_dim) {
      return refuse("{}: role rows must be the dim that slides down the image", kernel->name);
    }
    if (schedule.tile.k_dim >= 0) return refuse("{}: window dims go to batch, not to k", kernel->name);
    for (const Loop& loop : schedule.loops) {
      if (nest.dims[loop.dim].kind == DimKind::reduction) {
        return refuse("{} takes the whole window: no loop over {}", kernel->name, dim(loop.dim));
      }
    }
    return Status::success();
  }
};

}  // namespace

Status check(const Schedule& schedule, const Nest& nest) { return Checker{nest, schedule}.run(); }

}  // namespace cortex
