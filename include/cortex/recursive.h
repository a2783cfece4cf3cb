/* Cortex: recursive models - TreeLSTM and its kin over trees, DAGs and sequences.
 *
 *   model     a cell and its parameters: a ready one by name, or your own in .cxr text
 *   executor  a thread team and the memory to run batches of one model; one batch at a time
 *   batch     structures (trees, DAGs, sequences) as arrays; their nodes' words or features; what to return
 *
 * The rules of cortex.h hold here: statuses, messages, struct_size, ownership. Threads: a model is immutable
 * while it runs - set its parameters first; then any number of executors, one per thread, may share it. An
 * executor is used by one thread at a time. Both are checked: a call that breaks them is refused. After the
 * first batches (the arena grows to the largest batch seen) running allocates nothing.
 *
 * A node's result does not depend on what else is in the batch, nor on the number of threads: bit by bit.
 *
 * READY MODELS. h = hidden, v = vocabulary, e = input, n = max_children of the options. Matrices are
 * row-major [out][in], W y is a matrix-vector product, * is element-wise, [a; b] is a above b, sig(t) is
 * 1/(1+exp(-t)). For the node at hand: children k = 0, 1, ... in the order given, their states h_k, c_k;
 * hs = sum_k h_k (0 without children). x = X[word], a row of zeros where the node's word is -1; with features
 * (input = e > 0) the table X is replaced by the parameter W and x = W features[node]. Blocks of h rows are
 * numbered from 0 in the order written under "blocks": U_i is block 0 of U, x_i block 0 of x, and so on.
 *
 *   name            structure  parameters                             blocks    outputs
 *   treefc          tree, 2    X[v][h] W[h][2h] b[h]                            h[h]
 *       leaf: h = x;   else: h = max(0, W [h_0; h_1] + b)             (x is not used at inner nodes)
 *   treernn         tree       X[v][h] U[h][h] b[h]                             h[h]
 *       h = tanh(U hs + x + b)
 *   treegru         tree       X[v][3h] U[3h][h] b[3h]                r z g     h[h]
 *       r = sig(U_r hs + x_r + b_r);  z = sig(U_z hs + x_z + b_z)
 *       g = tanh(U_g (r * hs) + x_g + b_g);  h = (1 - z) * g + z * hs
 *   treelstm        tree       X[v][4h] U[3h][h] U_f[h][h] b[4h]      i o u f   h[h] c[h]    (child-sum)
 *       i = sig(U_i hs + x_i + b_i);  o = sig(U_o hs + x_o + b_o);  u = tanh(U_u hs + x_u + b_u)
 *       f_k = sig(U_f h_k + x_f + b_f);  c = i * u + sum_k f_k * c_k;  h = o * tanh(c)
 *       (U has the blocks i o u; X and b have i o u f)
 *   treelstm-nary   tree, n    X[v][4h] U[3h][n*h] U_f[n*h][n*h] b[4h]  i o u f  h[h] c[h]
 *       H = [h_0; ...; h_(n-1)], zeros for absent children
 *       i = sig(U_i H + x_i + b_i);  o, u likewise (u with tanh)
 *       f_k = sig(U_f,k H + x_f + b_f), U_f,k the rows k*h .. k*h+h-1 of U_f
 *       c = i * u + sum over k < n of f_k * c_k;  h = o * tanh(c)
 *   mvrnn           tree, 2    X[v][h] X_M[v][h][h] W[h][2h] b[h] W_M[h][2h] b_M[h][h]    h[h] M[h][h]
 *       leaf: h = x, M = X_M[word];   else, with y M the product of row vector and matrix:
 *       h = tanh(W [h_0 M_1; h_1 M_0] + b);   M = W_M [M_0; M_1] + b_M    ([M_0; M_1] is 2h x h)
 *   dagrnn          dag        X[v][h] U[h][h] b[h]                             h[h]
 *       h = tanh(U hs + x + b), the children of a node being its predecessors
 *   seqrnn          sequence   X[v][h] U[h][h] b[h]                             h[h]
 *       h = tanh(U h_0 + x + b), h_0 the state of the step before, zeros at the first
 *   seqgru          sequence   X[v][3h] U[3h][h] b[3h]                r z g     h[h]
 *       as treegru with hs = h_0
 *   seqlstm         sequence   X[v][4h] U[4h][h] b[4h]                i f u o   h[h] c[h]
 *       i = sig(U_i h_0 + x_i + b_i);  f, o likewise;  u = tanh(U_u h_0 + x_u + b_u)
 *       c = i * u + f * c_0;  h = o * tanh(c)
 *
 * input = e is known to treernn, treegru, treelstm, treelstm-nary, dagrnn, seqrnn, seqgru and seqlstm: W has
 * the rows of X's columns, W[h][e], W[3h][e] or W[4h][e].
 * bidirectional (sequences): a second cell walks each sequence from its end; its parameters are named
 * "bwd.U" and so on, and every output doubles: h is [h forward; h backward] of the same step. At roots: each
 * direction's state after its whole way.
 */
