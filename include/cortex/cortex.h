/* Cortex: kernels for deep-learning operators, made for exactly the shapes they run on.
 *
 *   context  -> what this process may use: instruction set, machine description, generated kernels
 *   problem  -> what to compute: a convolution or a matrix product, with its epilogue
 *   plan     -> how: layouts, threads, schedule, scratch; immutable
 *   execute  -> run a plan on the caller's memory and threads; allocates nothing
 *
 * Rules that hold for every function here:
 * - Errors. Functions that can fail return a cortex_status and never throw, print or abort. The last
 *   parameter, a caller-owned cortex_message (may be NULL), receives one line saying what was asked, what
 *   was found and what to do; on success its text is empty. Output parameters are written on success only.
 * - Structs. Every struct the caller fills begins with struct_size and has reserved fields, which must be
 *   zero. Start from the struct's init function (`cortex_conv_desc desc = cortex_conv_desc_init();`), which
 *   zeroes it and sets struct_size, then fill in what differs from the default. A zero field means the
 *   default named beside it.
 * - Ownership. A handle belongs to the caller until the matching *_destroy, which accepts NULL. Strings
 *   returned from a handle live as long as the handle. No function keeps a pointer given to it, except
 *   cortex_context_add_library (documented there).
 * - Threads. Handles are immutable once created, except a context while libraries are being added and a
 *   problem while its epilogue is being set; everything else may be used from many threads at once.
 * - Units. Sizes are in elements, or bytes where the name ends in _bytes; times are in seconds.
 */
#ifndef CORTEX_CORTEX_H
#define CORTEX_CORTEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cortex/kernel_library.h>
#include <cortex/microkernels.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORTEX_VERSION_MAJOR 0
#define CORTEX_VERSION_MINOR 1
#define CORTEX_VERSION_PATCH 0

/* Defines `type type_init(void)`. */
#define CORTEX_DEFINE_INIT(type)         \
  static inline type type##_init(void) { \
    type value;                          \
    memset(&value, 0, sizeof value);     \
    value.struct_size = sizeof value;    \
    return value;                        \
  }

/* 10000*major + 100*minor + patch of the library that is linked (the macros: of this header). */
CORTEX_API int cortex_version(void);

/* ---- status ------------------------------------------------------------------------------------- */

typedef enum cortex_status {
  CORTEX_OK = 0,
  CORTEX_INVALID_ARGUMENT = 1, /* malformed or inconsistent input, NULL, misaligned, too small */
  CORTEX_UNSUPPORTED = 2,      /* well-formed, but not something this build or machine can do */
  CORTEX_OVERFLOW = 3,         /* sizes that do not fit 64-bit arithmetic or the address space */
  CORTEX_IO_ERROR = 4,         /* a file that cannot be read */
  CORTEX_OUT_OF_MEMORY = 5,
  CORTEX_NOT_FOUND = 6,    /* no generated kernel for this problem, and one was insisted on */
  CORTEX_ABI_MISMATCH = 7, /* a kernel library made for another ABI, or damaged */
  CORTEX_INTERNAL = 8      /* a broken invariant: a bug here, please report it */
} cortex_status;

/* A constant one-line description; of unknown values too. */
CORTEX_API const char* cortex_status_string(cortex_status status);

/* The reason for a failure: zero-terminated, one line, cut where it does not fit. */
typedef struct cortex_message {
  char text[512];
} cortex_message;

/* ---- context ------------------------------------------------------------------------------------ */

typedef struct cortex_context cortex_context;

typedef struct cortex_context_options {
  size_t struct_size;
  const char* max_isa; /* "baseline", "avx2", "avx2vnni", "avx512", "avx512vnni", "avx512bf16", "amx": kernels
                          above it are not used. NULL: the environment variable CORTEX_MAX_ISA, else no cap.
                          Without a cap below "amx", on a CPU that has it, Linux is asked for the process's
                          permission to use tile registers; where it refuses, kernels of amx are not used.
                          An unknown value in either is CORTEX_INVALID_ARGUMENT. */
  const char* machine_path; /* machine description (JSON) the schedules are chosen for; NULL: this machine */
  uint64_t reserved[6];
} cortex_context_options;
CORTEX_DEFINE_INIT(cortex_context_options)

/* options may be NULL: all defaults. */
CORTEX_API cortex_status cortex_context_create(const cortex_context_options* options,
                                               cortex_context** context, cortex_message* message);
