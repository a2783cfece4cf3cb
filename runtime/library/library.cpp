#include "runtime/library/library.h"

#include <fmt/format.h>

#include <optional>

#include "support/cpu.h"
#include "support/fnv.h"

namespace cortex {
namespace {

const char* shown(const char* text) { return text ? text : "(no name)"; }

Status accept_entry(const cortex_kernel_library& library, int32_t index) {
  const cortex_kernel_entry& e = library.entries[index];
  const auto refuse = [&](std::string_view what) -> Status {
    return invalid_argument(fmt::format("kernel library {}: entry {} ({}) {}: generate the library again",
                                        shown(library.name), index, shown(e.key), what));
  };
  if (!e.key || !e.problem || !e.isa || !e.schedule) return refuse("lacks its key, problem, ISA or schedule");
  if (!e.run) return refuse("has no function");
  if (e.threads < 1 || e.scratch_bytes < 0 || e.packed_weights_bytes < 0 || e.parts_bytes < 0)
    return refuse("has a negative size");
  if ((e.sum != nullptr) != (e.parts_bytes > 0)) return refuse("has one of sum and the bytes of its parts");
  if (kernel_entry_hash(e.key, e.isa, e.threads) != e.hash)
    return refuse("does not have the hash of its key");
  if (!find_entry(library, e.hash, e.key)) return refuse("cannot be found through the table");
  return Status::success();
}

}  // namespace

Status accept_library(const cortex_kernel_library& library) {
  if (library.abi != CORTEX_KERNEL_LIBRARY_ABI) {
    return unsupported(
        fmt::format("kernel library made for ABI {}, this cortex has ABI {}: generate it again with "
                    "the cortex-gen of this version",
                    library.abi, CORTEX_KERNEL_LIBRARY_ABI));
  }
  const auto refuse = [&](std::string_view what) -> Status {
    return invalid_argument(
        fmt::format("kernel library {}: {}: generate the library again", shown(library.name), what));
  };
  if (library.count < 0 || (library.count > 0 && !library.entries)) return refuse("no entries");
  if (library.count == 0) return Status::success();
  const int64_t slots = library.slots;
  if (!library.table || slots < 2 * int64_t{library.count} || (slots & (slots - 1)) != 0) {
    return refuse("the lookup table is no power of two of at least twice the entries");
  }
  int64_t used = 0;
  for (int64_t s = 0; s < slots; ++s) {
    const int32_t index = library.table[s];
    if (index < -1 || index >= library.count) return refuse("the lookup table points outside the entries");
    used += index >= 0;
  }
  // With an empty slot left every probe sequence ends.
  if (used > library.count) return refuse("the lookup table holds more entries than there are");
  for (int32_t i = 0; i < library.count; ++i) {
    if (Status s = accept_entry(library, i); !s) return s;
  }
  return Status::success();
}

Status check_built(const cortex_kernel_library& library) {
  for (int32_t i = 0; i < library.count; ++i) {
    const cortex_kernel_entry& e = library.entries[i];
    const std::optional<Isa> isa = parse_isa(e.isa);
    if (!isa || is_built(*isa)) continue;
    return unsupported(fmt::format("kernel library {}: entry {} ({}) calls microkernels of {}: {}",
                                   shown(library.name), i, e.key, e.isa, not_built(*isa)));
  }
  return Status::success();
}

const cortex_kernel_entry* find_entry(const cortex_kernel_library& library, uint64_t hash,
                                      std::string_view key) {
  if (library.count <= 0) return nullptr;
  const uint64_t mask = static_cast<uint64_t>(library.slots) - 1;
  for (uint64_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const int32_t index = library.table[slot];
    if (index < 0) return nullptr;
    const cortex_kernel_entry& entry = library.entries[index];
    if (entry.hash == hash && (key.empty() || key == entry.key)) return &entry;
  }
}

}  // namespace cortex