#ifndef CORTEX_RECURSIVE_H
#define CORTEX_RECURSIVE_H

#include <cortex/cell_library.h>
#include <cortex/cortex.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- models -------------------------------------------------------------------------------------- */

typedef struct cortex_recursive_model cortex_recursive_model;

/* How the matrices of products are held. bf16: rounded to the nearest, ties to even, when they are set; half
 * the memory, which is what a batch of few structures waits for. Sums and states stay f32: the results are
 * those of f32 weights that happen to be bf16 values, to the bit. A weight changes by at most 2^-8 of itself.
 * Biases, tables, and what multiplies matrices (MV-RNN's W_M) stay f32. */
typedef enum cortex_recursive_weights {
  CORTEX_RECURSIVE_WEIGHTS_F32 = 0,
  CORTEX_RECURSIVE_WEIGHTS_BF16 = 1
} cortex_recursive_weights;

typedef struct cortex_recursive_options {
  size_t struct_size;
  const char* name;     /* a ready model of the table above... */
  const char* text;     /* ...or a model's .cxr text: exactly one of the two */
  int64_t hidden;       /* h; 0: what the text says, 256 for ready models */
  int64_t vocabulary;   /* v; 0: what the text says, 1 for ready models; ids are 0 <= word < v */
  int64_t input;        /* e; 0: words and tables; > 0: features of this width (text: what the text says) */
  int64_t max_children; /* n; 0: what the text says, 2 for ready models that have n */
  int32_t bidirectional;
  int32_t weights;     /* cortex_recursive_weights */
  const char* disable; /* for measuring: transformations to leave out, comma-separated names of
                          cortex_recursive_transformations(); NULL: none */
  uint64_t reserved[8];
} cortex_recursive_options;
CORTEX_DEFINE_INIT(cortex_recursive_options)

/* Adds generated cells (`cortex-gen recursive`); models created afterwards use them wherever they have a step
 * that the library has, and compute the same bits faster. `library` must outlive every model made from the
 * context. Refuses another ABI version. Not to be called while another thread uses the context. */
CORTEX_API cortex_status cortex_context_add_cells(cortex_context* context, const cortex_cell_library* library,
                                                  cortex_message* message);

CORTEX_API cortex_status cortex_recursive_create(const cortex_context* context,
                                                 const cortex_recursive_options* options,
                                                 cortex_recursive_model** model, cortex_message* message);
/* Executors of the model that are left go on; its memory goes with the last of them. */
CORTEX_API void cortex_recursive_destroy(cortex_recursive_model* model);

/* Names of the ready models, and of the transformations that can be left out; comma-separated. */
CORTEX_API const char* cortex_recursive_ready_models(void);
CORTEX_API const char* cortex_recursive_transformations(void);

/* The model's .cxr text, sizes filled in: cortex_recursive_create takes it back. */
CORTEX_API const char* cortex_recursive_text(const cortex_recursive_model* model);
/* The program it runs, for people: passes applied, steps per level, barriers, which steps are generated. */
CORTEX_API const char* cortex_recursive_program(const cortex_recursive_model* model);

enum { CORTEX_RECURSIVE_MAX_RANK = 3 };

typedef struct cortex_recursive_tensor {
  size_t struct_size;
  const char* name;                        /* lives as long as the model */
  int64_t dims[CORTEX_RECURSIVE_MAX_RANK]; /* outermost first; 1 beyond the rank */
  int32_t rank;
  int32_t reserved0;
  int64_t count; /* elements */
  uint64_t reserved[4];
} cortex_recursive_tensor;
CORTEX_DEFINE_INIT(cortex_recursive_tensor)

/* Parameters (tables among them) and outputs, by index. Outputs are per node. */
CORTEX_API int32_t cortex_recursive_parameter_count(const cortex_recursive_model* model);
CORTEX_API cortex_status cortex_recursive_parameter(const cortex_recursive_model* model, int32_t index,
                                                    cortex_recursive_tensor* tensor, cortex_message* message);
CORTEX_API int32_t cortex_recursive_output_count(const cortex_recursive_model* model);
CORTEX_API cortex_status cortex_recursive_output(const cortex_recursive_model* model, int32_t index,
                                                 cortex_recursive_tensor* tensor, cortex_message* message);

