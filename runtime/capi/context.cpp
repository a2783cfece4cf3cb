#include "runtime/capi/capi.h"
#include "runtime/library/library.h"
#include "support/fnv.h"

using namespace cortex;

extern "C" cortex_status cortex_context_create(const cortex_context_options* options,
                                               cortex_context** context, cortex_message* message) {
  return guarded(message, [&] {
    if (!context) return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_context_create: context is NULL");
    cortex_context_options o{};
    if (options && !read_struct(options, &o, message, "cortex_context_options"))
      return CORTEX_INVALID_ARGUMENT;
    std::optional<std::string> isa, machine;
    if (o.max_isa) isa = o.max_isa;
    if (o.machine_path) machine = o.machine_path;
    Result<Context> made = make_context(isa, machine);
    if (!made) return fail(message, made.error());
    *context = new cortex_context{std::move(made).value()};
    return CORTEX_OK;
  });
}

extern "C" void cortex_context_destroy(cortex_context* context) { delete context; }

extern "C" cortex_status cortex_context_add_library(cortex_context* context,
                                                    const cortex_kernel_library* library,
                                                    cortex_message* message) {
  return guarded(message, [&] {
    if (!context)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_context_add_library: context is NULL");
    if (!library)
      return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_context_add_library: library is NULL");
    if (Status s = accept_library(*library); !s) {
      // Damage and another ABI have the same remedy.
      return fail(message, CORTEX_ABI_MISMATCH, s.error().message);
    }
    if (Status s = check_built(*library); !s) return fail(message, CORTEX_UNSUPPORTED, s.error().message);
    context->value.libraries.push_back(library);
    return CORTEX_OK;
  });
}

extern "C" const char* cortex_context_isa(const cortex_context* context) {
  return context ? isa_name(context->value.isa) : "";
}

extern "C" uint64_t cortex_kernel_hash(const char* key, const char* isa, int threads) {
  return kernel_entry_hash(key ? key : "", isa ? isa : "", threads);
}

extern "C" const cortex_kernel_entry* cortex_kernel_find(const cortex_kernel_library* library, uint64_t hash,
                                                         const char* key) {
  if (!library) return nullptr;
  return find_entry(*library, hash, key ? std::string_view(key) : std::string_view());
}
