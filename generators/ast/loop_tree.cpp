#include "generators/ast/loop_tree.h"

#include <fmt/format.h>
#include <isl/options.h>

#include <charconv>

#include "generators/ast/ast_handles.h"
#include "generators/ast/isl_expr.h"
#include "polyopt/isl/context.h"

namespace cortex {
namespace {

using namespace polyhedral;

// The number after a one-letter prefix: "P3" -> 3, -1 if it is not of that form.
int numbered(std::string_view name, char prefix) {
  int value = -1;
  if (name.size() < 2 || name[0] != prefix) return -1;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size() ? value : -1;
}

// Evaluates the tile lengths where the kernel is called: isl drops what cannot happen there, so that a
// length that is always the full tile comes out as a number.
struct LengthReader {
  Context& context;
  const TileDomain& domain;
  std::vector<Expr> lengths;
  Status status;

  isl_ast_node* operator()(isl_ast_node* node, isl_ast_build* build) {
    const Handle<isl_union_map> schedule(isl_ast_build_get_schedule(build));
    const Map map(isl_map_from_union_map(schedule.copy()));
    const char* tuple = isl_map_get_tuple_name(map.get(), isl_dim_in);
    if (!tuple || std::string_view(tuple) != "S" || !status.ok()) return node;
    const Handle<isl_pw_multi_aff> instance(isl_pw_multi_aff_from_map(isl_map_reverse(map.copy())));
    lengths.assign(domain.lengths.size(), Expr(0));
    for (std::size_t l = 0; l < lengths.size(); ++l) {
      if (domain.lengths[l].empty()) continue;
      Handle<isl_pw_aff> length(isl_pw_aff_read_from_str(context.get(), domain.lengths[l].c_str()));
      length = call(isl_pw_aff_intersect_domain, std::move(length), Set(isl_map_domain(map.copy())));
      length = call(isl_pw_aff_pullback_pw_multi_aff, call(isl_pw_aff_coalesce, std::move(length)), instance);
      const Handle<isl_ast_expr> expr(isl_ast_build_expr_from_pw_aff(build, length.take()));
      const Result<Expr> converted = convert(expr.get());
      if (!converted) {
        status = converted.error();
        return node;
      }
      lengths[l] = *converted;
    }
    return node;
  }

  static isl_ast_node* at_each_domain(isl_ast_node* node, isl_ast_build* build, void* self) {
    return (*static_cast<LengthReader*>(self))(node, build);
  }
};

class NodeReader {
 public:
  NodeReader(const TileLoops& loops, const std::string& what) : loops_(loops), what_(what) {}

  Status read(isl_ast_node* node, std::vector<LoopTree>& out) {
    switch (isl_ast_node_get_type(node)) {
      case isl_ast_node_block: return block(node, out);
      case isl_ast_node_for: return loop(node, out);
      case isl_ast_node_user: return statement(node, out);
      default: return refuse("a condition or a mark where loops and statements were expected");
    }
  }

 private:
  Error refuse(const std::string& why) const { return internal_error(fmt::format("loops of {}: {}", what_, why)); }

  Status block(isl_ast_node* node, std::vector<LoopTree>& out) {
    const Handle<isl_ast_node_list> list(isl_ast_node_block_get_children(node));
    for (int i = 0; i < isl_ast_node_list_size(list.get()); ++i) {
      const Handle<isl_ast_node> child(isl_ast_node_list_get_at(list.get(), i));
      if (Status s = read(child.get(), out); !s) return s;
    }
    return {};
  }

