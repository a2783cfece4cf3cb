#include "generators/ast/build.h"

#include <fmt/format.h>

#include <algorithm>

#include "generators/ast/kernel_call.h"
#include "generators/ast/loop_bounds.h"
#include "generators/ast/operands.h"
#include "generators/ast/tile_loops.h"
#include "generators/loop_ir/walk.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/checked.h"

namespace cortex {
namespace {

class Builder {
 public:
  Builder(const Program& program, std::string name) : p_(program), loops_(tile_loops(program)) {
    f_.name = std::move(name);
  }

  Result<Function> run() {
    const KernelInfo* kernel = find_kernel(p_.kernel.name);
    if (!kernel) return internal_error(fmt::format("{}: no microkernel {}", f_.name, p_.kernel.name));
    f_.pack_isa = isa_name(f32_isa(kernel->isa));

    const Operands operands = declare_operands(p_, loops_, f_);
    for (std::size_t i = 0; i < p_.packs.size(); ++i) {
      if (p_.packs[i].ahead_of_time) continue;
      depths_.push_back(loops_.kept_before[static_cast<std::size_t>(p_.packs[i].depth)]);
      packs_.push_back(pack_statement(p_, loops_, operands, static_cast<int>(i)));
    }
    Result<KernelCall> call = kernel_call(p_, loops_, operands, f_);
    if (!call) return call.error();
    call_ = std::move(*call);

    Result<std::vector<LoopBounds>> bounds = loop_bounds(loops_, f_.name);
    if (!bounds) return bounds.error();
    bounds_ = std::move(*bounds);
    for (const int parallel : loops_.single) f_.body.push_back({Leave{parallel}});
    Block loops = block(0);
    f_.body.insert(f_.body.end(), std::make_move_iterator(loops.begin()),
                   std::make_move_iterator(loops.end()));
    number_bands();
    if (Status s = verify(f_); !s) return s.error();
    return std::move(f_);
  }

 private:
  const TileLoop& loop(int l) const { return loops_.loops[static_cast<std::size_t>(l)]; }

  // What stands inside the `l` outermost loops.
  Block block(int l) const {
    Block out;
    for (std::size_t p = 0; p < packs_.size(); ++p) {
      if (depths_[p] == l) out.push_back({packs_[p]});
    }
    if (l < static_cast<int>(loops_.loops.size())) {
      add_loop(l, out);
      return out;
    }
    for (const Let& let : call_.lets) out.push_back({let});
    out.push_back({call_.call});
    return out;
  }

  void add_loop(int index, Block& out) const {
    const TileLoop& l = loop(index);
    const LoopBounds& bounds = bounds_[static_cast<std::size_t>(index)];
    if (l.parallel >= 0) out.push_back({Share{l.first, l.last, *l.trips.rbegin(), l.parallel}});
    if (l.balanced && l.trips.size() > 1) {
      out.push_back(
          {Let{l.tiles, by_range(l, [&](int64_t range) { return Expr(ceil_div(range, l.step)); })}});
    }
    For loop;
    loop.var = l.var;
    loop.begin = bounds.begin;
    loop.end = bounds.end;
    loop.step = l.balanced ? 1 : l.step;
    if (l.parallel >= 0) restrict_to_share(l, loop);
    loop.parallel = l.parallel;
    loop.comment = describe(loops_, p_.nest, index);

    // A tile's first element and length, where something inside asks for them.
    loop.body = block(index + 1);
    Block lets;
    if (l.balanced) lets.push_back({Let{l.lo, balanced_lo(l)}});
    if (l.lens.size() > 1) lets.push_back({Let{l.len, l.balanced ? balanced_len(l) : bounds.length}});
    for (auto let = lets.rbegin(); let != lets.rend(); ++let) {
      if (uses(loop.body, std::get<Let>(let->node).name))
        loop.body.insert(loop.body.begin(), std::move(*let));
    }
    out.push_back({std::move(loop)});
  }

  // Tiles first to last of the loop. The loop's own end still binds where the last tile is ragged, or
  // where some visits have fewer tiles than others.
  void restrict_to_share(const TileLoop& l, For& loop) const {
    const Expr first = Expr::var(l.first) * Expr(loop.step), last = Expr::var(l.last) * Expr(loop.step);
    const std::set<int64_t> ranges = loops_.lens(l.parent, l.dim);
    const bool exact =
        l.trips.size() == 1 && (l.balanced || (ranges.size() == 1 && *ranges.begin() % l.step == 0));
    const Expr cut = loop.begin + last;
    loop.end = exact ? cut : min(loop.end, cut);
    loop.begin = loop.begin + first;
  }

  // f of the length of the range that loop `l` divides; the few values it takes are told apart.
  template <typename F>
  Expr by_range(const TileLoop& l, F f) const {
    const std::set<int64_t> ranges = loops_.lens(l.parent, l.dim);
    Expr out = f(*ranges.begin());
    for (auto range = std::next(ranges.begin()); range != ranges.end(); ++range) {
      out = select(equal(loops_.len(l.parent, l.dim), *range), f(*range), out);
    }
    return out;
  }

  Expr balanced_lo(const TileLoop& l) const {
    const Expr tile = Expr::var(l.var);
    return loops_.lo(l.parent) + by_range(l, [&](int64_t range) {
             const int64_t tiles = ceil_div(range, l.step);
             return tile * Expr(range / tiles) + (range % tiles ? min(tile, range % tiles) : Expr(0));
           });
  }

  Expr balanced_len(const TileLoop& l) const {
    return by_range(l, [&](int64_t range) {
      const int64_t tiles = ceil_div(range, l.step), least = range / tiles;
      return range % tiles ? select(less(Expr::var(l.var), range % tiles), least + 1, least) : Expr(least);
    });
  }

  // A band: neighbouring loops with no pack between them, all divided among threads or none.
  void number_bands() {
    std::vector<int> band;
    int number = 1;
    for (int l = 0; l < static_cast<int>(loops_.loops.size()); ++l) {
      const bool packed = std::find(depths_.begin(), depths_.end(), l) != depths_.end();
      if (l > 0 && (packed || (loop(l).parallel >= 0) != (loop(l - 1).parallel >= 0))) ++number;
      band.push_back(number);
    }
    std::size_t l = 0;
    visit_loops(f_.body,
                [&](For& loop) { loop.comment = fmt::format("Band {}, {}.", band[l++], loop.comment); });
  }

  const Program& p_;
  const TileLoops loops_;
  Function f_;
  std::vector<PackStmt> packs_;
  std::vector<int> depths_;  // of packs_: how many loops each stands in
  KernelCall call_;
  std::vector<LoopBounds> bounds_;
};

}  // namespace

Result<Function> build_function(const Program& program, const std::string& name) {
  return Builder(program, name).run();
}

}  // namespace cortex
