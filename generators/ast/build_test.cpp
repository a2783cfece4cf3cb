// Loop IR of random schedules against a walk of the Program by the book: the same packs and calls, with
// the same numbers, in the same order, for every thread of a grid.
#include "generators/ast/build.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "generators/loop_ir/evaluate.h"
#include "graph/lower/lower.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/ranges.h"
#include "runtime/testing/random_problem.h"
#include "runtime/testing/random_schedule.h"
#include "support/checked.h"
#include "support/testing/seed.h"

namespace cortex {
namespace {

using testing::pick;
using testing::Random;

// The semantics of polyopt/schedule/schedule.h and program.h, word by word.
class Walker {
 public:
  Walker(const Program& program, std::vector<int64_t> grid, std::vector<int64_t> coord)
      : p_(program), grid_(std::move(grid)), coord_(std::move(coord)) {
    for (const Dim& d : p_.nest.dims) ranges_.push_back({0, d.extent});
    at_ = p_.base_offset;
  }

  std::vector<Event> run() {
    enter(0);
    return std::move(events_);
  }

 private:
  struct Range {
    int64_t lo, len;
  };

  void enter(std::size_t depth) {
    const auto outside = at_;
    for (const ProgramPack& pack : p_.packs) {
      if (pack.depth == static_cast<int>(depth)) copy(pack);
    }
    if (depth == p_.loops.size())
      kernel();
    else
      loop(depth);
    at_ = outside;
  }

  void copy(const ProgramPack& pack) {
    at_[static_cast<std::size_t>(pack.operand)] = 0;
    if (pack.ahead_of_time) return;
    Event e{"pack", {}};
    int64_t source = 0;
    for (std::size_t j = 0; j < static_cast<std::size_t>(pack.desc.rank); ++j) {
      int64_t origin = pack.constant[j], box = 1;
      for (std::size_t d = 0; d < ranges_.size(); ++d) {
        origin += pack.coeff[j][d] * ranges_[d].lo;
        box += pack.coeff[j][d] * (ranges_[d].len - 1);
      }
      e.numbers["origin" + std::to_string(j)] = origin;
      e.numbers["box" + std::to_string(j)] = box;
      source += origin * pack.desc.src_stride[j];
    }
    if (pack.operand == Operand::b) source_b_ = source;
    events_.push_back(std::move(e));
  }

  void loop(std::size_t depth) {
    const ProgramLoop& loop = p_.loops[depth];
    const auto dim = static_cast<std::size_t>(loop.dim);
    const Range outer = ranges_[dim];
    if (static_cast<int>(depth) == p_.kernel.prefetch.mover + 1) visit_ = ranges_;
    if (p_.kernel.tile_rows > 0 && depth + 1 == p_.loops.size()) {  // the kernel's, and the last thread's
      if (!loop.parallel || coord_[depth] + 1 == grid_[depth]) enter(depth + 1);
      return;
    }
    const int64_t tiles = ceil_div(outer.len, loop.step);
    int64_t first = 0, last = tiles;
    if (loop.parallel) {
      // Tiles are divided as if every visit had the most that any has.
      const int64_t most = ceil_div(longest(depth), loop.step);
      first = std::min(tiles, most * coord_[depth] / grid_[depth]);
      last = std::min(tiles, most * (coord_[depth] + 1) / grid_[depth]);
    }
    for (int64_t t = first; t < last; ++t) {
      int64_t lo = t * loop.step, len = std::min(loop.step, outer.len - lo);
      if (loop.balanced) {
        lo = t * (outer.len / tiles) + std::min(t, outer.len % tiles);
        len = outer.len / tiles + (t < outer.len % tiles);
      }
      ranges_[dim] = {outer.lo + lo, len};
      const auto before = at_;
      for (std::size_t o = 0; o < operand_count; ++o) at_[o] += lo * loop.stride[o];
      if (static_cast<int>(depth) == p_.split.loop) {
        at_[static_cast<std::size_t>(Operand::c)] += t * p_.split.bytes;
        part_lo_ = lo;
      }
      enter(depth + 1);
      at_ = before;
    }
    ranges_[dim] = outer;
  }

