// LIBXSMM: convolution through its DNN layer API in its own blocked layout, matmul by batch-reduce kernels
// over packed blocks with the blocking that wins a trial.
#include <libxsmm.h>

#include "bench/backends/xsmm_internal.h"

namespace cortex::bench {
namespace {

class Xsmm : public Backend {
 public:
  std::string name() const override { return "xsmm"; }
  std::string version() const override { return LIBXSMM_VERSION; }
  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands& operands) override {
    return request.problem->is_conv() ? xsmm::create_conv(request, operands)
                                      : xsmm::create_matmul(request, operands);
  }
};

}  // namespace

Result<std::unique_ptr<Backend>> make_xsmm(Isa isa) {
  libxsmm_init();
  if (isa == Isa::baseline) libxsmm_set_target_arch("sse");
  if (f32_isa(isa) == Isa::avx2) libxsmm_set_target_arch("hsw");
  return std::unique_ptr<Backend>(std::make_unique<Xsmm>());
}

}  // namespace cortex::bench
