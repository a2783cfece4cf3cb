#include "generators/ast/kernel_call.h"

#include <fmt/format.h>

#include <cctype>

#include "generators/ast/batch.h"

namespace cortex {
namespace {

class CallBuilder {
 public:
  CallBuilder(const Program& program, const TileLoops& loops, const Operands& operands)
      : p_(program), loops_(loops), operands_(operands) {
    call_.kernel = program.kernel.name;
  }

  Result<KernelCall> run(Function& f) {
    if (p_.kernel.is_dwconv) {
      if (Status s = dwconv(); !s) return s.error();
    } else {
      brgemm();
      const Result<std::vector<Field>> batch = batch_fields(p_, loops_, f);
      if (!batch) return batch.error();
      call_.fields.insert(call_.fields.end(), batch->begin(), batch->end());
      for (const ProgramClip& clip : p_.kernel.clips) skip_padding(clip);
      if (p_.kernel.row_clip) window(*p_.kernel.row_clip);
    }
    epilogue();
    reduction_state();
    return KernelCall{std::move(lets_), std::move(call_)};
  }

 private:
  void set(std::string name, Expr value) { call_.fields.push_back({std::move(name), std::move(value)}); }
  void set_nonzero(std::string name, int64_t value) {
    if (value) set(std::move(name), value);
  }
  void point(std::string name, Operand o) {
    call_.fields.push_back({std::move(name), Pointer{operands_.inner[static_cast<std::size_t>(o)],
                                                     offset_of(p_, loops_, operands_, o)}});
  }
  Expr lo(int dim) const { return dim < 0 ? Expr(0) : loops_.lo(loops_.innermost(dim)); }
  Expr len(int dim) const { return dim < 0 ? Expr(1) : loops_.len(loops_.innermost(dim), dim); }

  void brgemm() {
    point("a", Operand::a);
    point("b", Operand::b);
    point("c", Operand::c);
    set("m", len(p_.kernel.m_dim));
    set("n", len(p_.kernel.n_dim));
    set("k", len(p_.kernel.k_dim));
    if (const int64_t rows = p_.kernel.tile_rows; rows > 0) {
      const Expr m = len(p_.kernel.m_dim);
      set("bands", rows == 1 ? m : make_expr(Expr::Op::floor_div, {m + Expr(rows - 1), Expr(rows)}));
    }
    set_nonzero("lda", p_.kernel.lda);
    set_nonzero("ldb", p_.kernel.ldb);
    set_nonzero("ldc", p_.kernel.ldc);
    if (p_.kernel.rows_dim >= 0) {
      set("bands", len(p_.kernel.rows_dim));
      set_nonzero("a_band", p_.kernel.a_row_stride);
      set_nonzero("c_band", p_.kernel.c_row_stride);
    }
    if (p_.kernel.prefetch.rows_per_unit > 0) prefetch();
    if (const ProgramAhead& next = p_.kernel.a_ahead; next.dim >= 0) {
      const bool walked = p_.kernel.tile_rows > 0 && next.dim == p_.kernel.m_dim;
      set("a_ahead", (walked ? Expr(p_.kernel.tile_rows) : len(next.dim)) * Expr(next.stride));
    }
    set_nonzero("b_ahead", p_.kernel.b_ahead);
    set_nonzero("c_far", p_.kernel.c_far);
  }

  // See ProgramPrefetch: this call's share of the rows of B that come next.
  void prefetch() {
    const ProgramPrefetch& next = p_.kernel.prefetch;
    const int visit = loops_.kept_before[static_cast<std::size_t>(next.mover) + 1];
    Expr row = 0, per_unit = next.rows_per_unit, count = 0;
    for (const ProgramPrefetch::Along& along : next.along) {
      const Expr moved = lo(along.dim) - loops_.lo(loops_.innermost(along.dim, visit));
      row = row + moved * Expr(along.inside) * per_unit;
      per_unit = count = len(along.dim) * per_unit;
    }
    const auto b = static_cast<std::size_t>(Operand::b);
    Pointer at{operands_.inner[b], offset_of(p_, loops_, operands_, Operand::b)};
    if (next.source) at = {operands_.user[b], source_offset(p_, loops_, operands_, Operand::b)};
    at.offset = at.offset + Expr(next.ahead);
    Expr left = Expr(next.rows) - row;
    if (next.tap_rows > 0) {
      const Expr tap = make_expr(Expr::Op::floor_div, {row, Expr(next.tap_rows)});
      at.offset = at.offset + tap * Expr(next.tap_stride);
      row = row - tap * Expr(next.tap_rows);
      left = min(left, Expr(next.tap_rows) - row);
    }
    at.offset = at.offset + row * Expr(next.ld);
    call_.fields.push_back({"next", at});
    set("next_ld", next.ld);
    set("next_rows", min(count, left));
  }