  int64_t longest(std::size_t depth) const {
    int64_t len = p_.nest.dims[static_cast<std::size_t>(p_.loops[depth].dim)].extent;
    for (std::size_t i = 0; i < depth; ++i) {
      const ProgramLoop& loop = p_.loops[i];
      if (loop.dim != p_.loops[depth].dim) continue;
      len = loop.balanced ? ceil_div(len, ceil_div(len, loop.step)) : std::min(len, loop.step);
    }
    return len;
  }

  int split_dim() const { return p_.loops[static_cast<std::size_t>(p_.split.loop)].dim; }

  Range range(int dim) const { return dim < 0 ? Range{0, 1} : ranges_[static_cast<std::size_t>(dim)]; }

  void kernel() {
    Event e{"call", {}};
    const ProgramKernel& k = p_.kernel;
    e.numbers["m"] = range(k.m_dim).len;
    e.numbers["n"] = range(k.n_dim).len;
    e.numbers["k"] = range(k.k_dim).len;
    int64_t batch = 1;
    for (const int d : k.batch_dims) batch *= range(d).len;
    static constexpr const char* names[] = {"a", "b", "c"};
    for (std::size_t o = 0; o < operand_count; ++o) e.numbers[names[o]] = at_[o];
    // Taps that read only padding, one by one: those in front move A and B, none of them counts.
    for (const ProgramClip& clip : k.clips) {
      const Range taps = range(clip.dim);
      int64_t count = 0, before = 0;
      for (int64_t t = taps.lo; t < taps.lo + taps.len; ++t) {
        const int64_t at = clip.out_coeff * range(clip.out_dim).lo + clip.coeff * t + clip.constant;
        if (at < 0) ++before;
        if (at >= 0 && at < clip.extent) ++count;
      }
      const int64_t origin = clip.out_coeff * range(clip.out_dim).lo + clip.constant;
      if (before == taps.len) {  // where the window starts counting lies beyond the range
        before = ceil_div(-origin, clip.coeff) - taps.lo;
      }
      e.numbers["a"] += before * clip.a_stride;
      e.numbers["b"] += before * clip.b_stride;
      if (clip.dim == k.k_dim) {
        e.numbers["k"] = count;
      } else {
        batch = batch / taps.len * count;
      }
    }
    e.numbers["batch"] = batch;
    if (k.row_clip) {
      const Range taps = range(k.row_clip->dim);
      e.numbers["window.taps"] = taps.len;
      e.numbers["window.at"] =
          k.row_clip->step * range(k.m_dim).lo + k.row_clip->tap_step * taps.lo + k.row_clip->constant;
      e.numbers["window.step"] = k.row_clip->step;
      e.numbers["window.tap_step"] = k.row_clip->tap_step;
      e.numbers["window.extent"] = k.row_clip->extent;
    }
    bool first = true, last = true;
    for (const ProgramLoop& loop : p_.loops) {
      const Dim& dim = p_.nest.dims[static_cast<std::size_t>(loop.dim)];
      if (dim.kind != DimKind::reduction) continue;
      const Range r = range(loop.dim);
      const bool split = p_.split.loop >= 0 && split_dim() == loop.dim;
      first = first && r.lo == (split ? part_lo_ : 0);
      last = last && r.lo + r.len == dim.extent;
    }
    e.numbers["accumulate"] = !first;
    e.numbers["epilogue"] = last && is_finished(p_.nest);
    if (p_.nest.epilogue.bias) {
      e.numbers["bias"] = (range(k.n_dim).lo * p_.bias_stride + range(p_.bias_dim2).lo * p_.bias_stride2) / 4;
    }
    if (const ProgramPrefetch& next = k.prefetch; next.rows_per_unit > 0) {
      // Units before this call's, its block of all dims but the last one's being walked as a whole.
      int64_t before = 0, block = 1;
      for (const auto& along : next.along) {
        const auto dim = static_cast<std::size_t>(along.dim);
        before += (ranges_[dim].lo - visit_[dim].lo) * along.inside * block;
        block *= ranges_[dim].len;
      }
      const int64_t row = before * next.rows_per_unit;
      int64_t at = row * next.ld, left = next.rows - row;
      if (next.tap_rows > 0) {
        const int64_t tap = row / next.tap_rows, in_tap = row % next.tap_rows;
        at = tap * next.tap_stride + in_tap * next.ld;
        left = std::min(left, next.tap_rows - in_tap);
      }
      e.numbers["next"] = (next.source ? source_b_ : at_[1]) + next.ahead + at;
      e.numbers["next_ld"] = next.ld;
      e.numbers["next_rows"] = std::min(block * next.rows_per_unit, left);
    }
    if (k.tile_rows > 0) e.numbers["bands"] = ceil_div(range(k.m_dim).len, k.tile_rows);
    if (k.a_ahead.dim >= 0) {
      const bool walked = k.tile_rows > 0 && k.a_ahead.dim == k.m_dim;
      e.numbers["a_ahead"] = (walked ? k.tile_rows : range(k.a_ahead.dim).len) * k.a_ahead.stride;
    }
    if (k.b_ahead) e.numbers["b_ahead"] = k.b_ahead;
    if (k.c_far) e.numbers["c_far"] = k.c_far;
    // The products' addresses, relative to a and b: what the batch arguments must expand to.
    std::vector<std::size_t> index(k.batch_dims.size(), 0);
    for (int64_t i = 0; i < batch; ++i) {
      int64_t a = 0, b = 0, rest = i;
      for (std::size_t j = k.batch_dims.size(); j-- > 0;) {
        const int64_t len = range(k.batch_dims[j]).len;
        a += rest % len * k.a_batch_stride[j];
        b += rest % len * k.b_batch_stride[j];
        rest /= len;
      }
      e.numbers["product a" + std::to_string(i)] = a;
      e.numbers["product b" + std::to_string(i)] = b;
    }
    events_.push_back(std::move(e));
  }