CORTEX_API void cortex_context_destroy(cortex_context* context);

/* Adds generated kernels; plans created afterwards use them, libraries added later first. `library` must
 * outlive the context and every plan made from it (generated libraries are constants of the program).
 * Refuses another ABI version, inconsistent tables, and code for instruction sets that this library was
 * built without. Not to be called while another thread uses the context. */
CORTEX_API cortex_status cortex_context_add_library(cortex_context* context,
                                                    const cortex_kernel_library* library,
                                                    cortex_message* message);

/* The instruction set plans of this context may use, by name. */
CORTEX_API const char* cortex_context_isa(const cortex_context* context);

/* ---- problems ----------------------------------------------------------------------------------- */

typedef struct cortex_problem cortex_problem;

/* One line as benchdnn writes it, options before the problem allowed:
 *   "mb1ic64ih56oc64oh56kh3ph1"   "--attr-post-ops=relu 128x768:768x3072" */
CORTEX_API cortex_status cortex_problem_parse(const char* text, cortex_problem** problem,
                                              cortex_message* message);

/* Convolution of 1 to 3 spatial dimensions, f32. Arrays are in the order depth, height, width; leave the
 * unused leading ones zero. Output extent per axis:
 *   (in + pad_begin + pad_end - ((kernel - 1) * dilation + 1)) / stride + 1 */
typedef struct cortex_conv_desc {
  size_t struct_size;
  int64_t batch;        /* 0: 1 */
  int64_t groups;       /* 0: 1; divides both channel counts. groups = in = out channels: depthwise */
  int64_t in_channels;  /* of all groups */
  int64_t out_channels; /* of all groups */
  int64_t in[3];        /* 0: 1 */
  int64_t kernel[3];    /* 0: 1 */
  int64_t stride[3];    /* 0: 1 */
  int64_t dilation[3];  /* distance between taps; 0: 1, dense */
  int64_t pad_begin[3]; /* front, top, left */
  int64_t pad_end[3];   /* back, bottom, right */
  uint64_t reserved[8];
} cortex_conv_desc;
CORTEX_DEFINE_INIT(cortex_conv_desc)

CORTEX_API cortex_status cortex_problem_create_conv(const cortex_conv_desc* desc, cortex_problem** problem,
                                                    cortex_message* message);

enum { CORTEX_MATMUL_MAX_BATCH_DIMS = 4 };

/* C[batch][m][n] = A[batch][m][k] * B[batch][k][n], f32, row-major. src is A, weights is B, dst is C. */
typedef struct cortex_matmul_desc {
  size_t struct_size;
  int64_t m, n, k;
  int32_t batch_dims;   /* leading dimensions: 0 to 4 */
  int32_t a_transposed; /* A is held as [k][m] */
  int32_t b_transposed; /* B is held as [n][k] */
  int32_t reserved0;
  int64_t batch_a[CORTEX_MATMUL_MAX_BATCH_DIMS]; /* where A has 1 it is used for every index of B's, */
  int64_t batch_b[CORTEX_MATMUL_MAX_BATCH_DIMS]; /* and the other way round; otherwise equal */
  uint64_t reserved[8];
} cortex_matmul_desc;
CORTEX_DEFINE_INIT(cortex_matmul_desc)

CORTEX_API cortex_status cortex_problem_create_matmul(const cortex_matmul_desc* desc,
                                                      cortex_problem** problem, cortex_message* message);

/* What happens to a finished element v of dst, in this order (zero points: those of a problem whose text has
 * --attr-zero-points=src:common:NUMBER+dst:common:NUMBER; sums are of src less its zero point):
 *   v *= scale[output channel, or column] (integers whose problem has --attr-oscale=per_oc)
 *   v += bias[output channel, or column of the matmul]
 *   v += residual * residual_scale        (here unless residual_after_activation)
 *   v = activation(v)                     (see cortex_activation)
 *   v += residual * residual_scale        (here if residual_after_activation)
 *   dst = v rounded to dst's type, plus its zero point, saturated */