  Status loop(isl_ast_node* node, std::vector<LoopTree>& out) {
    const Handle<isl_ast_expr> iterator(isl_ast_node_for_get_iterator(node));
    const Handle<isl_ast_expr> init(isl_ast_node_for_get_init(node));
    const Result<Expr> var = convert(iterator.get()), begin = convert(init.get());
    if (!var || !begin) return refuse("a loop header that is not affine");
    LoopTree tree;
    tree.kind = LoopTree::Kind::loop;
    tree.index = numbered(var->name, 'i');
    if (tree.index < 0 || tree.index >= static_cast<int>(loops_.loops.size())) {
      return refuse("an unknown iterator " + var->name);
    }
    tree.begin = *begin;
    tree.end = add_constant(*begin, 1);
    if (isl_ast_node_for_is_degenerate(node) != isl_bool_true) {
      if (Status s = bound(node, *var, tree); !s) return s;
    }
    const Handle<isl_ast_node> body(isl_ast_node_for_get_body(node));
    if (Status s = read(body.get(), tree.body); !s) return s;
    out.push_back(std::move(tree));
    return {};
  }

  Status bound(isl_ast_node* node, const Expr& var, LoopTree& tree) const {
    const Handle<isl_ast_expr> cond(isl_ast_node_for_get_cond(node)), inc(isl_ast_node_for_get_inc(node));
    const Result<Expr> test = convert(cond.get()), step = convert(inc.get());
    if (!test || (test->op != Expr::Op::le && test->op != Expr::Op::lt) || test->args[0] != var) {
      return refuse("a loop condition that is not an upper bound of its iterator");
    }
    tree.end = test->op == Expr::Op::le ? add_constant(test->args[1], 1) : test->args[1];
    const TileLoop& l = loops_.loops[static_cast<std::size_t>(tree.index)];
    const int64_t expected = l.balanced ? 1 : l.step;
    if (!step || !step->is_constant(expected)) {
      return refuse(fmt::format("loop {} does not advance by {}", l.var, expected));
    }
    return {};
  }

  Status statement(isl_ast_node* node, std::vector<LoopTree>& out) {
    const Handle<isl_ast_expr> expr(isl_ast_node_user_get_expr(node));
    const Handle<isl_ast_expr> callee(isl_ast_expr_op_get_arg(expr.get(), 0));
    const Handle<isl_id> id(isl_ast_expr_id_get_id(callee.get()));
    const std::string name = isl_id_get_name(id.get());
    LoopTree tree;
    tree.kind = name == "S" ? LoopTree::Kind::kernel : LoopTree::Kind::pack;
    if (name != "S") tree.index = numbered(name, 'P');
    if (tree.index < 0) return refuse("an unknown statement " + name);
    out.push_back(std::move(tree));
    return {};
  }

  const TileLoops& loops_;
  const std::string& what_;
};

}  // namespace

Result<LoopForest> loop_forest(const TileDomain& domain, const TileLoops& loops, const std::string& what) {
  Context context;
  LengthReader lengths{context, domain, {}, {}};
  Handle<isl_ast_build> build(isl_ast_build_from_context(isl_set_read_from_str(context.get(), domain.context.c_str())));
  Handle<isl_id_list> iterators(isl_id_list_alloc(context.get(), static_cast<int>(loops.loops.size())));
  for (std::size_t l = 0; l < loops.loops.size(); ++l) {
    Handle<isl_id> id(isl_id_alloc(context.get(), fmt::format("i{}", l).c_str(), nullptr));
    iterators = call(isl_id_list_add, std::move(iterators), std::move(id));
  }
  build = call(isl_ast_build_set_iterators, std::move(build), std::move(iterators));
  build = Handle<isl_ast_build>(isl_ast_build_set_at_each_domain(build.take(), &LengthReader::at_each_domain, &lengths));
  Handle<isl_schedule> schedule(isl_schedule_read_from_str(context.get(), domain.schedule.c_str()));
  const Handle<isl_ast_node> root = call(isl_ast_build_node_from_schedule, build, std::move(schedule));
  if (!root) return context.refusal("loops of " + what);
  if (!lengths.status) return lengths.status.error();

  LoopForest forest;
  forest.lengths = std::move(lengths.lengths);
  if (Status s = NodeReader(loops, what).read(root.get(), forest.trees); !s) return s.error();
  return forest;
}

}  // namespace cortex