  const Program& p_;
  std::vector<int64_t> grid_, coord_;
  std::vector<Range> ranges_;
  std::array<int64_t, operand_count> at_{};
  std::vector<Range> visit_{};  // the ranges where what asks for the next B begins
  int64_t source_b_ = 0;        // what B's copy was made from
  int64_t part_lo_ = 0;         // where the part of a split reduction begins
  std::vector<Event> events_;
};

// The recorded call in the walker's terms: pointers from user memory or scratch alike, batch spelled out.
Event normal(const Event& event, const Function& f) {
  Event out{event.op, {}};
  Values tables;
  for (const auto& [name, value] : event.numbers) {
    const std::size_t at = name.find('@');
    const std::string member = name.substr(0, at);
    if (at == std::string::npos) {
      out.numbers[name] = value;
      continue;
    }
    const std::string base = name.substr(at + 1);
    int64_t offset = value;
    for (const OperandPointer& o : f.operands) {
      if (o.name == base && o.member != "scratch") offset += o.offset;
    }
    if (member.ends_with("_offsets"))
      tables[member] = value;
    else if (member == "epilogue.bias_n")
      out.numbers["bias"] = offset;
    else if (event.op == "call")
      out.numbers[member] = offset;
  }
  if (event.op == "pack") return out;
  const auto table = [&](const char* name) -> const std::vector<int64_t>& {
    for (const Table& t : f.tables) {
      if (t.name == name) return t.values;
    }
    throw std::logic_error("no table");
  };
  const auto number = [&](const char* name) {
    const auto found = out.numbers.find(name);
    const int64_t value = found == out.numbers.end() ? 0 : found->second;
    out.numbers.erase(name);
    return value;
  };
  const int64_t a_stride = number("a_batch_stride"), b_stride = number("b_batch_stride");
  for (int64_t i = 0; i < event.numbers.at("batch"); ++i) {
    int64_t a = i * a_stride, b = i * b_stride;
    if (!tables.empty()) {
      a = table("a_offsets").at(static_cast<std::size_t>(tables["a_offsets"] + i));
      b = table("b_offsets").at(static_cast<std::size_t>(tables["b_offsets"] + i));
    }
    out.numbers["product a" + std::to_string(i)] = a;
    out.numbers["product b" + std::to_string(i)] = b;
  }
  for (const char* fixed : {"lda", "ldb", "ldc", "epilogue.ld_residual", "epilogue.residual_after_activation",
                            "epilogue.activation", "epilogue.residual"}) {
    number(fixed);
  }
  return out;
}

std::string shown(const Event& e) {
  std::string text = e.op;
  for (const auto& [name, value] : e.numbers) text += fmt::format(" {}={}", name, value);
  return text;
}

void compare(const Program& program, const Function& f, std::vector<int64_t> grid) {
  std::vector<int64_t> coord(grid.size(), 0);
  for (;;) {
    const std::vector<Event> expected = Walker(program, grid, coord).run();
    std::vector<Event> found = Recorder(f, grid, coord).run();
    for (Event& e : found) e = normal(e, f);
    // Packs of threads without work may be left out: a thread that leaves early needs none.
    const bool idle =
        std::none_of(expected.begin(), expected.end(), [](const Event& e) { return e.op == "call"; });
    if (!(idle && std::none_of(found.begin(), found.end(), [](const Event& e) { return e.op == "call"; }))) {
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] != expected[i]) {
          FAIL() << "event " << i << "\n  " << shown(found[i]) << "\ninstead of\n  " << shown(expected[i]);
        }
      }
    }
    std::size_t i = 0;
    while (i < coord.size() && ++coord[i] == grid[i]) coord[i++] = 0;
    if (i == coord.size()) return;
  }
}

