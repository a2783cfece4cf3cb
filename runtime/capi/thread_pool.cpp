#include <cstddef>

#include "runtime/capi/capi.h"
#include "runtime/threads/thread_pool.h"

using namespace cortex;

namespace {

struct OwnedPool {
  cortex_thread_pool hook;  // first: the caller's pointer is this struct's
  std::unique_ptr<ThreadPool> pool;
};
static_assert(offsetof(OwnedPool, hook) == 0);

int pool_size(void* context) { return static_cast<ThreadPool*>(context)->size(); }

void pool_run(void* context, int tasks, void (*task)(void*, int), void* arg) {
  static_cast<ThreadPool*>(context)->run(tasks, task, arg);
}

}  // namespace

extern "C" cortex_status cortex_thread_pool_create(int threads, cortex_thread_pool** pool,
                                                   cortex_message* message) {
  return guarded(message, [&] {
    if (!pool) return fail(message, CORTEX_INVALID_ARGUMENT, "cortex_thread_pool_create: pool is NULL");
    Result<std::unique_ptr<ThreadPool>> made = ThreadPool::create(threads);
    if (!made) return fail(message, made.error());
    OwnedPool* owned = new OwnedPool{};
    owned->pool = std::move(made).value();
    owned->hook.struct_size = sizeof owned->hook;
    owned->hook.context = owned->pool.get();
    owned->hook.size = pool_size;
    owned->hook.run = pool_run;
    *pool = &owned->hook;
    return CORTEX_OK;
  });
}

extern "C" void cortex_thread_pool_destroy(cortex_thread_pool* pool) {
  delete reinterpret_cast<OwnedPool*>(pool);
}
