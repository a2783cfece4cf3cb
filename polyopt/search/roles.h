// Roles: which dims of a nest the microkernel takes, and what that forces on packing.
#pragma once

#include <vector>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/machine/machine.h"
#include "polyopt/model/facts.h"

namespace cortex {

struct Roles {
  int m = -1, n = -1, k = -1;
  int rows = -1;             // depthwise: the dim of whole rows of outputs; tile registers: of bands of rows
  uint32_t batch = 0;        // reduction dims in the kernel besides k
  std::vector<int> common;   // parallel dims of A, B and C (groups, batches): outermost loops
  std::vector<int> images;   // parallel dims of A and C alone besides m, largest stride of A first
  std::vector<int> columns;  // parallel dims of B and C alone besides n
  double edge_share = 0;     // see LoopPlan
  bool a_must_pack = false;  // no adjacent reduction dim, or reads outside A that no clip leaves out
  double work = 1;           // see LoopPlan
  bool b_direct = true;      // B may be read in place
  bool b_along_k = false;    // B may be read in place by kernels that take it by columns
  bool b_panels = true;      // B may be packed in panels
  bool depthwise = false;
};

// One entry per candidate for m, most promising first. Refuses nests that no kernel of the catalogue
// serves on this machine.
Result<std::vector<Roles>> assign_roles(const Nest& nest, const NestFacts& facts);

// Kernels that serve the nest's types in these roles, of the machine's best ISA that has any.
std::vector<const KernelInfo*> usable_kernels(const Nest& nest, const Roles& roles, const Machine& machine);

}  // namespace cortex
