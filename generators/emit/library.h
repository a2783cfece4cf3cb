// A kernel library as files: parts with the kernels, one source with the entry and hash tables, a header,
// a manifest. Pure text; writing it is the tool's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {

// What a cortex_kernel_entry says, and the code.
struct LibraryKernel {
  std::string key, problem, name, isa, schedule;  // name: of the layer, may be empty
  int threads = 1;
  int64_t scratch_bytes = 0, packed_weights_bytes = 0;
  double predicted_seconds = 0;
  uint64_t hash = 0;
  Function function;
  std::optional<Function> sum;  // of the parts of a split reduction
  int64_t parts_bytes = 0;
};

struct Library {
  std::string name;       // an identifier
  std::string generator;  // "cortex-gen 0.1.0"
  int parts = 1;          // sources that the kernels are divided into
  std::vector<LibraryKernel> kernels;
};

struct OutputFile {
  std::string name, text;
};

// Names of the files emit_library() returns, in its order: header, table, parts, manifest.
std::vector<std::string> library_files(const std::string& name, int parts);

// A kernel's part depends on its hash alone: a problem added to the list leaves other parts as they are.
std::vector<OutputFile> emit_library(const Library& library);

// The function name of a kernel: readable, unique in a library. kind: "conv", "matmul".
std::string kernel_function_name(const std::string& kind, const std::string& key, const std::string& isa,
                                 int threads, uint64_t hash);

// One kernel alone, as it stands in its part: golden tests and `cortex-gen generate --print`.
std::string emit_kernel(const LibraryKernel& kernel, const std::string& generator);

}  // namespace cortex
