// oneDNN, at its best: every layout it has fast code for is tried, weights are reordered ahead of time.
#include <fmt/format.h>
#include <omp.h>

#include "bench/backends/onednn_primitive.h"

namespace cortex::bench {
namespace {

// Capped where Cortex is: at the best this CPU has, the library chooses for itself.
dnnl::cpu_isa library_isa(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      if (isa < detected_isa()) return dnnl::cpu_isa::avx512_core;
      break;
    case Isa::avx512vnni:
      if (isa < detected_isa()) return dnnl::cpu_isa::avx512_core_vnni;
      break;
    case Isa::avx512bf16:
      if (isa < detected_isa()) return dnnl::cpu_isa::avx512_core_bf16;
      break;
    case Isa::baseline:
      return dnnl::cpu_isa::sse41;
    case Isa::avx2:
      return dnnl::cpu_isa::avx2;
    case Isa::avx2vnni:
      return dnnl::cpu_isa::avx2_vnni;
    default:
      break;
  }
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::cpu_isa::isa_default;
#else
  return dnnl::cpu_isa::all;
#endif
}

class OneDnn : public Backend {
 public:
  std::string name() const override { return "onednn"; }
  std::string version() const override {
    const dnnl_version_t* v = dnnl::version();
    return fmt::format("{}.{}.{}", v->major, v->minor, v->patch);
  }
  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands& operands) override {
    omp_set_num_threads(request.threads);
    auto instance = request.problem->is_conv() ? onednn::create_conv(device_, request, operands)
                                               : onednn::create_matmul(device_, request, operands);
    return instance;
  }

  Result<std::unique_ptr<Instance>> create_rnn(const RnnRequest& request) override {
    omp_set_num_threads(request.threads);
    return onednn::create_rnn(device_, request);
  }

 private:
  onednn::Device device_;
};

}  // namespace

Result<std::unique_ptr<Backend>> make_onednn(Isa isa) {
  // Refused when something already used oneDNN; the environment variable says the same then.
  dnnl_set_max_cpu_isa(static_cast<dnnl_cpu_isa_t>(library_isa(isa)));
  try {
    return std::unique_ptr<Backend>(std::make_unique<OneDnn>());
  } catch (const dnnl::error& e) {
    return unsupported(fmt::format("oneDNN does not start: {}", e.what()));
  }
}

}  // namespace cortex::bench
