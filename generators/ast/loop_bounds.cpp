#include "generators/ast/loop_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "generators/ast/ast_handles.h"
#include "generators/ast/isl_expr.h"
#include "generators/ast/tile_domain.h"
#include "polyopt/isl/context.h"

namespace cortex {
namespace {

using namespace polyhedral;

// The number after a one-letter prefix: "L3" -> 3, -1 if it is not of that form.
int numbered(std::string_view name, char prefix) {
  int value = -1;
  if (name.size() < 2 || name[0] != prefix) return -1;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size() ? value : -1;
}

// Works out the tile lengths at L<l>: isl drops what cannot happen there, so that a length that is always
// the full tile comes out as a number.
struct LengthReader {
  Context& context;
  const TileDomain& domain;
  std::vector<LoopBounds>& bounds;
  Status status;

  isl_ast_node* operator()(isl_ast_node* node, isl_ast_build* build) {
    const Handle<isl_union_map> schedule(isl_ast_build_get_schedule(build));
    const Map map(isl_map_from_union_map(schedule.copy()));
    const char* tuple = isl_map_get_tuple_name(map.get(), isl_dim_in);
    const int l = tuple ? numbered(tuple, 'L') : -1;
    if (l < 0 || !status.ok()) return node;
    const Handle<isl_pw_multi_aff> instance(isl_pw_multi_aff_from_map(isl_map_reverse(map.copy())));
    Handle<isl_pw_aff> length(isl_pw_aff_read_from_str(context.get(), domain.lengths.at(l).c_str()));
    length = call(isl_pw_aff_intersect_domain, std::move(length), Set(isl_map_domain(map.copy())));
    length = call(isl_pw_aff_pullback_pw_multi_aff, call(isl_pw_aff_coalesce, std::move(length)), instance);
    const Handle<isl_ast_expr> expr(isl_ast_build_expr_from_pw_aff(build, length.take()));
    const Result<Expr> converted = convert(expr.get());
    if (converted)
      bounds[static_cast<std::size_t>(l)].length = *converted;
    else
      status = converted.error();
    return node;
  }

  static isl_ast_node* at_each_domain(isl_ast_node* node, isl_ast_build* build, void* self) {
    return (*static_cast<LengthReader*>(self))(node, build);
  }
};

// Reads the loops off the AST: one for-node per loop, nested, nothing else that matters.
class NodeReader {
 public:
  NodeReader(const TileLoops& loops, std::vector<LoopBounds>& bounds, const std::string& what)
      : loops_(loops), bounds_(bounds), what_(what) {}

  Status read(isl_ast_node* node) {
    switch (isl_ast_node_get_type(node)) {
      case isl_ast_node_block:
        return block(node);
      case isl_ast_node_for:
        return loop(node);
      case isl_ast_node_user:
        return {};
      default:
        return refuse("a condition or a mark where loops were expected");
    }
  }

  const std::set<int>& seen() const { return seen_; }

 private:
  Error refuse(const std::string& why) const {
    return internal_error(fmt::format("loops of {}: {}", what_, why));
  }

  Status block(isl_ast_node* node) {
    const Handle<isl_ast_node_list> list(isl_ast_node_block_get_children(node));
    for (int i = 0; i < isl_ast_node_list_size(list.get()); ++i) {
      const Handle<isl_ast_node> child(isl_ast_node_list_get_at(list.get(), i));
      if (Status s = read(child.get()); !s) return s;
    }
    return {};
  }

  Status loop(isl_ast_node* node) {
    const Handle<isl_ast_expr> iterator(isl_ast_node_for_get_iterator(node)),
        init(isl_ast_node_for_get_init(node));
    const Result<Expr> var = convert(iterator.get()), begin = convert(init.get());
    if (!var || !begin) return refuse("a loop header that is not affine");
    const int l = numbered(var->name, 'i');
    if (l < 0 || l >= static_cast<int>(loops_.loops.size()))
      return refuse("an unknown iterator " + var->name);
    const TileLoop& tile_loop = loops_.loops[static_cast<std::size_t>(l)];
    if (!seen_.insert(l).second) return refuse(fmt::format("loop {} comes in pieces", tile_loop.var));
    const Handle<isl_ast_expr> cond(isl_ast_node_for_get_cond(node)), inc(isl_ast_node_for_get_inc(node));
    const Result<Expr> test = convert(cond.get()), step = convert(inc.get());
    if (!test || (test->op != Expr::Op::le && test->op != Expr::Op::lt) || test->args[0] != *var) {
      return refuse(fmt::format("loop {} ends at something else than an upper bound", tile_loop.var));
    }
    const int64_t expected = tile_loop.balanced ? 1 : tile_loop.step;
    if (!step || !step->is_constant(expected)) {
      return refuse(fmt::format("loop {} does not advance by {}", tile_loop.var, expected));
    }
    LoopBounds& bounds = bounds_[static_cast<std::size_t>(l)];
    bounds.begin = *begin;
    bounds.end = test->op == Expr::Op::le ? add_constant(test->args[1], 1) : test->args[1];
    const Handle<isl_ast_node> body(isl_ast_node_for_get_body(node));
    return read(body.get());
  }

