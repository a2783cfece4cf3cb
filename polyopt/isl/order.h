// Does an assignment of instances to loop iterations respect a dependence? The core of legality.h,
// apart so that assignments which no Schedule can express are refused in tests too.
#pragma once

#include <vector>

#include "polyopt/isl/flow.h"
#include "polyopt/schedule/schedule.h"

namespace cortex::polyhedral {

// { [t] -> [u] : t and u agree in the loops before `loop`, and t[loop] op u[loop] }, of `loops` loops.
// With loop == loops: they agree in all.
Map agree_until(const Context& context, int loops, int loop, const char* op);

struct Execution {
  std::vector<Map> loop_map;   // by Statement: { instance -> [t...] }; null where the statement is absent
  std::vector<bool> parallel;  // one per loop
};

// Refuses with a witness if some source does not come before its target, or may run at the same time.
// Within one kernel call I comes before S comes before E, and updates of one element are added one
// after the other.
Status check_order(const Context& context, const Nest& nest, const Schedule& schedule, const Flow& flow,
                   const Execution& execution);

}  // namespace cortex::polyhedral
