#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "cortex/kernel_library.h"
#include "generators/loop_ir/loop_ir.h"
#include "microkernels/catalogue/catalogue.h"

namespace cortex {
namespace {

using Op = Expr::Op;

// Members a generated kernel may set; flags come from Call's two conditions.
const std::set<std::string_view> epilogue_fields = {
    "epilogue.bias_n",        "epilogue.bias_m",         "epilogue.residual",
    "epilogue.ld_residual",   "epilogue.residual_scale", "epilogue.residual_after_activation",
    "epilogue.activation",    "epilogue.alpha",          "epilogue.beta",
    "epilogue.c_type",        "epilogue.c_zero_point",   "epilogue.scale_n",
    "epilogue.compensation_n"};
const std::set<std::string_view> brgemm_fields = {"a",
                                                  "b",
                                                  "c",
                                                  "m",
                                                  "n",
                                                  "k",
                                                  "lda",
                                                  "ldb",
                                                  "ldc",
                                                  "batch",
                                                  "a_batch_stride",
                                                  "b_batch_stride",
                                                  "a_offsets",
                                                  "b_offsets",
                                                  "window.taps",
                                                  "window.at",
                                                  "window.step",
                                                  "window.tap_step",
                                                  "window.extent",
                                                  "next",
                                                  "next_ld",
                                                  "next_rows",
                                                  "a_ahead",
                                                  "b_ahead",
                                                  "bands",
                                                  "a_band",
                                                  "c_band",
                                                  "c_far"};
const std::set<std::string_view> dwconv_fields = {"input",
                                                  "weights",
                                                  "output",
                                                  "channels",
                                                  "outputs",
                                                  "d0",
                                                  "h0",
                                                  "rows",
                                                  "stride_h",
                                                  "out_stride_h",
                                                  "residual_stride_h",
                                                  "in_zero_point",
                                                  "w0",
                                                  "in_d",
                                                  "in_h",
                                                  "in_w",
                                                  "kd",
                                                  "kh",
                                                  "kw",
                                                  "stride_w",
                                                  "dilation_d",
                                                  "dilation_h",
                                                  "dilation_w",
                                                  "in_stride_d",
                                                  "in_stride_h",
                                                  "in_stride_w",
                                                  "w_stride_d",
                                                  "w_stride_h",
                                                  "w_stride_w",
                                                  "out_stride"};

class Verifier {
 public:
  explicit Verifier(const Function& f) : f_(f) {}

  Status run() {
    if (f_.name.empty()) return refuse("it has no name");
    static const std::set<std::string_view> members = {
        "a", "b", "c", "bias", "residual", "scale", "compensation", "scratch"};
    for (const OperandPointer& o : f_.operands) {
      if (!members.contains(o.member))
        return refuse(fmt::format("operand {}: no member \"{}\"", o.name, o.member));
      if (Status s = declare(o.name, bases_); !s) return s;
    }
    for (const PackDesc& d : f_.packs) {
      if (Status s = declare(d.name, descs_); !s) return s;
      if (d.desc.rank < 1 || d.desc.rank > CORTEX_PACK_MAX_RANK) {
        return refuse(fmt::format("desc {}: rank {}", d.name, d.desc.rank));
      }
      if (d.desc.panel_dim >= d.desc.rank || (d.desc.panel_dim >= 0 && d.desc.panel_width < 1)) {
        return refuse(fmt::format("desc {}: panels of {} along dimension {}", d.name, d.desc.panel_width,
                                  d.desc.panel_dim));
      }
    }
    for (const Table& t : f_.tables) {
      if (Status s = declare(t.name, bases_); !s) return s;
      if (t.values.empty()) return refuse(fmt::format("table {} is empty", t.name));
    }
    if (Status s = block(f_.body); !s) return s;
    return calls_ > 0 ? Status() : refuse("it calls no microkernel");
  }

 private:
  Error refuse(const std::string& why) const {
    return internal_error(fmt::format("loop IR of {}: {}", f_.name, why));
  }

  Status declare(const std::string& name, std::set<std::string>& scope) {
    if (name.empty()) return refuse("an empty name");
    if (!names_.insert(name).second) return refuse(fmt::format("{} is defined twice", name));
    scope.insert(name);
    return {};
  }

  Status known(const Expr& e, std::string_view where) const {
    Status status;
    visit_variables(e, [&](const std::string& name) {
      const bool enumerator = name.starts_with("CORTEX_");
      if (status.ok() && !enumerator && !vars_.contains(name)) {
        status = refuse(fmt::format("{} uses {}, which is not defined there", where, name));
      }
    });
    return status;
  }

  Status known(const Pointer& p, std::string_view where) const {
    if (!bases_.contains(p.base))
      return refuse(fmt::format("{} uses pointer {}, which is not defined", where, p.base));
    return known(p.offset, where);
  }

  Status define(const std::string& name, std::optional<int64_t> at_most) {
    if (Status s = declare(name, scope_); !s) return s;
    vars_[name] = at_most;
    return {};
  }

  // Names go out of scope with their block.
  Status block(const Block& stmts) {
    const std::map<std::string, std::optional<int64_t>> outer = vars_;
    for (const Stmt& s : stmts) {
      if (Status status = std::visit([&](const auto& node) { return stmt(node); }, s.node); !status)
        return status;
    }
    for (const auto& [name, bound] : vars_) {
      if (!outer.contains(name)) names_.erase(name);
    }
    vars_ = outer;
    return {};
  }

