#include "generators/ast/tile_loops.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/checked.h"

namespace cortex {
namespace {

std::set<int64_t> trip_counts(const std::set<int64_t>& ranges, int64_t step) {
  std::set<int64_t> trips;
  for (const int64_t range : ranges) trips.insert(ceil_div(range, step));
  return trips;
}

std::set<int64_t> tile_lengths(const std::set<int64_t>& ranges, int64_t step, bool balanced) {
  std::set<int64_t> lens;
  for (const int64_t range : ranges) {
    if (balanced) {
      const int64_t tiles = ceil_div(range, step);
      lens.insert(range / tiles);
      if (range % tiles) lens.insert(range / tiles + 1);
    } else {
      if (range >= step) lens.insert(step);
      if (range % step) lens.insert(range % step);
    }
  }
  return lens;
}

// C++ and the emitted code own these; a dim may be called anything.
const std::set<std::string>& reserved_names() {
  static const std::set<std::string> names = {
      "args",   "call",  "scratch", "origin", "box",      "bias",     "residual", "scale",  "compensation",
      "min",    "max",   "and",     "or",     "not",      "xor",      "int",      "long",   "float",
      "double", "char",  "short",   "if",     "else",     "for",      "while",    "do",     "switch",
      "case",   "new",   "delete",  "this",   "class",    "union",    "struct",   "return", "break",
      "static", "const", "void",    "auto",   "template", "typename", "floor_div"};
  return names;
}

class Names {
 public:
  // Dims are named up front, so that a loop's derived name cannot take a dim's.
  explicit Names(const Nest& nest) : used_(reserved_names()) {
    for (const Dim& d : nest.dims) dims_.push_back(fresh(d.name));
  }
  const std::string& of_dim(int dim) const { return dims_[static_cast<std::size_t>(dim)]; }
  std::string fresh(std::string name) {
    while (!used_.insert(name).second) name += '_';
    return name;
  }

 private:
  std::set<std::string> used_;
  std::vector<std::string> dims_;
};

}  // namespace

int TileLoops::innermost(int dim, int depth) const {
  for (int i = depth - 1; i >= 0; --i) {
    if (loops[static_cast<std::size_t>(i)].dim == dim) return i;
  }
  return -1;
}

Expr TileLoops::lo(int loop) const {
  return loop < 0 ? Expr(0) : Expr::var(loops[static_cast<std::size_t>(loop)].lo);
}

Expr TileLoops::len(int loop, int dim) const {
  const std::set<int64_t> values = lens(loop, dim);
  if (values.size() == 1) return *values.begin();
  return Expr::var(loops[static_cast<std::size_t>(loop)].len);
}

std::set<int64_t> TileLoops::lens(int loop, int dim) const {
  if (loop < 0) return {extent[static_cast<std::size_t>(dim)]};
  return loops[static_cast<std::size_t>(loop)].lens;
}

TileLoops tile_loops(const Program& program) {
  TileLoops out;
  for (const Dim& d : program.nest.dims) out.extent.push_back(d.extent);
  out.kept_before.push_back(0);
  int parallel = 0;
  for (const ProgramLoop& source : program.loops) {
    TileLoop loop;
    loop.dim = source.dim;
    loop.step = source.step;
    loop.balanced = source.balanced;
    if (source.parallel) loop.parallel = parallel++;
    loop.parent = out.innermost(source.dim, static_cast<int>(out.loops.size()));
    const std::set<int64_t> ranges = out.lens(loop.parent, loop.dim);
    loop.trips = trip_counts(ranges, loop.step);
    loop.lens = tile_lengths(ranges, loop.step, loop.balanced);
    const bool walked = program.kernel.tile_rows > 0 && &source == &program.loops.back();  // by the kernel
    if (!walked && *loop.trips.rbegin() > 1)
      out.loops.push_back(std::move(loop));
    else if (source.parallel)
      out.single.push_back(loop.parallel);
    out.kept_before.push_back(static_cast<int>(out.loops.size()));
  }

  // The innermost loop over a dim carries the dim's name, outer ones add their tile size.
  Names names(program.nest);
  for (int i = 0; i < static_cast<int>(out.loops.size()); ++i) {
    TileLoop& loop = out.loops[static_cast<std::size_t>(i)];
    std::string base = names.of_dim(loop.dim);
    if (out.innermost(loop.dim) != i) base = names.fresh(fmt::format("{}_{}", base, loop.step));
    loop.lo = base;
    loop.var = loop.balanced ? names.fresh(base + "_tile") : base;
    loop.len = names.fresh(base + "_len");
    if (loop.balanced) loop.tiles = names.fresh(base + "_tiles");
    if (loop.parallel >= 0) {
      // Of a window's dim, "first" is the first tap that counts.
      const bool split = program.nest.dims[static_cast<std::size_t>(loop.dim)].kind == DimKind::reduction;
      loop.first = names.fresh(base + (split ? "_begin" : "_first"));
      loop.last = names.fresh(base + (split ? "_end" : "_last"));
    }
  }
  return out;
}

std::string describe(const TileLoops& loops, const Nest& nest, int index) {
  const TileLoop& loop = loops.loops[static_cast<std::size_t>(index)];
  const std::set<int64_t> ranges = loops.lens(loop.parent, loop.dim);
  const int64_t range = *ranges.rbegin();
  const int64_t trips = *loop.trips.rbegin();
  std::string text = fmt::format("{}: {}{} in ", nest.dims[static_cast<std::size_t>(loop.dim)].name,
                                 ranges.size() > 1 ? "up to " : "", range);
  if (loop.balanced) {
    text += fmt::format("{} tiles of {}", trips, *loop.lens.rbegin());
    if (loop.lens.size() > 1) text += fmt::format(" or {}", *loop.lens.begin());
  } else {
    text += loop.step == 1 ? "single steps" : fmt::format("tiles of {}", loop.step);
    if (ranges.size() == 1 && range % loop.step) text += fmt::format(", the last {}", range % loop.step);
  }
  if (loop.parallel >= 0) text += ", divided among threads";
  return text;
}

}  // namespace cortex