typedef struct cortex_epilogue_desc {
  size_t struct_size;
  int32_t bias;     /* 1: execute takes one f32 per output channel / column */
  int32_t residual; /* 1: execute takes a tensor of dst's shape and layout; may be dst itself */
  int32_t residual_after_activation;
  int32_t activation;   /* cortex_activation */
  float residual_scale; /* 0: 1 */
  float alpha, beta;    /* of the activation */
  int32_t reserved0;
  uint64_t reserved[4];
} cortex_epilogue_desc;
CORTEX_DEFINE_INIT(cortex_epilogue_desc)

/* Replaces the problem's epilogue, all but the scale and the zero point. Before plans are made from the
 * problem by another thread. */
CORTEX_API cortex_status cortex_problem_set_epilogue(cortex_problem* problem,
                                                     const cortex_epilogue_desc* desc,
                                                     cortex_message* message);

/* Canonical text: cortex_problem_parse gives an equal problem back. */
CORTEX_API const char* cortex_problem_text(const cortex_problem* problem);
/* Floating-point operations: two per multiply-add; taps that fall on padding are not counted. */
CORTEX_API double cortex_problem_flops(const cortex_problem* problem);
CORTEX_API void cortex_problem_destroy(cortex_problem* problem);

/* ---- plans -------------------------------------------------------------------------------------- */

typedef struct cortex_plan cortex_plan;

/* Activations. Convolutions: native is what the schedule reads and writes without a copy (the plan says
 * which, see cortex_plan_info); NHWC is [batch][d][h][w][channels], NCHW is [batch][channels][d][h][w].
 * Where the two differ execute reorders through scratch. Matmuls: native, as the problem says. */
typedef enum cortex_layout {
  CORTEX_LAYOUT_NATIVE = 0,
  CORTEX_LAYOUT_NHWC = 1,
  CORTEX_LAYOUT_NCHW = 2
} cortex_layout;

/* Weights as the caller holds them. icg, ocg: channels of one group. */
typedef enum cortex_weights_layout {
  CORTEX_WEIGHTS_DEFAULT = 0, /* conv: OIHW; matmul: as the problem says */
  CORTEX_WEIGHTS_OIHW = 1,    /* conv: [groups*ocg][icg][kd][kh][kw], the same bytes as [groups][ocg]... */
  CORTEX_WEIGHTS_HWIO = 2,    /* conv: [kd][kh][kw][icg][groups*ocg], group by group in the last */
  CORTEX_WEIGHTS_GHWIO = 3,   /* conv: [groups][kd][kh][kw][icg][ocg] */
  CORTEX_WEIGHTS_KN = 4,      /* matmul: [batch][k][n] */
  CORTEX_WEIGHTS_NK = 5       /* matmul: [batch][n][k] */
} cortex_weights_layout;

typedef enum cortex_weights_handling {
  CORTEX_WEIGHTS_PREPACKED = 0, /* execute takes what cortex_plan_pack_weights wrote */
  CORTEX_WEIGHTS_PLAIN = 1      /* execute takes the caller's weights; packing, if any, is part of execute */
} cortex_weights_handling;

typedef enum cortex_kernel_choice {
  CORTEX_KERNEL_AUTO = 0,       /* generated when a library of the context has it, else interpreted */
  CORTEX_KERNEL_GENERATED = 1,  /* CORTEX_NOT_FOUND when there is none */
  CORTEX_KERNEL_INTERPRETED = 2 /* the same microkernels and schedule, loops walked by the library */
} cortex_kernel_choice;

/* cortex_plan_options.sparse_share */
enum { CORTEX_SPARSE_OR_DENSE = -1, CORTEX_SPARSE_BITMAP = -2, CORTEX_SPARSE_PATTERNS = -3 };

