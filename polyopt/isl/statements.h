// A Nest as isl sees it: three statements with their domains and access relations.
//
//   I[p]     C[f(p)] = 0                     p: the parallel dims, in nest order
//   S[p, r]  C[f(p)] += A[g(i)] * B[h(i)]    i: all dims, in nest order
//   E[p]     C[f(p)] = epilogue(C[f(p)])     only when the nest has an epilogue
//
// A padded access is clipped to its tensor: points outside touch nothing. Bias and a residual of its
// own are only read, so they constrain nothing; a residual in place of C is handled where C starts out.
#pragma once

#include <string>
#include <vector>

#include "graph/nest/nest.h"
#include "polyopt/isl/context.h"

namespace cortex::polyhedral {

enum class Statement { init, update, epilogue };
const char* statement_name(Statement s);  // "I", "S", "E"

// Nest dims a statement's instances are indexed by.
std::vector<int> statement_dims(const Nest& nest, Statement s);
std::vector<int> parallel_dims(const Nest& nest);

// Text pieces of isl relations. Dims are called i0, i1, ... by their place in the nest, so that no
// name of the nest can collide with a word of isl's language.
std::string instance_text(const Nest& nest, Statement s, char prefix = 'i');  // "S[i0, i1, i2]"
std::string domain_text(const Nest& nest, Statement s);                       // "0 <= i0 < 5 and 0 <= i1 < 3"
std::string expr_text(const AffineExpr& expr);                                // "2i0 + i3 - 1"

Set domain(const Context& context, const Nest& nest, Statement s);

// { S[i] -> A[subscripts] }, within the domain and, if padded, within the tensor.
Map access_relation(const Context& context, const Nest& nest, Statement s, Operand operand);

// For people: "S[oh=0,ow=1,kh=2]" from the values of the statement's dims.
std::string describe_instance(const Nest& nest, Statement s, const std::vector<int64_t>& values);

}  // namespace cortex::polyhedral
