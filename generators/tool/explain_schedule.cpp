#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "generators/tool/explain_sections.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/ranges.h"
#include "support/checked.h"

namespace cortex::explaining {
namespace {

// The lengths a dim's range can have where `depth` loops are open, longest first.
std::set<int64_t, std::greater<>> lengths(const Nest& nest, const Schedule& schedule, int dim, int depth) {
  std::set<int64_t, std::greater<>> now{nest.dims[dim].extent};
  for (int l = 0; l < depth; ++l) {
    const Loop& loop = schedule.loops[l];
    if (loop.dim != dim) continue;
    std::set<int64_t, std::greater<>> next;
    for (const int64_t len : now) {
      const int64_t tiles = ceil_div(len, loop.step);
      if (loop.balanced) {
        next.insert(ceil_div(len, tiles));
        next.insert(len / tiles);
      } else {
        next.insert(std::min(loop.step, len));
        if (len % loop.step != 0) next.insert(len % loop.step);
      }
    }
    now = std::move(next);
  }
  return now;
}

std::string lengths_text(const Nest& nest, const Schedule& schedule, int dim, int depth) {
  return fmt::format("{}", fmt::join(lengths(nest, schedule, dim, depth), " or "));
}

std::string loop_text(const Program& program, int index) {
  const Nest& nest = program.nest;
  const Schedule& schedule = program.schedule;
  const Loop& loop = schedule.loops[index];
  const std::string& name = nest.dims[loop.dim].name;
  const bool outermost = program.loops[index].parent < 0;
  std::string text =
      fmt::format("for {} in {}, by {}{}: {}{} tiles", name,
                  outermost ? fmt::format("0..{}", nest.dims[loop.dim].extent)
                            : fmt::format("its tile of {}", lengths_text(nest, schedule, loop.dim, index)),
                  lengths_text(nest, schedule, loop.dim, index + 1), loop.balanced ? " (balanced)" : "",
                  outermost ? "" : "up to ", max_trips(nest, schedule, index));
  if (loop.parallel)
    text += loop.threads > 1 ? fmt::format(", parallel, {} threads", loop.threads) : ", parallel";
  if (loop.split) text += ", each with sums of its own";
  if (program.kernel.tile_rows > 0 && index + 1 == static_cast<int>(program.loops.size()))
    text += ", walked by the kernel";
  return text;
}

std::string pack_text(const Program& program, const ProgramPack& pack) {
  const bool panel = pack.form == PackForm::panel;
  std::string text =
      fmt::format("pack {} ({}) {}", operand_name(pack.operand), program.nest[pack.operand].tensor.name,
                  pack.ahead_of_time ? "ahead of time" : "into scratch");
  text += panel ? fmt::format(" as panels of {} columns", pack.desc.panel_width) : " as a dense box";
  return text + fmt::format(", {}", human_bytes(static_cast<double>(pack.bytes)));
}

// "ow 6 or 2", "1" for an absent role.
std::string role_text(const Program& program, int dim) {
  if (dim < 0) return "1";
  const int depth = static_cast<int>(program.schedule.loops.size());
  return fmt::format("{} {}", program.nest.dims[dim].name,
                     lengths_text(program.nest, program.schedule, dim, depth));
}

}  // namespace

std::string loop_tree(const Program& program) {
  std::string text, indent = "  ";
  const int depth = static_cast<int>(program.loops.size());
  for (int l = 0; l <= depth; ++l) {
    for (const ProgramPack& pack : program.packs) {
      if (pack.depth == l) text += fmt::format("{}{}\n", indent, pack_text(program, pack));
    }
    if (l == depth) break;
    text += fmt::format("{}{}\n", indent, loop_text(program, l));
    indent += "  ";
  }
  text += fmt::format("{}{}\n", indent, program.kernel.name);
  if (program.split.loop >= 0) {
    const ProgramSplit& split = program.split;
    return text +
           fmt::format(
               "{}  adds up parts of C in {} of scratch\n  then the {} parts are added in order, by {}{}\n",
               indent, human_bytes(static_cast<double>(split.scratch_bytes())), split.parts,
               split.sum->kernel.name, is_finished(split.sum->nest) ? ", which applies the epilogue" : "");
  }
  const bool split = has_outer_reduction(program);
  text += fmt::format("{}  {}", indent,
                      split ? "first visit overwrites C, later ones add to it" : "overwrites C");
  if (is_finished(program.nest))
    text += split ? "; the last applies the epilogue" : " and applies the epilogue";
  return text + "\n";
}

std::string kernel_text(const Program& program) {
  const ProgramKernel& kernel = program.kernel;
  const KernelInfo* info = find_kernel(kernel.name);
  std::vector<std::string> batch;
  for (const int d : kernel.batch_dims) batch.push_back(role_text(program, d));
  std::string text = fmt::format("  {}: register tile {}x{}{}\n", kernel.name, kernel.mr, kernel.nr,
                                 info ? fmt::format(", {} lanes", info->lanes) : "");
  if (kernel.rows_dim >= 0)
    text += fmt::format("  rows of outputs = {};", role_text(program, kernel.rows_dim));
  text += fmt::format("  rows m = {}; columns n = {}; reduction k = {}; batch = {}\n",
                      role_text(program, kernel.m_dim), role_text(program, kernel.n_dim),
                      role_text(program, kernel.k_dim),
                      batch.empty() ? "1" : fmt::format("{}", fmt::join(batch, " x ")));
  if (kernel.tile_rows > 0) text += "  a call walks all tiles of rows of the innermost loop\n";
  return text;
}

std::string packs_text(const Program& program) {
  std::string text;
  for (const ProgramPack& pack : program.packs) {
    std::string place;
    if (pack.ahead_of_time) {
      place = fmt::format("packed weights, {} bytes, made once", pack.bytes);
    } else if (pack.depth == 0) {
      place = fmt::format("scratch of each thread at +{}, {} bytes, before all loops", pack.scratch_offset,
                          pack.bytes);
    } else {
      const Loop& loop = program.schedule.loops[pack.depth - 1];
      place = fmt::format("scratch of each thread at +{}, {} bytes, once per tile of {} (loop {})",
                          pack.scratch_offset, pack.bytes, program.nest.dims[loop.dim].name, pack.depth - 1);
    }
    text += fmt::format("  {}: {}\n", operand_name(pack.operand), place);
  }
  if (text.empty()) text = "  none: every operand is read where it is\n";
  return text + fmt::format("  scratch per thread {}, packed weights {}\n",
                            human_bytes(static_cast<double>(program.scratch_bytes)),
                            human_bytes(static_cast<double>(program.packed_weights_bytes)));
}

}  // namespace cortex::explaining