typedef struct cortex_plan_options {
  size_t struct_size;
  int32_t threads;          /* 0: 1. At most this many tasks run at once */
  int32_t src_layout;       /* cortex_layout */
  int32_t dst_layout;       /* cortex_layout; the residual's too */
  int32_t weights_layout;   /* cortex_weights_layout */
  int32_t weights_handling; /* cortex_weights_handling */
  int32_t kernel;           /* cortex_kernel_choice */
  const char* schedule; /* schedule text to use instead of searching one (implies interpreted); NULL: none */
  /* Weights (in weights_layout) whose zeros the plan may rely on: it multiplies with the others alone. Read
   * by cortex_plan_create only. Any structure of zeros; f32, bf16 or s8, one group, prepacked. With
   * src_layout and dst_layout both native, the layout of a convolution's activations is what kernels for
   * zeros run fastest from: it depends on the activation's shape and type and on the instruction set, so
   * plans chain (cortex_plan_info tells it). Otherwise native is NCHW. pack_weights refuses weights that are
   * not zero where these are. NULL: no zeros. */
  const void* sparse_weights;
  /* Output channels that share a list of weights: 1, 2, 4; CORTEX_SPARSE_PATTERNS: four of which each column
   * is multiplied with those that keep it (f32, bf16); CORTEX_SPARSE_BITMAP: no lists, a bit per weight (of
   * matmuls: of a few rows, which would not fill the vectors of lists); 0: what is predicted to be
   * fastest of these. CORTEX_SPARSE_OR_DENSE: of these and the dense plan, which has its own layouts and
   * refuses no weights. Without sparse_weights the plan is dense: 0 or CORTEX_SPARSE_OR_DENSE; others are
   * refused. */
  int32_t sparse_share;
  int32_t reserved0;
  uint64_t reserved[6];
} cortex_plan_options;
CORTEX_DEFINE_INIT(cortex_plan_options)

/* options may be NULL: one thread, native layouts, prepacked weights. Takes time (a search, unless a
 * library has the problem): once per problem, not once per call. The plan needs neither context nor
 * problem afterwards. */
CORTEX_API cortex_status cortex_plan_create(const cortex_context* context, const cortex_problem* problem,
                                            const cortex_plan_options* options, cortex_plan** plan,
                                            cortex_message* message);
CORTEX_API void cortex_plan_destroy(cortex_plan* plan);

typedef struct cortex_plan_info {
  size_t struct_size;           /* set by the caller */
  int64_t src_bytes;            /* what execute reads and writes, in the layouts the options chose */
  int64_t weights_bytes;        /* the caller's weights */
  int64_t packed_weights_bytes; /* what pack_weights writes; 0 when weights are plain */
  int64_t bias_bytes;           /* 0: the problem has none */
  int64_t residual_bytes;       /* 0: the problem has none */
  int64_t dst_bytes;
  int64_t scratch_bytes; /* for all threads together; 0: none needed */
  double flops;
  double predicted_seconds; /* 0: not known */
  int32_t threads;          /* as asked */
  int32_t tasks;            /* pieces execute hands to the thread pool; 1: it runs on the caller */
  int32_t generated;        /* 1: a generated kernel runs; 0: the interpreter */
  int32_t reserved0;
  const char* isa;      /* what its microkernels need */
  const char* kernel;   /* microkernel name */
  const char* schedule; /* text, parses back in cortex_plan_options.schedule; "sparse: ..." does not */
  const char* problem;  /* canonical problem text */
  const char*
      src_layout; /* "ndhwc", "ncdhw", "nPc112p", ...; the matmul's "mk", "km": letters slowest first */
  const char* dst_layout;
  const char* native_src_layout; /* what CORTEX_LAYOUT_NATIVE is for this plan */
  const char* native_dst_layout;
  const char* weights_layout;
  int64_t scale_bytes; /* 0: the problem has none */
  /* The layouts of a convolution's activations in numbers, see cortex_activation_element; 0 for matmuls. */
  int32_t src_images, dst_images;
  int64_t src_block, dst_block;
  uint64_t reserved[4];
} cortex_plan_info;
CORTEX_DEFINE_INIT(cortex_plan_info)

/* Element of point p of channel c of image n of an activation of `channels` channels and `points` points,
 * p = (d*H + h)*W + w, in a layout of cortex_plan_info: images divides the batch, block divides the points.
 * ndhwc is block 1, ncdhw is block `points`, both of one image; "nPc112p" is block 112, "NPc7p16n" block 7 of
 * 16 images: letters slowest first, capitals count blocks. Convolutions only. */
static inline int64_t cortex_activation_element(int64_t n, int64_t c, int64_t p, int64_t channels,
                                                int64_t points, int64_t images, int64_t block) {
  return (((n / images * (points / block) + p / block) * channels + c) * block + p % block) * images +
         n % images;
}

CORTEX_API cortex_status cortex_plan_query(const cortex_plan* plan, cortex_plan_info* info,
                                           cortex_message* message);

/* The generated kernel behind the plan, NULL when it is interpreted. Its cortex_kernel_call takes operands
 * in native layout (c: see cortex_kernel_run); sources of bf16 (u8) whose channels, or K, are no multiple of
 * 2 (4), and all s8 sources, as the units that execute copies them into, which callers of the kernel itself
 * cannot make. */
