// Tables of generated kernels as the C interface takes them: lookup, and refusal of what is damaged.
#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/capi/testing.h"
#include "support/cpu.h"

namespace {

using namespace capi_testing;

void nothing(const cortex_kernel_call*) {}

// One entry, as a generated library would hold it.
struct Library {
  cortex_kernel_entry entry = {};
  int32_t table[2] = {-1, -1};
  cortex_kernel_library library = {};
  Library() {
    entry.key = "some key";
    entry.problem = "32x32:32x32";
    entry.isa = "baseline";
    entry.threads = 2;
    entry.schedule = "";
    entry.run = nothing;
    entry.hash = cortex_kernel_hash(entry.key, entry.isa, entry.threads);
    table[entry.hash % 2] = 0;
    library.abi = CORTEX_KERNEL_LIBRARY_ABI;
    library.name = "test_library";
    library.generator = "by hand";
    library.count = 1;
    library.entries = &entry;
    library.slots = 2;
    library.table = table;
  }
};

TEST(Capi, KernelLookup) {
  const Library l;
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, nullptr), &l.entry);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, "some key"), &l.entry);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash, "another key"), nullptr);
  EXPECT_EQ(cortex_kernel_find(&l.library, l.entry.hash + 1, nullptr), nullptr);
  EXPECT_EQ(cortex_kernel_find(nullptr, l.entry.hash, nullptr), nullptr);
}

TEST(Capi, DamagedLibrariesAreRefused) {
  const auto context = make_context();
  cortex_message message;
  const Library good;
  EXPECT_EQ(cortex_context_add_library(context.get(), &good.library, &message), CORTEX_OK) << message.text;
  const auto refused = [&](auto damage) {
    Library l;
    damage(l);
    EXPECT_EQ(cortex_context_add_library(context.get(), &l.library, &message), CORTEX_ABI_MISMATCH);
    EXPECT_NE(std::string(message.text).find("generate"), std::string::npos) << message.text;
  };
  refused([](Library& l) { l.library.abi = 999; });
  refused([](Library& l) { l.library.entries = nullptr; });
  refused([](Library& l) { l.library.table = nullptr; });
  refused([](Library& l) { l.library.count = -1; });
  refused([](Library& l) { l.library.slots = 1; });
  refused([](Library& l) { l.library.slots = 3; });
  refused([](Library& l) { l.table[0] = l.table[1] = 0; });
  refused([](Library& l) { l.table[0] = l.table[1] = -1; });
  refused([](Library& l) { l.table[0] = 5; });
  refused([](Library& l) { l.entry.hash ^= 1; });
  refused([](Library& l) { l.entry.run = nullptr; });
  refused([](Library& l) { l.entry.schedule = nullptr; });
  EXPECT_EQ(cortex_context_add_library(context.get(), nullptr, &message), CORTEX_INVALID_ARGUMENT);
}

// Its code calls microkernels that are not there.
TEST(Capi, LibrariesOfAnIsaThatWasNotBuiltAreRefused) {
  const auto context = make_context();
  const char* const names[] = {"baseline", "avx2", "avx2vnni", "avx512", "avx512vnni", "avx512bf16", "amx"};
  for (int i = 0; i < cortex::isa_count; ++i) {
    const auto isa = static_cast<cortex::Isa>(i);
    Library l;
    l.entry.isa = names[i];
    l.entry.hash = cortex_kernel_hash(l.entry.key, l.entry.isa, l.entry.threads);
    l.table[0] = l.table[1] = -1;
    l.table[l.entry.hash % 2] = 0;
    cortex_message message;
    const cortex_status status = cortex_context_add_library(context.get(), &l.library, &message);
    if (cortex::is_built(isa)) {
      EXPECT_EQ(status, CORTEX_OK) << message.text;
      continue;
    }
    EXPECT_EQ(status, CORTEX_UNSUPPORTED) << l.entry.isa;
    EXPECT_NE(std::string(message.text).find("CORTEX_ISAS"), std::string::npos) << message.text;
  }
}

}  // namespace
