// Program -> Interpreter: everything that does not depend on the caller's pointers is worked out here.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/ranges.h"
#include "runtime/epilogue.h"
#include "runtime/interpreter/interpreter.h"
#include "runtime/interpreter/runs.h"
#include "support/checked.h"

namespace cortex {
namespace {

constexpr int64_t max_batch_elements = int64_t{1} << 20;

cortex_epilogue static_epilogue(const Nest& nest) {
  cortex_epilogue out = constant_epilogue(nest.epilogue);
  out.c_type = element_code(dtype_name(nest[Operand::c].tensor.type));
  return out;
}

// Every length the range of `dim` takes inside all loops.
std::set<int64_t> possible_lengths(const Program& program, int dim) {
  std::set<int64_t> lengths = {program.nest.dims[dim].extent};
  for (const ProgramLoop& loop : program.loops) {
    if (loop.dim != dim) continue;
    std::set<int64_t> next;
    for (const int64_t length : lengths) {
      for (const TileRun& run : tile_runs(length, loop.step, loop.balanced)) {
        if (run.count > 0) next.insert(run.size);
      }
    }
    lengths = std::move(next);
  }
  return lengths;
}

}  // namespace

Result<Interpreter> Interpreter::compile(const Program& program, Isa isa) {
  Interpreter code;
  code.pack_ = pack_function(isa);
  code.dims_ = static_cast<int>(program.nest.dims.size());
  for (int d = 0; d < code.dims_; ++d) code.extent_[d] = program.nest.dims[d].extent;
  code.base_ = program.base_offset;
  code.epilogue_ = is_finished(program.nest);
  code.m_ = program.kernel.m_dim;
  code.n_ = program.kernel.n_dim;
  code.k_ = program.kernel.k_dim;
  code.rows_ = program.kernel.rows_dim;
  code.batch_dims_ = program.kernel.batch_dims;

  const KernelInfo* kernel = find_kernel(program.kernel.name);
  if (!kernel) return internal_error(fmt::format("interpreter: no microkernel \"{}\"", program.kernel.name));
  code.brgemm_ = kernel->brgemm;
  code.tiles_ = kernel->tiles;
  code.dwconv_ = kernel->dwconv;

  code.compile_loops(program);
  code.compile_packs(program);
  if (program.kernel.is_dwconv) {
    code.compile_window(program);
  } else {
    code.compile_kernel(program);
    if (Status s = code.compile_batch(program); !s) return s.error();
  }
  return code;
}

void Interpreter::compile_loops(const Program& program) {
  int parallel = 0;
  packs_.emplace_back();
  depth_of_.push_back(0);
  for (int i = 0; i < static_cast<int>(program.loops.size()); ++i) {
    const ProgramLoop& from = program.loops[i];
    const int64_t longest = max_range(program.nest, program.schedule, from.dim, i);
    // A loop of one tile binds the range it finds: walking it would only cost time. So does one that the
    // kernel walks itself.
    const bool walked = program.kernel.tile_rows > 0 && i + 1 == static_cast<int>(program.loops.size());
    const bool single = walked || (longest <= from.step && from.threads == 1);
    if (!single) {
      Loop loop;
      loop.dim = from.dim;
      loop.parallel = from.parallel ? parallel : -1;
      loop.balanced = from.balanced;
      const bool split = program.split.loop == i;
      loop.reduction = !split && program.nest.dims[from.dim].kind == DimKind::reduction;
      loop.step = from.step;
      loop.part_bytes = split ? program.split.bytes : 0;
      loop.stride.a = from.stride[0];
      loop.stride.b = from.stride[1];
      loop.stride.c = from.stride[2];
      loop.stride.bias = from.dim == n_                  ? program.bias_stride
                         : from.dim == program.bias_dim2 ? program.bias_stride2
                                                         : 0;
      loop.usual_length = longest;
      loop.usual_share = tile_share(tile_runs(longest, from.step, from.balanced), 1, 0);
      loops_.push_back(loop);
      packs_.emplace_back();
    }
    if (from.parallel) ++parallel;
    depth_of_.push_back(static_cast<int>(loops_.size()));
  }
}

void Interpreter::compile_packs(const Program& program) {
  for (const ProgramPack& from : program.packs) {
    if (from.ahead_of_time) continue;
    Pack pack;
    pack.operand = from.operand;
    pack.desc = from.desc;
    pack.constant = from.constant;
    pack.scratch_offset = from.scratch_offset;
    for (int axis = 0; axis < from.desc.rank; ++axis) {
      for (int d = 0; d < dims_; ++d) {
        if (from.coeff[axis][d]) pack.terms.push_back({axis, d, from.coeff[axis][d]});
      }
    }
    packs_[depth_of_[from.depth]].push_back(std::move(pack));
  }
}

void Interpreter::compile_kernel(const Program& program) {
  args_.m = args_.n = args_.k = args_.batch = 1;
  args_.a_band = program.kernel.a_row_stride;
  args_.c_band = program.kernel.c_row_stride;
  args_.lda = program.kernel.lda;
  args_.ldb = program.kernel.ldb;
  args_.ldc = program.kernel.ldc;
  args_.epilogue = static_epilogue(program.nest);
  args_.epilogue.ld_residual = program.kernel.ldc;
  clips_ = program.kernel.clips;
  row_clip_ = program.kernel.row_clip.value_or(ProgramRowClip{});
  args_.window = {0, 0, row_clip_.step, row_clip_.tap_step, row_clip_.extent};
  args_.next_ld = program.kernel.prefetch.ld;
  a_ahead_ = program.kernel.a_ahead;
  args_.b_ahead = program.kernel.b_ahead;
  args_.c_far = program.kernel.c_far;
  tile_rows_ = program.kernel.tile_rows;
  if (loops_.empty()) return;
  const int last = loops_.back().dim;
  if (const ProgramPrefetch& next = program.kernel.prefetch; next.rows_per_unit > 0) {
    asks_from_ = static_cast<std::size_t>(depth_of_[next.mover + 1]);
    const int innermost = tile_rows_ > 0 ? m_ : last;
    if ((asks_from_ < loops_.size() || tile_rows_ > 0) && next.along.back().dim == innermost)
      prefetch_ = next;
  }
  if (!packs_.back().empty()) return;
  // It asks for shares of a visit that lasts as long as the loop.
  if (prefetch_.rows_per_unit > 0 && prefetch_.along.back().dim != last) return;
  if (prefetch_.rows_per_unit > 0 && asks_from_ == loops_.size()) return;
  last_role_ = last == m_      ? Role::m
               : last == n_    ? Role::n
               : last == k_    ? Role::k
               : last == rows_ ? Role::rows
                               : Role::none;
  // The last loop may not change which taps are skipped: that is worked out once before it.
  fast_last_loop_ = loops_.back().part_bytes == 0 &&
                    std::find(batch_dims_.begin(), batch_dims_.end(), last) == batch_dims_.end() &&
                    std::none_of(clips_.begin(), clips_.end(), [&](const ProgramClip& clip) {
                      return clip.dim == last || clip.out_dim == last;
                    });
}

Status Interpreter::compile_batch(const Program& program) {
  const ProgramKernel& kernel = program.kernel;
  const std::size_t count = batch_dims_.size();
  if (count == 0) return Status::success();
  args_.a_batch_stride = kernel.a_batch_stride[count - 1];
  args_.b_batch_stride = kernel.b_batch_stride[count - 1];

  std::vector<std::vector<int64_t>> lengths;
  for (const int dim : batch_dims_) {
    const std::set<int64_t> set = possible_lengths(program, dim);
    lengths.emplace_back(set.begin(), set.end());
  }
  // Dims that follow each other without a gap in both operands are one strided dim.
  bool strided = true;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const int64_t inner = lengths[i + 1].front();
    strided = strided && lengths[i + 1].size() == 1 &&
              kernel.a_batch_stride[i] == inner * kernel.a_batch_stride[i + 1] &&
              kernel.b_batch_stride[i] == inner * kernel.b_batch_stride[i + 1];
  }
  if (strided) return Status::success();

