#include <ATen/Parallel.h>
#include <torch/version.h>

#include <exception>
#include <string>

#include "bench/backends/torch/model.h"

namespace cortex::bench::torch_peer {
namespace {

class Torch : public Backend {
 public:
  explicit Torch(bool levels) : levels_(levels) {}
  std::string name() const override { return levels_ ? "torch-levels" : "torch"; }
  std::string version() const override { return TORCH_VERSION; }

  Result<std::unique_ptr<Instance>> create_recursive(const RecursiveRequest& request) override {
    try {
      at::set_num_threads(request.threads);
      return levels_ ? make_levels(request) : make_nodes(request);
    } catch (const std::exception& e) {
      const std::string text = e.what();
      return unsupported("torch refuses: " + text.substr(0, text.find('\n')));
    }
  }

 private:
  bool levels_;
};

}  // namespace
}  // namespace cortex::bench::torch_peer

extern "C" __attribute__((visibility("default"))) cortex::bench::Backend* cortex_bench_make_torch(
    bool levels) {
  return new cortex::bench::torch_peer::Torch(levels);
}
