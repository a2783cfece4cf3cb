// The `compress` subcommand. main.cpp makes one, parses, and runs it if it was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "generators/compress/compress.h"
#include "generators/compress/orders.h"
#include "generators/compress/times.h"
#include "graph/compress/budget.h"
#include "support/result.h"

namespace cortex {

class CompressCommand {
 public:
  explicit CompressCommand(CLI::App& app);

  bool chosen() const { return command_->parsed(); }
  Status run();  // prints to standard output

 private:
  Status check();
  Result<std::vector<Layer>> read_layers() const;
  Status detect(const std::vector<Layer>& layers) const;
  Status order_all(const std::vector<Layer>& layers);
  Status compress_all(const std::vector<Layer>& layers);
  Status read_times();
  Status plan(const std::vector<Layer>& layers) const;
  Status write() const;

  struct Made {
    const Layer* layer;
    CompressedLayer result;
    double kept_unordered;
    Order rows;
    std::string order, input_order;  // files of its order and its input's; empty: as they were
  };

  CLI::App* command_;
  std::vector<std::string> files_, batches_, format_names_ = {"dense"};
  std::string calibration_, grouping_ = "anneal", out_, times_;
  double budget_ = 0;  // share of the dense time; 0: none
  int threads_ = 1;
  uint64_t seed_ = 1;
  bool detect_ = false;
  std::string problem_;
  std::vector<WeightFormat> formats_;
  CompressOptions options_;
  bool chain_ = false;
  std::vector<std::string> follows_;
  std::vector<SharedOrder> sets_;
  std::vector<std::vector<LayerOrder>> orders_;  // [format][layer]; empty of a format: no order matters
  LayerTimes layer_times_;
  std::vector<Made> made_;
};

}  // namespace cortex
