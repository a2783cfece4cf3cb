// Which instances of a Nest's statements touch the same element, found by isl's dataflow analysis.
//
// Memory-based: every pair is listed, not only the nearest, because a reduction's updates may be
// reordered, after which another pair is the nearest. The order that decides which of two instances
// comes first is: all I, then all S in the order of the nest's dims, then all E.
#pragma once

#include <string>
#include <vector>

#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

enum class DependenceKind { raw, war, waw, rar };
const char* dependence_kind_name(DependenceKind kind);  // "RAW"

struct Dependence {
  DependenceKind kind = DependenceKind::raw;
  Operand operand = Operand::c;
  char source = 'S', target = 'S';  // I: init, S: update, E: epilogue (see polyopt/isl/README.md)
  // Both ends are updates of one reduction: any order will do, but not at once.
  bool reassociable = false;
  std::string relation;  // as isl writes it, dims named as in the nest
  // S to S only: for each dim that can be the outermost one to change, the nearest target, as the
  // difference of its indices from the source's, one per nest dim.
  std::vector<std::vector<int64_t>> nearest;
};

Result<std::vector<Dependence>> dependences(const Nest& nest);

// One sentence: "RAW on C: S -> E: the epilogue of an element waits for all its updates".
std::string in_words(const Dependence& dependence, const Nest& nest);

}  // namespace cortex