  std::vector<std::size_t> pick(count, 0);  // of the inner dims' lengths; pick[0] stays 0
  for (bool more = true; more;) {
    BatchTable table;
    int64_t elements = lengths[0].back();
    for (std::size_t i = 1; i < count; ++i) {
      table.inner_lengths.push_back(lengths[i][pick[i]]);
      const auto product = checked_mul(elements, lengths[i][pick[i]]);
      elements = product.value_or(max_batch_elements + 1);
      if (elements > max_batch_elements) break;
    }
    if (elements > max_batch_elements) {
      return unsupported(fmt::format("schedule of {}: a batch of more than {} offsets; tile its batch dims",
                                     program.nest.name, max_batch_elements));
    }
    for (int64_t e = 0; e < elements; ++e) {
      int64_t rest = e, a = 0, b = 0;
      for (std::size_t i = count; i-- > 0;) {
        const int64_t length = i == 0 ? lengths[0].back() : lengths[i][pick[i]];
        a += rest % length * kernel.a_batch_stride[i];
        b += rest % length * kernel.b_batch_stride[i];
        rest /= length;
      }
      table.a.push_back(a);
      table.b.push_back(b);
    }
    batch_tables_.push_back(std::move(table));
    more = false;
    for (std::size_t i = count; i-- > 1 && !more;) {
      more = ++pick[i] < lengths[i].size();
      if (!more) pick[i] = 0;
    }
  }
  return Status::success();
}

void Interpreter::compile_window(const Program& program) {
  window_ = *depthwise_window(program.nest);
  const auto extent = [&](int dim) { return dim < 0 ? int64_t{1} : program.nest.dims[dim].extent; };
  cortex_dwconv_args& w = window_args_;
  w.channels = w.outputs = w.rows = 1;
  w.in_d = window_.d.in_extent;
  w.in_h = window_.h.in_extent;
  w.in_w = window_.w.in_extent;
  w.kd = extent(window_.d.window_dim);
  w.kh = extent(window_.h.window_dim);
  w.kw = extent(window_.w.window_dim);
  w.stride_h = window_.h.stride;
  w.stride_w = window_.w.stride;
  w.dilation_d = window_.d.dilation;
  w.dilation_h = window_.h.dilation;
  w.dilation_w = window_.w.dilation;
  w.in_stride_d = window_.d.in_stride;
  w.in_stride_h = window_.h.in_stride;
  w.in_stride_w = window_.w.in_stride;
  w.w_stride_d = window_.d.w_stride;
  w.w_stride_h = window_.h.w_stride;
  w.w_stride_w = window_.w.w_stride;
  w.out_stride = program.kernel.ldc;
  w.out_stride_h = w.residual_stride_h = program.kernel.c_row_stride;
  w.flags = epilogue_ ? static_cast<uint32_t>(CORTEX_TILE_EPILOGUE) : 0u;
  w.in_zero_point = program.nest.a_zero_point;
  w.epilogue = static_epilogue(program.nest);
  w.epilogue.ld_residual = program.kernel.ldc;
}

}  // namespace cortex
