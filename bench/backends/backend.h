// What cortex-bench asks of a library it measures.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/reference/operands.h"
#include "graph/problem/problem.h"
#include "graph/problem/recursive.h"
#include "graph/problem/rnn.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex::bench {

enum class KernelChoice { automatic, generated, interpreted };
const char* kernel_choice_name(KernelChoice choice);  // "auto", "generated", "interpreted"

struct Request {
  const Problem* problem = nullptr;
  Isa isa = Isa::baseline;
  int threads = 1;
  bool plain = false;  // matmul: B as the problem holds it, packing (if any) in every execution
  KernelChoice kernel = KernelChoice::automatic;  // for Cortex
  std::string schedule;                           // for Cortex; empty: its own choice
  bool sparse = false;                            // for Cortex: leave out the weights that are zero
  int sparse_share = -1;  // then: cortex_plan_options.sparse_share, by default CORTEX_SPARSE_OR_DENSE
};

struct RecursiveOperands;
struct RnnOperands;

// Recursive problems: an execution runs every batch of the operands once, one after another, ordering its
// structures anew each time, and leaves each structure's result at its root where its caller could read it.
struct RecursiveRequest {
  const RecursiveProblem* problem = nullptr;
  const RecursiveOperands* operands = nullptr;
  Isa isa = Isa::baseline;
  int threads = 1;
  std::string disable;  // transformations that Cortex leaves out, comma-separated
};
struct RnnRequest {
  const RnnProblem* problem = nullptr;
  const RnnOperands* operands = nullptr;
  Isa isa = Isa::baseline;
  int threads = 1;
};

// What a row of the report says about how a backend runs a problem.
struct InstanceInfo {
  std::string isa;               // what the library chose, in its own words
  std::string kernel;            // "generated", "interpreted", or the peer's implementation name
  std::string schedule;          // Cortex's schedule text; of a peer, the variant that won its trial
  std::string layout;            // of activations
  double create_ns = 0;          // descriptor, search, code generation: once per shape
  double pack_ns = 0;            // weights into the backend's layout: once per network
  double predicted_seconds = 0;  // 0: the backend predicts nothing
};

// One problem, ready to run, on buffers of its own.
class Instance {
 public:
  virtual ~Instance() = default;
  virtual void execute() = 0;
  // Brings the destination to its state before a first execution: NaN, or the residual where the backend
  // adds in place. Timed executions do not call it.
  virtual void prepare_output() = 0;
  // The destination in the reference layout. Recursive problems: runs every batch once more, and gives of
  // each h of all nodes, then c or M of all nodes.
  virtual Status read_result(float* out) = 0;
  virtual std::span<const std::byte> weights() const = 0;  // as execute reads them
  // The same where they are not in one piece: code with their pattern in it, lists of indices.
  virtual std::vector<std::span<const std::byte>> weight_ranges() const { return {weights()}; }
  virtual std::vector<std::span<const std::byte>> operands() const = 0;  // all of them, weights too
  const InstanceInfo& info() const { return info_; }

 protected:
  InstanceInfo info_;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  virtual std::string version() const = 0;
  // More generated kernels (FILE.so or FILE.so:NAME); only Cortex has any use for them.
  virtual Status add_library(const std::string&) { return Status::success(); }
  // Refuses with a reason what the library cannot do (ErrorCode::unsupported) or fails at.
  virtual Result<std::unique_ptr<Instance>> create(const Request&, const Operands&) {
    return no("conv or matmul");
  }
  virtual Result<std::unique_ptr<Instance>> create_recursive(const RecursiveRequest&) {
    return no("recursive models");
  }
  virtual Result<std::unique_ptr<Instance>> create_rnn(const RnnRequest&) { return no("recurrent layers"); }

 protected:
  Error no(const char* what) const { return unsupported("this backend runs no " + std::string(what)); }
};

struct BackendEntry {
  const char* name;
  // Null in builds without it; `missing` then says what to install.
  Result<std::unique_ptr<Backend>> (*make)(Isa isa);
  const char* missing;
  bool dense, recursive, rnn;  // what it is asked for when no backend is named
};

// Every backend this source knows, in the order of the table.
std::span<const BackendEntry> backend_entries();
const BackendEntry* find_backend(std::string_view name);

}  // namespace cortex::bench