  const TileLoops& loops_;
  std::vector<LoopBounds>& bounds_;
  const std::string& what_;
  std::set<int> seen_;
};

Status solve(const TileDomain& domain, const TileLoops& loops, const std::string& what,
             std::vector<LoopBounds>& bounds) {
  Context context;
  LengthReader lengths{context, domain, bounds, {}};
  Handle<isl_ast_build> build(
      isl_ast_build_from_context(isl_set_read_from_str(context.get(), domain.context.c_str())));
  Handle<isl_id_list> iterators(isl_id_list_alloc(context.get(), static_cast<int>(domain.loops.size())));
  for (const int l : domain.loops) {
    Handle<isl_id> id(isl_id_alloc(context.get(), fmt::format("i{}", l).c_str(), nullptr));
    iterators = call(isl_id_list_add, std::move(iterators), std::move(id));
  }
  build = call(isl_ast_build_set_iterators, std::move(build), std::move(iterators));
  build = Handle<isl_ast_build>(
      isl_ast_build_set_at_each_domain(build.take(), &LengthReader::at_each_domain, &lengths));
  Handle<isl_schedule> schedule(isl_schedule_read_from_str(context.get(), domain.schedule.c_str()));
  const Handle<isl_ast_node> root(isl_ast_build_node_from_schedule(build.get(), schedule.take()));
  if (!root) return context.refusal("loops of " + what);
  if (!lengths.status) return lengths.status;
  NodeReader reader(loops, bounds, what);
  if (Status s = reader.read(root.get()); !s) return s;
  if (reader.seen().size() != domain.loops.size()) {
    return internal_error(fmt::format("loops of {}: isl dropped one over {}", what,
                                      loops.loops[static_cast<std::size_t>(domain.loops[0])].lo));
  }
  return {};
}

// isl's names to the kernel's.
Expr rename(const Expr& e, const TileLoops& loops) {
  return substitute(e, [&](const std::string& name) -> Expr {
    const std::size_t digits = name.find_first_of("0123456789");
    const std::string_view stem = std::string_view(name).substr(0, digits);
    const TileLoop& l = loops.loops[static_cast<std::size_t>(std::stoi(name.substr(digits)))];
    if (stem == "i") return Expr::var(l.var);
    if (stem == "lo") return Expr::var(l.lo);
    if (stem == "len") return Expr::var(l.len);
    return Expr::var(l.tiles);
  });
}

int count(const Expr& e, std::initializer_list<Expr::Op> ops) {
  int n = std::find(ops.begin(), ops.end(), e.op) != ops.end();
  for (const Expr& a : e.args) n += count(a, ops);
  return n;
}

// isl tells cases apart where tiles are ragged at several levels, or where a length is a name itself. The
// range's end by name reads better then, and says the same.
LoopBounds readable(LoopBounds b, const TileLoops& loops, int index) {
  const TileLoop& l = loops.loops[static_cast<std::size_t>(index)];
  const Expr end = loops.lo(l.parent) + loops.len(l.parent, l.dim);
  const bool plain = b.length.op == Expr::Op::select && b.length.args[0].op == Expr::Op::eq &&
                     b.length.args[0].args[1].is_constant() && b.length.args[1].is_constant() &&
                     b.length.args[2].is_constant();
  if (!plain && !b.length.is_constant()) b.length = min(l.step, end - Expr::var(l.var));
  if (!l.balanced && count(b.end, {Expr::Op::min, Expr::Op::max, Expr::Op::select}) > 1) b.end = end;
  return b;
}

}  // namespace

Result<std::vector<LoopBounds>> loop_bounds(const TileLoops& loops, const std::string& what) {
  std::vector<LoopBounds> bounds(loops.loops.size());
  std::set<int> dims;
  for (const TileLoop& l : loops.loops) dims.insert(l.dim);
  for (const int dim : dims) {
    if (Status s = solve(tile_domain(loops, dim), loops, what, bounds); !s) return s.error();
  }
  for (std::size_t l = 0; l < bounds.size(); ++l) {
    bounds[l] = {rename(bounds[l].begin, loops), rename(bounds[l].end, loops),
                 rename(bounds[l].length, loops)};
    bounds[l] = readable(std::move(bounds[l]), loops, static_cast<int>(l));
  }
  return bounds;
}

}  // namespace cortex
