#include "graph/lower/lower_op.h"
#include "support/checked.h"

namespace cortex {
namespace {

constexpr DimKind parallel = DimKind::parallel, reduction = DimKind::reduction;

// One channel in and out per group: channels stay adjacent in all three tensors.
Nest lower_depthwise(const Problem& problem) {
  const ConvProblem& p = problem.conv();
  NestBuilder nest("conv");
  const int n = nest.dim("n", p.mb, parallel);
  const int od = nest.dim("od", p.od, parallel), oh = nest.dim("oh", p.oh, parallel);
  const int ow = nest.dim("ow", p.ow, parallel), c = nest.dim("c", p.g, parallel);
  const int kd = nest.dim("kd", p.kd, reduction), kh = nest.dim("kh", p.kh, reduction);
  const int kw = nest.keep_one(nest.dim("kw", p.kw, reduction), "kw", reduction);
  nest.access(Operand::a, "src", problem.src,
              {{"n", p.mb, affine({{n, 1}})},
               {"d", p.id, affine({{od, p.sd}, {kd, p.dd + 1}}, -p.pd)},
               {"h", p.ih, affine({{oh, p.sh}, {kh, p.dh + 1}}, -p.ph)},
               {"w", p.iw, affine({{ow, p.sw}, {kw, p.dw + 1}}, -p.pw)},
               {"c", p.g, affine({{c, 1}})}});
  nest.access(Operand::b, "wei", problem.wei,
              {{"kd", p.kd, affine({{kd, 1}})},
               {"kh", p.kh, affine({{kh, 1}})},
               {"kw", p.kw, affine({{kw, 1}})},
               {"c", p.g, affine({{c, 1}})}});
  nest.access(Operand::c, "dst", problem.dst,
              {{"n", p.mb, affine({{n, 1}})},
               {"d", p.od, affine({{od, 1}})},
               {"h", p.oh, affine({{oh, 1}})},
               {"w", p.ow, affine({{ow, 1}})},
               {"c", p.g, affine({{c, 1}})}});
  return nest.take();
}

}  // namespace

Result<Nest> lower_conv(const Problem& problem) {
  const std::optional<RowsInUnits> rows = rows_in_units(problem);
  const ConvProblem p = rows ? rows->conv : a_is_copied(problem) ? with_halo(problem.conv()) : problem.conv();
  const DataType src = a_is_copied(problem) ? DataType::u8 : problem.src;
  if (is_depthwise(problem)) return lower_depthwise(problem);
  const int64_t icg = ceil_div(p.ic / p.g, unit_length(problem.src)), ocg = p.oc / p.g;
  NestBuilder nest("conv");
  const int n = nest.dim("n", p.mb, parallel), g = nest.dim("g", p.g, parallel);
  const int od = nest.dim("od", p.od, parallel), oh = nest.dim("oh", p.oh, parallel);
  const int ow = nest.dim("ow", p.ow, parallel);
  const int oc = nest.keep_one(nest.dim("oc", ocg, parallel), "oc", parallel);
  const int kd = nest.dim("kd", p.kd, reduction), kh = nest.dim("kh", p.kh, reduction);
  const int kw = nest.dim("kw", p.kw, reduction);
  const int ic = nest.keep_one(nest.dim("ic", icg, reduction), "ic", reduction);
  nest.access(Operand::a, "src", unit_of(src),
              {{"n", p.mb, affine({{n, 1}})},
               {"d", p.id, affine({{od, p.sd}, {kd, p.dd + 1}}, -p.pd)},
               {"h", p.ih, affine({{oh, p.sh}, {kh, p.dh + 1}}, -p.ph)},
               {"w", p.iw, affine({{ow, p.sw}, {kw, p.dw + 1}}, -p.pw)},
               {"g", p.g, affine({{g, 1}})},
               {"c", icg, affine({{ic, 1}})}});
  nest.access(Operand::b, "wei", unit_of(problem.wei),
              {{"g", p.g, affine({{g, 1}})},
               {"kd", p.kd, affine({{kd, 1}})},
               {"kh", p.kh, affine({{kh, 1}})},
               {"kw", p.kw, affine({{kw, 1}})},
               {"ic", icg, affine({{ic, 1}})},
               {"oc", ocg, affine({{oc, 1}})}});
  nest.access(Operand::c, "dst", problem.dst,
              {{"n", p.mb, affine({{n, 1}})},
               {"d", p.od, affine({{od, 1}})},
               {"h", p.oh, affine({{oh, 1}})},
               {"w", p.ow, affine({{ow, 1}})},
               {"g", p.g, affine({{g, 1}})},
               {"c", ocg, affine({{oc, 1}})}});
  return nest.take();
}

}  // namespace cortex
