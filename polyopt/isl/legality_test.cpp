#include "polyopt/isl/legality.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "polyopt/analysis/testing.h"
#include "polyopt/isl/order.h"
#include "polyopt/isl/schedule_map.h"
#include "polyopt/schedule/split.h"

namespace cortex {
namespace {

using namespace cortex::testing;
using namespace polyhedral;

Schedule make_schedule(std::vector<Loop> loops, KernelTile tile) {
  return {.loops = std::move(loops), .packs = {}, .tile = std::move(tile)};
}

std::string refusal(const Nest& nest, const Schedule& schedule) {
  const Status status = check_legal(nest, schedule);
  return status ? "legal" : status.error().message;
}

const KernelTile matmul_tile{.kernel = "", .m_dim = 0, .n_dim = 1, .k_dim = 2, .batch_dims = {}};

TEST(Legality, RawRelatesAllThatAnyKindRelates) {
  Nest nest = conv_nest({.n = 2, .ic = 3, .oc = 4, .oh = 5, .ow = 6, .kh = 3, .kw = 2, .pad = 0});
  nest.epilogue.bias = true;
  const Context context;
  const auto order = compute_flow(context, nest, FlowKinds::order),
             all = compute_flow(context, nest, FlowKinds::all);
  ASSERT_TRUE(order && all);
  for (const Flow& flow : *all) {
    if (flow.operand != Operand::c) continue;
    bool found = false;
    for (const Flow& raw : *order) {
      found |= raw.source == flow.source && raw.target == flow.target &&
               isl_map_is_subset(flow.relation.get(), raw.relation.get()) == isl_bool_true;
    }
    EXPECT_TRUE(found) << dependence_kind_name(flow.kind) << " " << statement_name(flow.source) << " -> "
                       << statement_name(flow.target);
  }
}

TEST(Legality, TiledMatmulIsLegal) {
  Nest nest = matmul_nest(1000, 999, 1001);
  nest.epilogue.bias = true;
  const Schedule schedule = make_schedule({{.dim = 0, .step = 120, .threads = 2, .parallel = true},
                                           {.dim = 1, .step = 256, .balanced = true, .parallel = true},
                                           {.dim = 2, .step = 192, .balanced = true},
                                           {.dim = 1, .step = 64},
                                           {.dim = 0, .step = 6, .balanced = true}},
                                          matmul_tile);
  EXPECT_EQ(refusal(nest, schedule), "legal");
}

TEST(Legality, SequentialReductionLoopsAreFineInAnyPlace) {
  Nest nest = conv_nest({.n = 2, .ic = 64, .oc = 64, .oh = 14, .ow = 14, .kh = 3, .kw = 3, .pad = 1});
  nest.epilogue.activation = Activation::relu;
  const Schedule schedule =
      make_schedule({{.dim = 6, .step = 24},
                     {.dim = 4, .step = 1},
                     {.dim = 5, .step = 1},
                     {.dim = 0, .step = 1},
                     {.dim = 1, .step = 1},
                     {.dim = 6, .step = 8},
                     {.dim = 3, .step = 32},
                     {.dim = 2, .step = 5}},
                    {.kernel = "", .m_dim = 2, .n_dim = 3, .k_dim = 6, .batch_dims = {}});
  EXPECT_EQ(refusal(nest, schedule), "legal");
}

TEST(Legality, ParallelReductionIsRefusedWithAWitness) {
  Nest nest = conv_nest({.n = 1, .ic = 4, .oc = 4, .oh = 4, .ow = 4, .kh = 3, .kw = 3});
  nest.epilogue.bias = true;
  const Schedule schedule =
      make_schedule({{.dim = 4, .step = 1, .parallel = true}, {.dim = 1, .step = 1}},
                    {.kernel = "", .m_dim = 2, .n_dim = 3, .k_dim = 6, .batch_dims = {5}});
  EXPECT_EQ(refusal(nest, schedule),
            "parallel loop kh: RAW on C: S[n=0,oh=0,ow=0,oc=0,kh=0,kw=0,ic=0] -> "
            "S[n=0,oh=0,ow=0,oc=0,kh=1,kw=0,ic=0] "
            "would run at once: make kh sequential or split the reduction");
}

TEST(Legality, ASplitReductionIsLegalAndSoIsItsSum) {
  Nest nest = matmul_nest(96, 48, 4096);
  nest.epilogue.bias = true;
  const std::vector<Loop> inner = {{.dim = 2, .step = 256}, {.dim = 0, .step = 6}, {.dim = 1, .step = 16}};
  for (const bool split : {false, true}) {
    std::vector<Loop> loops = {{.dim = 2, .step = 1024, .threads = 4, .parallel = true, .split = split}};
    loops.insert(loops.end(), inner.begin(), inner.end());
    const std::string text = refusal(nest, make_schedule(loops, matmul_tile));
    if (split)
      EXPECT_EQ(text, "legal");
    else
      EXPECT_NE(text.find("RAW on"), std::string::npos) << text;
  }
  const Nest sum = sum_nest(nest, 4, *part_bytes(nest, 4));
  const Result<Schedule> schedule = sum_schedule(sum, Isa::avx2);
  ASSERT_TRUE(schedule.ok()) << schedule.error().message;
  EXPECT_EQ(refusal(sum, *schedule), "legal");
}

// What else is wrong with it is still found.
TEST(Legality, ASplitReductionHidesNoOtherRace) {
  const Nest nest = matmul_nest(96, 48, 4096);
  const Schedule schedule =
      make_schedule({{.dim = 2, .step = 1024, .threads = 4, .parallel = true, .split = true},
                     {.dim = 2, .step = 256, .threads = 2, .parallel = true},
                     {.dim = 0, .step = 6},
                     {.dim = 1, .step = 16}},
                    matmul_tile);
  EXPECT_NE(refusal(nest, schedule).find("RAW on"), std::string::npos);
}

TEST(Legality, AParallelReductionOfOneTileIsHarmless) {
  const Nest nest = matmul_nest(8, 8, 16);
  EXPECT_EQ(refusal(nest, make_schedule({{.dim = 2, .step = 16, .parallel = true}}, matmul_tile)), "legal");
  EXPECT_NE(refusal(nest, make_schedule({{.dim = 2, .step = 15, .parallel = true}}, matmul_tile)), "legal");
}

TEST(Legality, TheSecondLoopOverAReductionIsNamedByItsNumber) {
  const Nest nest = matmul_nest(8, 8, 64);
  EXPECT_EQ(
      refusal(nest,
              make_schedule({{.dim = 2, .step = 32}, {.dim = 2, .step = 8, .parallel = true}}, matmul_tile)),
      "parallel loop k/8 (loop 1): RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=8] would run at once: make k "
      "sequential or split the reduction");
}

TEST(Legality, MissingIterationsAreRefused) {
  const Nest nest = matmul_nest(8, 8, 8);
  const KernelTile no_rows{.kernel = "", .m_dim = -1, .n_dim = 1, .k_dim = 2, .batch_dims = {}};
  EXPECT_EQ(refusal(nest, make_schedule({}, no_rows)),
            "loops over m: RAW on C: I[m=1,n=0] -> S[m=1,n=0,k=0] has no target, which is never executed: "
            "the range of "
            "m at the kernel is longer than 1; add a loop m/1 or give m to the kernel");
  EXPECT_NE(refusal(nest, make_schedule({{.dim = 0, .step = 2}}, no_rows)), "legal");
  EXPECT_NE(refusal(nest, make_schedule({{.dim = 0, .step = 7, .balanced = true}}, no_rows)), "legal");
  EXPECT_EQ(refusal(nest, make_schedule({{.dim = 0, .step = 1}}, no_rows)), "legal");
  EXPECT_EQ(
      refusal(nest, make_schedule({{.dim = 0, .step = 3}, {.dim = 0, .step = 1, .balanced = true}}, no_rows)),
      "legal");
}

// Schedules always place the epilogue right; an executor that did not would be caught.
TEST(Legality, EpilogueBeforeTheLastUpdateIsRefused) {
  Nest nest = matmul_nest(4, 4, 10);
  nest.epilogue.activation = Activation::relu;
  const Schedule schedule = make_schedule({{.dim = 2, .step = 4}}, matmul_tile);
  const Context context;
  const auto flows = compute_flow(context, nest, FlowKinds::all);
  ASSERT_TRUE(flows);
  Execution execution{{loop_map(context, nest, schedule, Statement::init),
                       loop_map(context, nest, schedule, Statement::update),
                       loop_map(context, nest, schedule, Statement::epilogue)},
                      {false}};
  for (const Flow& flow : *flows) EXPECT_TRUE(check_order(context, nest, schedule, flow, execution));

  execution.loop_map[2] = context.map("{ E[m, n] -> [1] : 0 <= m, n < 4 }");  // the reduction ends in tile 2
  std::string message;
  for (const Flow& flow : *flows) {
    const Status status = check_order(context, nest, schedule, flow, execution);
    if (!status && flow.source == Statement::update && flow.kind == DependenceKind::raw)
      message = status.error().message;
  }
  EXPECT_EQ(message,
            "loop k: RAW on C: S[m=0,n=0,k=8] -> E[m=0,n=0] would run in the wrong order: apply the epilogue "
            "after the "
            "last update of its element");

  execution.loop_map[2] = loop_map(context, nest, schedule, Statement::epilogue);
  execution.loop_map[0] =
      context.map("{ I[m, n] -> [1] : 0 <= m, n < 4 }");  // C overwritten after a first update
  bool refused = false;
  for (const Flow& flow : *flows) refused |= !check_order(context, nest, schedule, flow, execution);
  EXPECT_TRUE(refused);
}

// A window walked backwards: the tap that starts an element would come last, the one that finishes it first.
TEST(Legality, BrokenWindowOrderIsRefused) {
  Nest nest = conv_nest({.n = 1, .ic = 4, .oc = 4, .oh = 4, .ow = 4, .kh = 3, .kw = 3});
  nest.epilogue.activation = Activation::relu;
  const Schedule schedule =
      make_schedule({{.dim = 1, .step = 1}, {.dim = 4, .step = 1}},
                    {.kernel = "", .m_dim = 2, .n_dim = 3, .k_dim = 6, .batch_dims = {5}});
  const Context context;
  const auto flows = compute_flow(context, nest, FlowKinds::all);
  ASSERT_TRUE(flows);
  const Execution right{{loop_map(context, nest, schedule, Statement::init),
                         loop_map(context, nest, schedule, Statement::update),
                         loop_map(context, nest, schedule, Statement::epilogue)},
                        {false, false}};
  for (const Flow& flow : *flows) EXPECT_TRUE(check_order(context, nest, schedule, flow, right));

  Execution backwards = right;
  const std::string element = " : n = 0 and 0 <= h, w, o < 4 }";
  backwards.loop_map[0] = context.map("{ I[n, h, w, o] -> [h, 2]" + element);
  backwards.loop_map[1] = context.map(
      "{ S[n, h, w, o, r, s, c] -> [h, 2 - r] : n = 0 and 0 <= h, w, o, c < 4 and 0 <= r, s < 3 }");
  backwards.loop_map[2] = context.map("{ E[n, h, w, o] -> [h, 0]" + element);
  std::map<std::string, std::string> messages;  // by dependence
  for (const Flow& flow : *flows) {
    const Status status = check_order(context, nest, schedule, flow, backwards);
    if (status) continue;
    messages[fmt::format("{} {}{}", dependence_kind_name(flow.kind), statement_name(flow.source),
                         statement_name(flow.target))] = status.error().message;
  }
  // I runs in the call of tap 0, which is now the last; taps 2 and 1 have been added to garbage by then.
  EXPECT_EQ(
      messages["RAW IS"],
      "loop kh: RAW on C: I[n=0,oh=0,ow=0,oc=0] -> S[n=0,oh=0,ow=0,oc=0,kh=1,kw=0,ic=0] would run in the "
      "wrong order: keep the source before the target");
  for (const char* broken : {"RAW SE", "WAR SE", "WAW SE", "WAW IS"}) {
    EXPECT_NE(messages[broken].find("loop kh: "), std::string::npos) << broken << ": " << messages[broken];
  }
  // Updates among themselves may come in any order.
  EXPECT_FALSE(messages.contains("RAW SS"));
}

// Every way to break a schedule names kind, array, source, target and the loop that carries it.
TEST(Legality, EveryRefusalNamesItsDependence) {
  Nest nest = matmul_nest(8, 8, 8);
  nest.epilogue.bias = true;
  const KernelTile no_k{.kernel = "", .m_dim = 0, .n_dim = 1, .k_dim = -1, .batch_dims = {}};
  const std::tuple<Schedule, const char*, const char*> cases[] = {
      {make_schedule({{.dim = 2, .step = 3, .parallel = true}}, matmul_tile),
       "parallel loop k: ", "RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=3]"},
      {make_schedule({{.dim = 2, .step = 3, .balanced = true, .parallel = true}}, matmul_tile),
       "parallel loop k: ", "RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=3]"},
      {make_schedule({{.dim = 0, .step = 2, .parallel = true}, {.dim = 2, .step = 4, .parallel = true}},
                     matmul_tile),
       "parallel loop k: ", "RAW on C: S[m=0,n=0,k=0] -> S[m=0,n=0,k=4]"},
      {make_schedule({}, no_k), "loops over k: ", "RAW on C: I[m=0,n=0] -> S[m=0,n=0,k=1] has no target"},
      {make_schedule({{.dim = 2, .step = 2}}, no_k),
       "loops over k: ", "RAW on C: I[m=0,n=0] -> S[m=0,n=0,k=1] has no target"},
  };
  for (const auto& [schedule, loop, dependence] : cases) {
    const std::string message = refusal(nest, schedule);
    EXPECT_EQ(message.rfind(loop, 0), 0u) << message;
    EXPECT_NE(message.find(dependence), std::string::npos) << message;
  }
}

// The verdict against the definition: walk the schedule, compare every pair of updates of an element.
std::string by_walking(const Nest& nest, const Schedule& schedule) {
  std::map<std::vector<int64_t>, std::vector<int64_t>> first_parallel;  // element -> parallel tile indices
  int64_t executed = 0;
  bool conflict = false;
  std::vector<bool> in_kernel(nest.dims.size());
  for (int d : {schedule.tile.m_dim, schedule.tile.n_dim, schedule.tile.k_dim, schedule.tile.rows_dim}) {
    if (d >= 0) in_kernel[d] = true;
  }
  for (int d : schedule.tile.batch_dims) in_kernel[d] = true;
  walk(nest, schedule, [&](const KernelCall& call) {
    std::vector<int64_t> parallel;
    for (std::size_t l = 0; l < schedule.loops.size(); ++l) {
      if (schedule.loops[l].parallel) parallel.push_back(call.tile[l]);
    }
    std::vector<int64_t> element;
    const std::function<void(std::size_t)> visit = [&](std::size_t d) {
      if (d == nest.dims.size()) {
        ++executed;
        conflict |= first_parallel.emplace(element, parallel).first->second != parallel;
        return;
      }
      const TileRange range = call.ranges[d];
      for (int64_t x = range.lo; x < range.lo + (in_kernel[d] ? range.len : 1); ++x) {
        if (nest.dims[d].kind == DimKind::parallel) element.push_back(x);
        visit(d + 1);
        if (nest.dims[d].kind == DimKind::parallel) element.pop_back();
      }
    };
    visit(0);
  });
  int64_t points = 1;
  for (const Dim& d : nest.dims) points *= d.extent;
  return executed != points ? "missing" : conflict ? "at once" : "legal";
}

TEST(Legality, RandomSchedulesAgainstWalking) {
  const unsigned seed = 99;
  Random random(seed);
  std::map<std::string, int> verdicts;
  for (int round = 0; round < 250; ++round) {
    Nest nest = conv_nest({.n = uniform(random, 1, 2),
                           .ic = uniform(random, 1, 6),
                           .oc = uniform(random, 1, 5),
                           .oh = uniform(random, 1, 3),
                           .ow = uniform(random, 1, 6),
                           .kh = uniform(random, 1, 3),
                           .kw = uniform(random, 1, 2)});
    nest.epilogue.bias = uniform(random, 0, 1) == 1;
    Schedule schedule =
        make_schedule({}, {.kernel = "", .m_dim = 2, .n_dim = 3, .k_dim = 6, .batch_dims = {4}});
    for (int d : {0, 1, 5}) {
      if (uniform(random, 0, 9) > 0) schedule.loops.push_back({.dim = d, .step = 1});
    }
    for (int64_t extra = uniform(random, 0, 4); extra > 0; --extra) {
      schedule.loops.push_back({.dim = static_cast<int>(uniform(random, 0, 6)),
                                .step = uniform(random, 1, 4),
                                .balanced = uniform(random, 0, 1) == 1});
    }
    std::shuffle(schedule.loops.begin(), schedule.loops.end(), random);
    for (int64_t l = 0; l < std::min<int64_t>(uniform(random, 0, 3), std::ssize(schedule.loops)); ++l) {
      schedule.loops[l].parallel = true;
    }
    const std::string expected = by_walking(nest, schedule), found = refusal(nest, schedule);
    ++verdicts[expected];
    ASSERT_TRUE(found == "legal"
                    ? expected == "legal"
                    : found.find(expected == "missing" ? "never executed" : "at once") != std::string::npos)
        << "seed " << seed << " round " << round << ": " << found << ", walking says " << expected;
  }
  EXPECT_GT(verdicts["legal"], 20);
  EXPECT_GT(verdicts["missing"], 20);
  EXPECT_GT(verdicts["at once"], 20);
}

}  // namespace
}  // namespace cortex