TEST(BuildFunction, WalksRandomSchedulesByTheBook) {
  const uint64_t seed = testing::seed_from_environment(20240601);
  fmt::print("seed {} (CORTEX_TEST_SEED)\n", seed);
  Random random(seed);
  int built = 0, walked = 0, rows = 0, split = 0, asking = 0, along_several = 0, taps_apart = 0;
  for (int round = 0; round < 400; ++round) {
    const Problem problem = round % 3 ? testing::random_conv(random) : testing::random_matmul(random);
    const Result<Nest> lowered = lower(problem);
    ASSERT_TRUE(lowered.ok()) << lowered.error().message;
    const Nest nest = round % 2 ? coalesce(*lowered) : *lowered;
    const std::optional<Schedule> schedule = testing::random_schedule(nest, Isa::avx512, true, random);
    if (!schedule) continue;
    const Result<Program> program = resolve(nest, *schedule);
    ASSERT_TRUE(program.ok());
    if (program->kernel.is_dwconv) continue;  // run against the reference in tests/generated
    SCOPED_TRACE(fmt::format("round {}: {}: {}", round, to_string(problem), to_string(*schedule, nest)));
    const Result<Function> f = build_function(*program, "kernel");
    ASSERT_TRUE(f.ok()) << f.error().message;
    ++built;

    const Result<Function> again = parse_function(to_string(*f));
    ASSERT_TRUE(again.ok()) << again.error().message << "\n" << to_string(*f);
    EXPECT_EQ(to_string(*again), to_string(*f));

    int64_t visits = 1;
    for (std::size_t l = 0; l < schedule->loops.size(); ++l)
      visits *= max_trips(nest, *schedule, static_cast<int>(l));
    if (visits > 3000) continue;  // as good as the others, and slow to walk
    ++walked;
    if (program->split.loop >= 0) ++split;
    if (program->kernel.tile_rows > 0) ++rows;
    const ProgramPrefetch& next = program->kernel.prefetch;
    if (next.rows_per_unit > 0) ++asking;
    if (next.along.size() > 1) ++along_several;
    if (next.tap_rows > 0) ++taps_apart;

    std::vector<int64_t> grid(CORTEX_MAX_PARALLEL_LOOPS, 1);
    compare(*program, *f, grid);
    for (std::size_t i = 0; i < program->loops.size() && program->loops[i].parallel; ++i)
      grid[i] = pick(random, 1, 3);
    compare(*program, *f, grid);
    if (HasFatalFailure()) return;
  }
  fmt::print(
      "{} schedules built, {} of them walked, {} leave rows to the kernel, {} with a split reduction, {} ask "
      "for B, {} along several "
      "dims, {} "
      "for taps that lie apart\n",
      built, walked, rows, split, asking, along_several, taps_apart);
  EXPECT_GT(walked, 200);
  EXPECT_GT(split, 20);
  EXPECT_GT(asking, 15);
  EXPECT_GT(along_several, 3);
  EXPECT_GT(taps_apart, 2);
}

