// Which kernel for zeros is taken, with a backend whose kernels take the time they are told to.
#include "bench/run/sparse_kernels.h"

#include <cortex/cortex.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "bench/measure/clock.h"

namespace cortex::bench {
namespace {

class Waits : public Instance {
 public:
  explicit Waits(double ns) : ns_(ns) {}
  void execute() override {
    for (const double begin = now_ns(); now_ns() - begin < ns_;) {
    }
  }
  void prepare_output() override {}
  Status read_result(float*) override { return Status::success(); }
  std::span<const std::byte> weights() const override { return {}; }
  std::vector<std::span<const std::byte>> operands() const override { return {}; }

 private:
  double ns_;
};

// Dense kernels take dense_ns, lists of `share` rows ns[share]; there are no others.
class Fake : public Backend {
 public:
  double dense_ns = 0;
  std::map<int, double> ns;
  std::string name() const override { return "fake"; }
  std::string version() const override { return "1"; }
  Result<std::unique_ptr<Instance>> create(const Request& request, const Operands&) override {
    if (request.sparse && !ns.count(request.sparse_share)) return unsupported("no such kernel");
    return std::unique_ptr<Instance>(
        std::make_unique<Waits>(request.sparse ? ns[request.sparse_share] : dense_ns));
  }
};

std::string fastest_of(Fake& fake) {
  const Operands operands;
  Result<std::vector<SparseCandidate>> made = make_sparse_candidates(fake, Request{}, operands);
  if (!made) return made.error().message;
  EXPECT_EQ(made->size(), fake.ns.size() + 1);
  measure_sparse_candidates(*made, 0.002, Cold::none);
  return fastest(*made).kernel->name;
}

TEST(SparseKernels, TheFastestIsTaken) {
  Fake fake;
  fake.dense_ns = 60e3;
  fake.ns = {{1, 90e3}, {2, 20e3}, {4, 70e3}};
  EXPECT_EQ(fastest_of(fake), "2 rows");
  fake.ns[CORTEX_SPARSE_PATTERNS] = 5e3;
  EXPECT_EQ(fastest_of(fake), "patterns");
  fake.dense_ns = 1e3;
  EXPECT_EQ(fastest_of(fake), "dense");
}

class Fails : public Fake {
 public:
  Result<std::unique_ptr<Instance>> create(const Request&, const Operands&) override {
    return internal_error("broken");
  }
};

TEST(SparseKernels, WhatFailsIsSaid) {
  Fails fails;
  EXPECT_EQ(fastest_of(fails), "broken");
}

}  // namespace
}  // namespace cortex::bench