  Field& field(const std::string& name) {
    for (Field& f : call_.fields) {
      if (f.name == name) return f;
    }
    call_.fields.push_back({name, Expr(1)});
    return call_.fields.back();
  }

  // See ProgramClip: A and B start at the first tap that counts, and only those that count are summed.
  void skip_padding(const ProgramClip& clip) {
    const std::string& name = p_.nest.dims[static_cast<std::size_t>(clip.dim)].name;
    const auto ceil_div = [&](const Expr& e) {
      return clip.coeff == 1 ? e
                             : make_expr(Expr::Op::floor_div, {e + Expr(clip.coeff - 1), Expr(clip.coeff)});
    };
    const Expr low = lo(clip.dim), length = len(clip.dim);
    const Expr moved = clip.out_dim < 0 ? Expr(0) : lo(clip.out_dim) * Expr(clip.out_coeff);
    const Expr origin = Expr(-clip.constant) - moved;
    const Expr first = make_expr(Expr::Op::max, {low, ceil_div(origin)});
    const Expr last = min(low + length, ceil_div(Expr(clip.extent - clip.constant) - moved));
    const Expr first_name = Expr::var(name + "_first"), taps = Expr::var(name + "_taps");
    lets_.push_back({first_name.name, first});
    lets_.push_back({taps.name, make_expr(Expr::Op::max, {Expr(0), last - first_name})});

    const Expr skipped = first_name - low;
    for (const auto& [pointer, stride] : {std::pair{"a", clip.a_stride}, std::pair{"b", clip.b_stride}}) {
      Pointer& p = std::get<Pointer>(field(pointer).value);
      p.offset = p.offset + skipped * Expr(stride);
    }
    if (clip.dim == p_.kernel.k_dim) {
      field("k").value = taps;
      return;
    }
    Expr count = taps;
    for (std::size_t i = 1; i < p_.kernel.batch_dims.size(); ++i)
      count = count * len(p_.kernel.batch_dims[i]);
    field("batch").value = count;
  }

  // See ProgramRowClip.
  void window(const ProgramRowClip& clip) {
    set("window.taps", len(clip.dim));
    set("window.at",
        linear({{lo(p_.kernel.m_dim), clip.step}, {lo(clip.dim), clip.tap_step}}, clip.constant));
    set("window.step", clip.step);
    set("window.tap_step", clip.tap_step);
    set("window.extent", clip.extent);
  }

  Status dwconv() {
    const std::optional<Window> window = depthwise_window(p_.nest);
    if (!window)
      return internal_error(fmt::format("{} on {}, which is not depthwise", p_.kernel.name, p_.nest.name));
    point("input", Operand::a);
    point("weights", Operand::b);
    point("output", Operand::c);
    set("channels", len(p_.kernel.n_dim));
    set("outputs", len(p_.kernel.m_dim));
    set("rows", len(p_.kernel.rows_dim));
    const std::pair<const char*, const WindowAxis*> axes[] = {
        {"d", &window->d}, {"h", &window->h}, {"w", &window->w}};
    for (const auto& [axis, w] : axes) {
      const Expr origin = linear({{lo(w->out_dim), w->stride}, {lo(w->window_dim), w->dilation}}, -w->pad);
      set(fmt::format("{}0", axis), origin);
      set(fmt::format("in_{}", axis), w->in_extent);
      set(fmt::format("k{}", axis), len(w->window_dim));
      set(fmt::format("dilation_{}", axis), w->dilation);
      set_nonzero(fmt::format("in_stride_{}", axis), w->in_stride);
      set_nonzero(fmt::format("w_stride_{}", axis), w->w_stride);
    }
    set("stride_h", window->h.stride);
    set("stride_w", window->w.stride);
    set_nonzero("out_stride", p_.kernel.ldc);
    set_nonzero("out_stride_h", p_.kernel.c_row_stride);
    set_nonzero("in_zero_point", p_.nest.a_zero_point);
    if (p_.nest.epilogue.residual) set_nonzero("residual_stride_h", p_.kernel.c_row_stride);
    return {};
  }

