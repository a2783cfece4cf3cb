/* The ABI between generated libraries of recursive cells (`cortex-gen recursive`) and libcortex_kernels. An
 * entry is one element-wise step of a cell, made for one width: for all nodes of a level and their children,
 * with what lies between its reads and writes kept in registers. It computes the bits that the interpreted
 * step computes. Everything here is immutable and thread-safe.
 */
#ifndef CORTEX_CELL_LIBRARY_H
#define CORTEX_CELL_LIBRARY_H

#include <cortex/microkernels.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORTEX_CELL_LIBRARY_ABI 1

/* Where the rows of one array are. Which member counts follows from the entry's key. */
typedef struct cortex_cell_rows {
  float* base;      /* row i at base + i*stride */
  int64_t stride;   /* elements */
  float* const* at; /* or row i at at[i] */
} cortex_cell_rows;

/* One thread's share of one level: columns [begin, end) of all nodes. Node i has the edges child_begin[i] -
 * child_begin[0] up to child_begin[i+1] - child_begin[0]. Rows are numbered by node, or by edge where they
 * belong to a node's children. */
typedef struct cortex_cell_call {
  const cortex_cell_rows* rows; /* in the key's order */
  const int32_t* child_begin;
  int64_t nodes;
  int64_t begin, end;
} cortex_cell_call;

typedef void (*cortex_cell_fn)(const cortex_cell_call*);

typedef struct cortex_cell_entry {
  const char* key;   /* what it computes */
  const char* model; /* the model it was generated for, and its hidden size: for people */
  const char* isa;
  cortex_cell_fn run;
  uint64_t reserved;
} cortex_cell_entry;

typedef struct cortex_cell_library {
  uint32_t abi; /* CORTEX_CELL_LIBRARY_ABI it was generated for */
  const char* name;
  const char* generator; /* "cortex-gen 0.1.0" */
  int32_t count;
  const cortex_cell_entry* entries;
} cortex_cell_library;

#ifdef __cplusplus
}
#endif

#endif