// Calls of a schedule whose innermost loop is the kernel's, on one thread and on two along each loop.
template <typename See>
void compare_walked(const char* line, const std::string& text, See see) {
  SCOPED_TRACE(fmt::format("{}: {}", line, text));
  const Result<Problem> problem = parse_problem(line);
  ASSERT_TRUE(problem.ok()) << problem.error().message;
  const Result<Nest> nest = lower(*problem);
  ASSERT_TRUE(nest.ok());
  const Result<Schedule> schedule = parse_schedule(text, *nest);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> program = resolve(*nest, *schedule);
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_GT(program->kernel.tile_rows, 0);
  see(program->kernel);
  const Result<Function> f = build_function(*program, "kernel");
  ASSERT_TRUE(f.ok()) << f.error().message;
  std::vector<int64_t> grid(CORTEX_MAX_PARALLEL_LOOPS, 1);
  compare(*program, *f, grid);
  for (std::size_t i = 0; i < program->loops.size() && program->loops[i].parallel; ++i) grid[i] = 2;
  compare(*program, *f, grid);
}

// Loops over rows that are left to the kernel, and what may stand around them.
TEST(BuildFunction, WalksRowsLeftToTheKernelByTheBook) {
  const std::string tile = " | brgemm_f32_f32_f32_4x24x1_avx2 m=m n=n k=k";
  for (const char* text :
       {"n/24 m/4~", "m/20 n/24 m/4~", "n/24 m/3", "n/24@1 m/4~@1", "m/20@1 n/24@1 m/4~@1", "k/16 n/24 m/4~",
        "k/16+@1 n/24 m/4~", "k/16+@2 n/24 m/4~", "m/20@2 n/24 m/4~", "n/24 k/7 m/4~",
        "pack(A,box) n/24 m/4~", "pack(B,panel) n/24 m/4~", "n/24 pack(B,panel) m/4~"}) {
    for (const char* line : {"50x45:45x60", "4100x128:128x30"}) {
      compare_walked(line, text + tile, [](const ProgramKernel&) {});
      if (HasFatalFailure()) return;
    }
  }
}

// Those of windows: what calls leave out of their rows, and of their taps where other loops move the window.
TEST(BuildFunction, WalksRowsOfWindowsLeftToTheKernelByTheBook) {
  const std::string tile = " | brgemm_f32_f32_f32_4x24x1_avx2 m=ow n=oc k=ic batch=kh,kw";
  int clipped = 0, asking = 0, taps_apart = 0;
  for (const char* text :
       {"oc/24 oh/1 ow/4~", "oh/1@2 oc/24@1 ow/4~", "kh/1 oc/24 oh/1 ow/4~", "ic/16 oc/24 oh/1 ow/3",
        "oc/24 oh/1 ow/9 ow/4", "kw/2 oc/24 oh/1 ow/2~", "oh/2@1 oc/24 oh/1 ow/4~",
        "ic/16+@2 oc/24 oh/1 ow/4~", "oh/3 pack(A,box) oh/1 oc/24 ow/4~"}) {
    for (const char* line :
         {"mb1ic40ih6iw14oc60oh6ow14kh3kw3ph1pw1", "mb1ic32ih9iw23oc48oh5ow12kh3kw5sh2sw2ph1pw2",
          "mb1ic100ih5iw9oc3000oh5ow9kh3kw3ph1pw1"}) {
      for (const char* panels : {"", " pack(B,panel,ahead)"}) {
        compare_walked(line, text + tile + panels, [&](const ProgramKernel& kernel) {
          clipped += kernel.row_clip.has_value();
          asking += kernel.prefetch.rows_per_unit > 0;
          taps_apart += kernel.prefetch.tap_rows > 0;
        });
        if (HasFatalFailure()) return;
      }
    }
  }
  fmt::print("{} with taps left out by row, {} ask for B, {} for taps that lie apart\n", clipped, asking,
             taps_apart);
  EXPECT_GT(clipped, 20);
  EXPECT_GT(asking, 5);
  EXPECT_GT(taps_apart, 1);
}

}  // namespace
}  // namespace cortex
