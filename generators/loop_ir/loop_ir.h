// Loop IR: one kernel as loops around packs and microkernel calls, with every bound, length and byte
// offset an explicit expression. Between the schedule tree (generators/ast) and C++ text
// (generators/emit); knows neither.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cortex/microkernels.h"
#include "generators/loop_ir/expr.h"
#include "support/result.h"

namespace cortex {

// Address: `base` is a Function operand or a table; the offset is in bytes, in elements from a table or
// the bias.
struct Pointer {
  std::string base;
  Expr offset;
  bool operator==(const Pointer&) const = default;
};

// One member of the kernel's argument struct: `lda`, `epilogue.bias_n`, ...
struct Field {
  std::string name;
  std::variant<Expr, Pointer, float> value;
  bool operator==(const Field&) const = default;
};

struct Stmt;
using Block = std::vector<Stmt>;

// for (var = begin; var < end; var += step)
struct For {
  std::string var;
  Expr begin, end;
  int64_t step = 1;
  int parallel = -1;  // index in grid[] and coord[]; begin and end are then functions of a thread's share
  std::string comment;
  Block body;
  bool operator==(const For&) const = default;
};

// const int64_t name = value;
struct Let {
  std::string name;
  Expr value;
  bool operator==(const Let&) const = default;
};

// The tiles [trips*coord/grid, trips*(coord+1)/grid) of a parallel loop, bound to two names.
struct Share {
  std::string first, last;
  int64_t trips = 1;
  int parallel = 0;
  bool operator==(const Share&) const = default;
};

// return, unless this thread is the last along a parallel loop: the loop has a single tile, and that is
// whose share it is.
struct Leave {
  int parallel = 0;
  bool operator==(const Leave&) const = default;
};

// Copies a box of `src` to `dst`, as `desc` (a PackDesc's name) says.
struct PackStmt {
  std::string desc;
  Pointer src, dst;
  std::vector<Expr> origin, box;
  std::string comment;
  bool operator==(const PackStmt&) const = default;
};

// One microkernel call. Fields not named are zero. The two conditions become flags.
struct Call {
  std::string kernel;  // catalogue name
  std::vector<Field> fields;
  Expr accumulate, epilogue;
  bool operator==(const Call&) const = default;
};

struct Stmt {
  std::variant<For, Let, Share, Leave, PackStmt, Call> node;
  bool operator==(const Stmt&) const = default;
};

struct PackDesc {
  std::string name;
  cortex_pack_desc desc{};
  bool operator==(const PackDesc& o) const;
};

// static const int64_t name[] = {...};
struct Table {
  std::string name;
  std::vector<int64_t> values;
  bool operator==(const Table&) const = default;
};

// User memory: `name` is the pointer `member` of the call ("a", "b", "c", "bias", "residual") plus
// `offset` bytes.
struct OperandPointer {
  std::string name, member;
  int64_t offset = 0;
  bool operator==(const OperandPointer&) const = default;
};

struct Function {
  std::string name;
  std::string pack_isa;  // suffix of the pack routine
  std::vector<OperandPointer> operands;
  std::vector<PackDesc> packs;
  std::vector<Table> tables;
  Block body;
  bool operator==(const Function&) const = default;
};

std::string to_string(const Function& function);
Result<Function> parse_function(std::string_view text);

// Every name defined before use and once, steps positive, every kernel known, tile sizes that cannot
// exceed it, fields known, origins and boxes as long as the rank.
Status verify(const Function& function);

}  // namespace cortex
