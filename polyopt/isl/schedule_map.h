// Schedule -> isl: which loop iterations each statement instance runs in.
#pragma once

#include "polyopt/isl/statements.h"
#include "polyopt/schedule/schedule.h"

namespace cortex::polyhedral {

// { S[i] -> [t0, ..., t(L-1)] }: the tile index of every loop, outermost first. I runs in the kernel
// call that holds its element's first update (all reduction dims zero), E in the one that holds the
// last (all at their end): that is where programs overwrite C and apply the epilogue. Within one
// call I comes first, E last.
Map loop_map(const Context& context, const Nest& nest, const Schedule& schedule, Statement s);

// The same for a few dims and the loops over them alone: { [x of each dim] -> [t of each loop] }.
Map loop_map(const Context& context, const Nest& nest, const Schedule& schedule, const std::vector<int>& dims,
             const std::vector<int>& loops);

// The coordinate in `dim` of the update that an instance of `s` runs with: "i3", or a number where the
// statement has no such dim.
std::string coordinate_text(const Nest& nest, Statement s, int dim);

// The update instances the kernel calls leave out: { S[i] } of a dim whose range at the kernel is
// longer than the one element that a dim outside the kernel gets. Empty for a schedule that computes
// everything.
Set missing_instances(const Context& context, const Nest& nest, const Schedule& schedule);

// "oh/8 (loop 1)" for messages; the loop's number is left out when its dim has no other loop.
std::string describe_loop(const Nest& nest, const Schedule& schedule, int loop);

}  // namespace cortex::polyhedral
