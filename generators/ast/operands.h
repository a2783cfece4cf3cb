// Where the kernel's operands are at any depth: user memory or a pack's scratch, as pointers of the loop IR.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "generators/ast/tile_loops.h"
#include "generators/loop_ir/loop_ir.h"
#include "polyopt/schedule/program.h"

namespace cortex {

struct Operands {
  std::array<std::string, operand_count> user;   // names of the user's pointers
  std::array<std::string, operand_count> inner;  // what the microkernel reads: the same, or the pack's
  std::array<int, operand_count> pack_depth{};   // program loops outside the pack, 0 when not packed
  std::vector<std::string> desc, buffer;         // per pack of the program ("" when ahead of time)
  std::string bias, scale, compensation, residual;
};

// Adds the pointers and pack descriptors to `f`.
Operands declare_operands(const Program& program, const TileLoops& loops, Function& f);

// Byte offset of operand `o` at the microkernel, relative to `inner`.
Expr offset_of(const Program& program, const TileLoops& loops, const Operands& operands, Operand o);

// Byte offset in the user's operand of the box that its pack copies.
Expr source_offset(const Program& program, const TileLoops& loops, const Operands& operands, Operand o);

PackStmt pack_statement(const Program& program, const TileLoops& loops, const Operands& operands, int pack);

}  // namespace cortex