CORTEX_API const cortex_kernel_entry* cortex_plan_kernel(const cortex_plan* plan);

/* weights (weights_bytes, in the layout of the options) -> packed (packed_weights_bytes; 64-byte aligned is
 * faster). Packed weights fit this plan and any other of equal problem, options and library version on this
 * machine; they are no exchange format. May allocate a temporary. */
CORTEX_API cortex_status cortex_plan_pack_weights(const cortex_plan* plan, const void* weights, void* packed,
                                                  cortex_message* message);

/* ---- threads ------------------------------------------------------------------------------------ */

/* How execute reaches the caller's threads. run calls task(arg, i) exactly once for every 0 <= i < tasks,
 * in any order, on any threads, possibly at once, and returns when all have returned; what the tasks wrote
 * is then visible to the caller. It may run them one after the other. */
typedef struct cortex_thread_pool {
  size_t struct_size;
  void* context;
  int (*size)(void* context); /* tasks that can run at once; may be NULL */
  void (*run)(void* context, int tasks, void (*task)(void* arg, int index), void* arg);
  uint64_t reserved[2];
} cortex_thread_pool;
CORTEX_DEFINE_INIT(cortex_thread_pool)

/* A ready-made pool of `threads` (1 to 256): threads - 1 workers that spin for a while after their last
 * task and then sleep; the thread that calls run takes part. Several threads may share a pool: while it
 * serves one, run on another does its tasks itself. */
CORTEX_API cortex_status cortex_thread_pool_create(int threads, cortex_thread_pool** pool,
                                                   cortex_message* message);
/* Waits for the workers to end. No run may be under way. */
CORTEX_API void cortex_thread_pool_destroy(cortex_thread_pool* pool);

/* ---- execute ------------------------------------------------------------------------------------ */

typedef struct cortex_execute_args {
  size_t struct_size;
  const void* src;
  const void* weights;  /* packed, or plain when the plan was made so */
  const float* bias;    /* required if the problem has one, else ignored; the same for residual */
  const void* residual; /* may be dst itself */
  void* dst;            /* overwritten; must not overlap src, weights or bias */
  void* scratch;        /* 64-byte aligned; may be NULL when scratch_bytes of the plan is 0. Contents need not
                           survive between calls; concurrent executions need one each */
  const cortex_thread_pool* pool; /* NULL: every task runs on the caller, one after the other */
  /* Sizes of what the pointers point to, checked when not zero. */
  int64_t src_bytes, weights_bytes, bias_bytes, residual_bytes, dst_bytes, scratch_bytes;
  const float* scale; /* one per output channel, required if the problem has them (integers), else ignored */
  int64_t scale_bytes;
  uint64_t reserved[2];
} cortex_execute_args;
CORTEX_DEFINE_INIT(cortex_execute_args)

/* dst = epilogue(op(src, weights)). Operands need the alignment of their elements, packed weights 4 bytes.
 * Allocates nothing, takes no lock of its own; the same plan may run in many threads at once on different dst
 * and scratch. Bad arguments are reported before anything is written. */
CORTEX_API cortex_status cortex_plan_execute(const cortex_plan* plan, const cortex_execute_args* args,
                                             cortex_message* message);

/* ---- raw kernels: for callers that keep their own tables ------------------------------------------ */

/* The hash of a kernel_library entry (see cortex_kernel_entry.hash). */
CORTEX_API uint64_t cortex_kernel_hash(const char* key, const char* isa, int threads);

/* Constant-time lookup; NULL when the library has no such kernel. `key`, when not NULL, must match too (a
 * caller that computed the hash from a key of this library may leave it out). */
CORTEX_API const cortex_kernel_entry* cortex_kernel_find(const cortex_kernel_library* library, uint64_t hash,
                                                         const char* key);

/* Runs one thread's share; no argument is checked. Where entry->sum is not NULL, c is not the result but
 * room for parts of it, see cortex_kernel_entry. A c beyond 12 MiB may be written past the caches: before
 * another thread reads it, this one must execute a store fence (sfence). */
static inline void cortex_kernel_run(const cortex_kernel_entry* entry, const cortex_kernel_call* call) {
  entry->run(call);
}

#ifdef __cplusplus
}
#endif

#endif