/* Copies (and packs) `count` f32 values, row-major. Every parameter must be set before the model runs; it may
 * be set again, while no executor runs. Where a leaf's states follow from its word alone, the first batch
 * after that computes them for all words (unless they would take more than twice the memory of the tables):
 * later batches find them ready. */
CORTEX_API cortex_status cortex_recursive_set_parameter(cortex_recursive_model* model, const char* name,
                                                        const float* values, int64_t count,
                                                        cortex_message* message);

/* ---- batches ------------------------------------------------------------------------------------- */

/* Nodes are numbered through the batch; those of structure s are structure_offsets[s] <= node <
 * structure_offsets[s+1], in any order within it. Refused, with the structure and node named: offsets or ids
 * out of range, cycles, a node with two parents in a tree, more children than the model takes, a tree or
 * sequence without exactly one root, empty batches and structures, words out of range. */
typedef struct cortex_recursive_batch {
  size_t struct_size;
  int64_t structures;
  int64_t nodes;                    /* of all structures, at most 2^30 */
  const int32_t* structure_offsets; /* structures + 1 values: 0, ..., nodes */
  /* The children of node v, in order: child_ids[child_offsets[v]] to child_ids[child_offsets[v+1] - 1], batch
   * numbers of nodes of the same structure. child_offsets (nodes + 1 values) NULL: every structure is a
   * sequence in the order of its nodes, the child of each node being the one before it. */
  const int32_t* child_offsets;
  const int32_t* child_ids;
  const int32_t* words;  /* one per node: 0 <= word < v, or -1 for none. Required if the model has tables */
  const float* features; /* nodes x e, row-major. Required if the model has an input */
  const int32_t* selectors; /* one per node: the child a data-dependent index of the model means; -1 for none
                               (reads zeros). Required if the model has such an index */
  uint64_t reserved[6];
} cortex_recursive_batch;
CORTEX_DEFINE_INIT(cortex_recursive_batch)

/* Where an output is wanted. */
typedef enum cortex_recursive_where {
  CORTEX_RECURSIVE_ROOTS = 0, /* one row per root (a node nobody has as a child), in the order of the nodes;
                                 trees and sequences: one per structure, in the order of the structures */
  CORTEX_RECURSIVE_NODES = 1  /* one row per node, in the caller's numbering */
} cortex_recursive_where;

typedef struct cortex_recursive_result {
  const char* name; /* of an output; NULL: the first */
  int32_t where;    /* cortex_recursive_where */
  int32_t reserved0;
  float* data;       /* rows x the output's count */
  int64_t row_bytes; /* between rows; 0: dense */
  int64_t rows;      /* room at `data`; checked against the rows there are when not zero */
  uint64_t reserved[2];
} cortex_recursive_result;

/* Floating-point operations of the model's own products over this batch, two per multiply-add, products with
 * the zero state of absent children left out; element-wise work not counted. -1 for a malformed batch. */
CORTEX_API double cortex_recursive_flops(const cortex_recursive_model* model,
                                         const cortex_recursive_batch* batch);

/* ---- executors ----------------------------------------------------------------------------------- */

typedef struct cortex_recursive_executor cortex_recursive_executor;

/* A team of `threads` (1 to 64): threads - 1 workers, which spin for a while after a batch and then sleep;
 * the thread that runs the batch takes part. Destroy it when no thread is in it. */
CORTEX_API cortex_status cortex_recursive_executor_create(const cortex_recursive_model* model, int threads,
                                                          cortex_recursive_executor** executor,
                                                          cortex_message* message);
CORTEX_API void cortex_recursive_executor_destroy(cortex_recursive_executor* executor);

/* Checks, orders and runs the batch, and writes the results asked for. */
CORTEX_API cortex_status cortex_recursive_run(cortex_recursive_executor* executor,
                                              const cortex_recursive_batch* batch,
                                              const cortex_recursive_result* results, int32_t result_count,
                                              cortex_message* message);

/* About the last batch run. */
typedef struct cortex_recursive_info {
  size_t struct_size;
  int64_t structures, nodes, edges, levels;
  int64_t barriers;         /* every thread met every other one so many times */
  int64_t arena_bytes;      /* memory the executor holds */
  double linearize_seconds; /* of the run: checking and ordering the structures */
  uint64_t reserved[8];
} cortex_recursive_info;
CORTEX_DEFINE_INIT(cortex_recursive_info)
CORTEX_API cortex_status cortex_recursive_executor_query(const cortex_recursive_executor* executor,
                                                         cortex_recursive_info* info,
                                                         cortex_message* message);

#ifdef __cplusplus
}
#endif

#endif