  void epilogue() {
    const Epilogue& e = p_.nest.epilogue;
    if (e.per_channel()) {
      constexpr auto bytes = static_cast<int64_t>(sizeof(float));
      const Expr offset = linear(
          {{lo(p_.kernel.n_dim), p_.bias_stride / bytes}, {lo(p_.bias_dim2), p_.bias_stride2 / bytes}}, 0);
      if (e.bias) call_.fields.push_back({"epilogue.bias_n", Pointer{operands_.bias, offset}});
      if (e.scale) call_.fields.push_back({"epilogue.scale_n", Pointer{operands_.scale, offset}});
      if (e.compensation) {
        call_.fields.push_back({"epilogue.compensation_n", Pointer{operands_.compensation, offset}});
      }
    }
    if (e.residual) {
      call_.fields.push_back(
          {"epilogue.residual", Pointer{operands_.residual, offset_of(p_, loops_, operands_, Operand::c)}});
      set_nonzero("epilogue.ld_residual", p_.kernel.ldc);
      call_.fields.push_back({"epilogue.residual_scale", e.residual_scale});
      set_nonzero("epilogue.residual_after_activation", e.residual_after_activation);
    }
    static constexpr const char* activations[] = {"NONE", "RELU",     "CLIP",     "SIGMOID",
                                                  "TANH", "GELU_ERF", "GELU_TANH"};
    if (e.activation != Activation::none) {
      set("epilogue.activation",
          Expr::var(fmt::format("CORTEX_ACTIVATION_{}", activations[static_cast<int>(e.activation)])));
    }
    if (e.alpha != 0) call_.fields.push_back({"epilogue.alpha", e.alpha});
    if (e.beta != 0) call_.fields.push_back({"epilogue.beta", e.beta});
    set_nonzero("epilogue.c_zero_point", e.zero_point);
    if (!holds_sums(p_.nest)) {
      std::string type = dtype_name(p_.nest[Operand::c].tensor.type);
      for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      set("epilogue.c_type", Expr::var("CORTEX_ELEMENT_" + type));
    }
  }

  // Where the sum over `dim` that a tile belongs to begins: a split loop's tiles have sums of their own.
  Expr first_of_sum(int dim) const {
    const int split = p_.split.loop;
    if (split < 0 || p_.loops[static_cast<std::size_t>(split)].dim != dim) return 0;
    return loops_.lo(loops_.kept_before[static_cast<std::size_t>(split)]);
  }

  // A tile's first visit overwrites C, its last one applies the epilogue.
  void reduction_state() {
    call_.accumulate = 0;
    call_.epilogue = is_finished(p_.nest) ? 1 : 0;
    for (int d = 0; d < static_cast<int>(p_.nest.dims.size()); ++d) {
      const int l = loops_.innermost(d);
      if (l < 0 || p_.nest.dims[static_cast<std::size_t>(d)].kind != DimKind::reduction) continue;
      const Expr first = first_of_sum(d);
      if (first != loops_.lo(l)) call_.accumulate = logical_or(call_.accumulate, less(first, loops_.lo(l)));
      const Expr end = loops_.lo(l) + loops_.len(l, d);
      const int64_t extent = loops_.extent[static_cast<std::size_t>(d)];
      call_.epilogue = logical_and(call_.epilogue, equal(end, extent));
    }
  }

  const Program& p_;
  const TileLoops& loops_;
  const Operands& operands_;
  std::vector<Let> lets_;
  Call call_;
};

}  // namespace

Result<KernelCall> kernel_call(const Program& program, const TileLoops& loops, const Operands& operands,
                               Function& f) {
  return CallBuilder(program, loops, operands).run(f);
}

}  // namespace cortex