  Status stmt(const For& loop) {
    if (loop.step < 1) return refuse(fmt::format("loop {}: step {} is not positive", loop.var, loop.step));
    if (loop.parallel >= CORTEX_MAX_PARALLEL_LOOPS) {
      return refuse(fmt::format("loop {}: parallel {}", loop.var, loop.parallel));
    }
    if (Status s = known(loop.begin, "loop " + loop.var); !s) return s;
    if (Status s = known(loop.end, "loop " + loop.var); !s) return s;
    if (loop.body.empty()) return refuse(fmt::format("loop {} is empty", loop.var));
    const std::map<std::string, std::optional<int64_t>> outer = vars_;
    if (Status s = define(loop.var, std::nullopt); !s) return s;
    if (Status s = block(loop.body); !s) return s;
    names_.erase(loop.var);
    vars_ = outer;
    return {};
  }

  Status stmt(const Let& let) {
    if (Status s = known(let.value, let.name); !s) return s;
    return define(let.name, at_most(let.value));
  }

  Status stmt(const Share& share) {
    if (share.trips < 1 || share.parallel < 0 || share.parallel >= CORTEX_MAX_PARALLEL_LOOPS) {
      return refuse(
          fmt::format("share {}: {} tiles of parallel loop {}", share.first, share.trips, share.parallel));
    }
    if (Status s = define(share.first, share.trips); !s) return s;
    return define(share.last, share.trips);
  }

  Status stmt(const Leave& leave) {
    if (leave.parallel >= 0 && leave.parallel < CORTEX_MAX_PARALLEL_LOOPS) return {};
    return refuse(fmt::format("leave: parallel {}", leave.parallel));
  }

  Status stmt(const PackStmt& p) {
    const auto at =
        std::find_if(f_.packs.begin(), f_.packs.end(), [&](const PackDesc& d) { return d.name == p.desc; });
    if (at == f_.packs.end()) return refuse(fmt::format("pack {}: no such desc", p.desc));
    const auto rank = static_cast<std::size_t>(at->desc.rank);
    if (p.origin.size() != rank || p.box.size() != rank) {
      return refuse(fmt::format("pack {}: {} origins and {} box sizes for rank {}", p.desc, p.origin.size(),
                                p.box.size(), rank));
    }
    for (const auto* exprs : {&p.origin, &p.box}) {
      for (const Expr& e : *exprs) {
        if (Status s = known(e, "pack " + p.desc); !s) return s;
      }
    }
    if (Status s = known(p.src, "pack " + p.desc); !s) return s;
    return known(p.dst, "pack " + p.desc);
  }

  Status stmt(const Call& call) {
    ++calls_;
    const KernelInfo* kernel = find_kernel(call.kernel);
    if (!kernel) return refuse(fmt::format("no microkernel {}", call.kernel));
    const auto& fields = kernel->op == KernelOp::dwconv ? dwconv_fields : brgemm_fields;
    std::set<std::string> seen;
    const bool walked =
        std::any_of(call.fields.begin(), call.fields.end(), [](const Field& f) { return f.name == "bands"; });
    for (const Field& f : call.fields) {
      if (!fields.contains(f.name) && !epilogue_fields.contains(f.name)) {
        return refuse(fmt::format("{} has no argument {}", call.kernel, f.name));
      }
      if (!seen.insert(f.name).second) return refuse(fmt::format("argument {} is set twice", f.name));
      if (const Expr* e = std::get_if<Expr>(&f.value)) {
        if (Status s = known(*e, f.name); !s) return s;
        if (kernel->op == KernelOp::brgemm && (f.name == "m" || f.name == "n" || f.name == "bands")) {
          const int64_t bands = kernel->tiles ? kernel->mr / tile_rows : 1;
          const int64_t limit = f.name == "m" ? kernel->mr : f.name == "n" ? kernel->nr : bands;
          const std::optional<int64_t> most = at_most(*e);
          const bool any = kernel->walks_rows && f.name != "n" && walked;  // any number of rows, in bands
          if (!any && (!most || *most > limit)) {
            return refuse(fmt::format("{} = {} is not bounded by the {} of {}", f.name, to_string(*e), limit,
                                      call.kernel));
          }
        }
      } else if (const Pointer* p = std::get_if<Pointer>(&f.value)) {
        if (Status s = known(*p, f.name); !s) return s;
      }
    }
    if (Status s = known(call.accumulate, "accumulate"); !s) return s;
    return known(call.epilogue, "epilogue");
  }

  // An upper bound, where one can be read off the expression.
  std::optional<int64_t> at_most(const Expr& e) const {
    switch (e.op) {
      case Op::constant:
        return e.value;
      case Op::variable: {
        const auto at = vars_.find(e.name);
        return at == vars_.end() ? std::nullopt : at->second;
      }
      case Op::min: {
        const auto a = at_most(e.args[0]), b = at_most(e.args[1]);
        return a && b ? std::min(*a, *b) : a ? a : b;
      }
      case Op::select:
      case Op::max: {
        const std::size_t n = e.args.size();
        const auto a = at_most(e.args[n - 2]), b = at_most(e.args[n - 1]);
        return a && b ? std::optional(std::max(*a, *b)) : std::nullopt;
      }
      case Op::add: {
        const auto a = at_most(e.args[0]), b = at_most(e.args[1]);
        return a && b ? std::optional(*a + *b) : std::nullopt;
      }
      case Op::sub: {
        const auto a = at_most(e.args[0]);
        return a && e.args[1].is_constant() ? std::optional(*a - e.args[1].value) : std::nullopt;
      }
      case Op::lt:
      case Op::le:
      case Op::eq:
        return 1;
      default:
        return std::nullopt;
    }
  }

  const Function& f_;
  std::set<std::string> names_, bases_, descs_, scope_;
  std::map<std::string, std::optional<int64_t>> vars_;  // name -> upper bound, if known
  int calls_ = 0;
};

}  // namespace

Status verify(const Function& function) { return Verifier(function).run(); }

}  // namespace cortex
