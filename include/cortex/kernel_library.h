/* The ABI between generated kernel libraries and libcortex_kernels. A generated library is one constant
 * cortex_kernel_library, reached through a function named after it; it owns no memory, starts no thread,
 * has no global constructors. Everything here is immutable and thread-safe.
 */
#ifndef CORTEX_KERNEL_LIBRARY_H
#define CORTEX_KERNEL_LIBRARY_H

#include <cortex/microkernels.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORTEX_KERNEL_LIBRARY_ABI 6

enum { CORTEX_MAX_PARALLEL_LOOPS = 4, CORTEX_MAX_PARTS = 64 };

/* One thread's share of one execution. Every thread of the grid makes the same call with its own
 * scratch and coord; the calls may run in any order or at once. Parallel loop i, of T_i tiles, is divided
 * in grid[i] contiguous parts; part c covers tiles [T_i*c/grid[i], T_i*(c+1)/grid[i]). Loops beyond the
 * schedule's parallel ones have grid 1, coord 0. */
typedef struct cortex_kernel_call {
  const void* a;        /* activations in the nest's layout (NHWC) */
  const void* b;        /* weights: packed ahead of time if the schedule says so, else the nest's layout */
  void* c;              /* destination in the nest's layout */
  const float* bias;    /* NULL when the problem has none */
  const void* residual; /* C's layout; NULL when the problem has none; may equal c */
  const float* scale;   /* of integer sums, one per output channel, as bias; NULL when there is none */
  const int32_t* compensation; /* likewise */
  void* scratch; /* this thread's, 64-byte aligned, entry->scratch_bytes long; may be NULL if that is 0 */
  int32_t grid[CORTEX_MAX_PARALLEL_LOOPS];
  int32_t coord[CORTEX_MAX_PARALLEL_LOOPS];
} cortex_kernel_call;

typedef void (*cortex_kernel_fn)(const cortex_kernel_call*);

typedef struct cortex_kernel_entry {
  const char* key;     /* canonical problem key */
  const char* problem; /* replayable problem text */
  const char* isa;     /* ISA its microkernels need */
  int32_t threads;     /* thread count it was scheduled for; runs with any grid */
  int32_t reserved;
  const char* schedule; /* text, parses back against the problem's coalesced nest */
  cortex_kernel_fn run;
  int64_t scratch_bytes;        /* per thread */
  int64_t packed_weights_bytes; /* 0: weights are not packed ahead of time */
  double predicted_seconds;
  uint64_t hash; /* FNV-1a 64 over key, '\n', isa, '\n', threads in decimal */
  /* Where the schedule splits the reduction, else NULL: `run` gets parts_bytes of 64-byte aligned scratch,
   * the same for all threads, as c, and no bias or residual. Once every thread of its grid is through, `sum`
   * makes C of that: it gets CORTEX_MAX_PARTS floats 1 as a, that scratch as b, and all the rest as it is. */
  cortex_kernel_fn sum;
  int64_t parts_bytes;
} cortex_kernel_entry;

typedef struct cortex_kernel_library {
  uint32_t abi; /* CORTEX_KERNEL_LIBRARY_ABI it was generated for */
  const char* name;
  const char* generator; /* "cortex-gen 0.1.0" */
  int32_t count;
  const cortex_kernel_entry* entries;
  /* Open addressing with linear probing: slot = hash & (slots-1); -1 marks an empty slot. slots is a
   * power of two, at least 2*count. */
  int32_t slots;
  const int32_t* table;
} cortex_kernel_library;

#ifdef __cplusplus
}
#endif

#endif
