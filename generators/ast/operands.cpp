#include "generators/ast/operands.h"

#include <fmt/format.h>

#include <cctype>
#include <set>

#include "polyopt/schedule/views.h"

namespace cortex {
namespace {

std::string identifier(const std::string& name, const char* fallback) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) ? fallback : out;
}

// Where the sums of the tile of a split loop stand; it has several tiles and is the first over its dim.
Expr part_offset(const Program& program, const TileLoops& loops) {
  const auto kept = static_cast<std::size_t>(loops.kept_before[static_cast<std::size_t>(program.split.loop)]);
  const TileLoop& loop = loops.loops[kept];
  const Expr var = Expr::var(loop.var);
  const Expr tile = loop.balanced ? var : make_expr(Expr::Op::div, {var, Expr(loop.step)});
  return tile * Expr(program.split.bytes);
}

}  // namespace

Operands declare_operands(const Program& program, const TileLoops& loops, Function& f) {
  std::set<std::string> used = {"args", "call", "scratch", "origin", "box", "min", "max", "floor_div"};
  for (const TileLoop& l : loops.loops) used.insert({l.var, l.lo, l.len, l.tiles, l.first, l.last});
  const auto fresh = [&](std::string name) {
    while (!used.insert(name).second) name += '_';
    return name;
  };

  Operands out;
  static constexpr const char* members[] = {"a", "b", "c"};
  for (std::size_t o = 0; o < operand_count; ++o) {
    out.user[o] = fresh(identifier(program.nest.access[o].tensor.name, members[o]));
    out.inner[o] = out.user[o];
    f.operands.push_back({out.user[o], members[o], program.base_offset[o]});
  }
  if (program.nest.epilogue.bias) {
    out.bias = fresh("bias");
    f.operands.push_back({out.bias, "bias", 0});
  }
  if (program.nest.epilogue.scale) {
    out.scale = fresh("scale");
    f.operands.push_back({out.scale, "scale", 0});
  }
  if (program.nest.epilogue.compensation) {
    out.compensation = fresh("compensation");
    f.operands.push_back({out.compensation, "compensation", 0});
  }
  if (program.nest.epilogue.residual) {
    out.residual = fresh("residual");
    f.operands.push_back(
        {out.residual, "residual", program.base_offset[static_cast<std::size_t>(Operand::c)]});
  }
  for (const ProgramPack& pack : program.packs) {
    out.desc.emplace_back();
    out.buffer.emplace_back();
    if (pack.ahead_of_time) continue;
    const auto o = static_cast<std::size_t>(pack.operand);
    out.desc.back() = fresh(out.user[o] + (pack.form == PackForm::panel ? "_panels" : "_box"));
    out.buffer.back() = fresh("packed_" + out.user[o]);
    out.inner[o] = out.buffer.back();
    out.pack_depth[o] = pack.depth;
    f.packs.push_back({out.desc.back(), pack.desc});
    f.operands.push_back({out.buffer.back(), "scratch", pack.scratch_offset});
  }
  return out;
}

Expr offset_of(const Program& program, const TileLoops& loops, const Operands& operands, Operand o) {
  const auto i = static_cast<std::size_t>(o);
  // Positive terms first, in loop order; a parent's own term cancels what its child subtracts.
  std::vector<std::pair<Expr, int64_t>> terms, origins;
  for (std::size_t l = static_cast<std::size_t>(operands.pack_depth[i]); l < program.loops.size(); ++l) {
    const ProgramLoop& loop = program.loops[l];
    const int64_t stride = loop.stride[i];
    const int before = loops.kept_before[l], after = loops.kept_before[l + 1];
    if (stride == 0 || before == after) continue;
    const int kept = after - 1;
    terms.emplace_back(loops.lo(kept), stride);
    origins.emplace_back(loops.lo(loops.loops[static_cast<std::size_t>(kept)].parent), -stride);
  }
  terms.insert(terms.end(), origins.begin(), origins.end());
  if (o != Operand::c || program.split.loop < 0) return linear(terms, 0);
  return linear(terms, 0) + part_offset(program, loops);
}

Expr source_offset(const Program& program, const TileLoops& loops, const Operands& operands, Operand o) {
  const int depth =
      loops.kept_before[static_cast<std::size_t>(operands.pack_depth[static_cast<std::size_t>(o)])];
  const View user = user_view(program.nest, o);
  std::vector<std::pair<Expr, int64_t>> terms;
  for (int d = 0; d < static_cast<int>(program.nest.dims.size()); ++d) {
    const int64_t stride = user.stride[static_cast<std::size_t>(d)];
    const int l = loops.innermost(d, depth);
    if (stride != 0 && l >= 0) terms.emplace_back(loops.lo(l), stride);
  }
  return linear(terms, 0);
}

PackStmt pack_statement(const Program& program, const TileLoops& loops, const Operands& operands, int index) {
  const auto p = static_cast<std::size_t>(index);
  const ProgramPack& pack = program.packs[p];
  const int depth = loops.kept_before[static_cast<std::size_t>(pack.depth)];
  PackStmt out;
  out.desc = operands.desc[p];
  out.src = {operands.user[static_cast<std::size_t>(pack.operand)], 0};
  out.dst = {operands.buffer[p], 0};
  for (std::size_t j = 0; j < static_cast<std::size_t>(pack.desc.rank); ++j) {
    std::vector<std::pair<Expr, int64_t>> lo, len;
    int64_t constant = 1;
    for (int d = 0; d < static_cast<int>(program.nest.dims.size()); ++d) {
      const int64_t coeff = pack.coeff[j][static_cast<std::size_t>(d)];
      if (coeff == 0) continue;
      const int l = loops.innermost(d, depth);
      lo.emplace_back(loops.lo(l), coeff);
      len.emplace_back(loops.len(l, d), coeff);
      constant -= coeff;
    }
    out.origin.push_back(linear(lo, pack.constant[j]));
    out.box.push_back(linear(len, constant));
  }
  out.comment =
      fmt::format("Copy of {}, {}.", program.nest[pack.operand].tensor.name,
                  pack.form == PackForm::panel ? fmt::format("panels of {} columns", pack.desc.panel_width)
                  : program.nest[pack.operand].padded ? "zeros where it is padded"
                                                      : "dense");
  return out;
}

}  // namespace cortex
