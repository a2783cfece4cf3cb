#include "generators/tool/explain_command.h"

#include <fmt/format.h>

#include "generators/tool/machines.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex {

ExplainCommand::ExplainCommand(CLI::App& app)
    : command_(app.add_subcommand("explain",
                                  "print all that is known of a problem: nest, schedule, traffic, time")) {
  command_->add_option("problem", options_.problem, "a problem, as benchdnn writes it");
  command_->add_option("--problem", option_problem_, "the same, for one that begins with options");
  command_->add_option("--op", op_, "read the problem as: conv, matmul (default: told apart by syntax)");
  command_->add_option("--isa", isa_, "instruction set")->capture_default_str();
  command_->add_option("--threads", options_.threads, "threads to schedule for")->capture_default_str();
  command_->add_option("--machine", options_.machine_file, "machine description (default: this machine)");
  command_
      ->add_option("--schedule", options_.schedule,
                   "explain this schedule, not the best one: as text or as a loop string")
      ->check(not_empty("a schedule, or leave the option out for the best one"));
  command_->add_flag("--no-prepack", no_prepack_, "weights are not packed ahead of time");
}

Status ExplainCommand::run() {
  if (options_.problem.empty() == option_problem_.empty()) {
    return invalid_argument("explain takes one problem: `cortex-gen explain 128x768:768x3072`");
  }
  options_.problem += option_problem_;
  if (op_ != "any" && op_ != "conv" && op_ != "matmul") {
    return invalid_argument(fmt::format("--op {}: unknown operator; there are conv and matmul", op_));
  }
  options_.op = op_ == "conv" ? OpKind::conv : op_ == "matmul" ? OpKind::matmul : OpKind::any;
  if (options_.threads < 1 || options_.threads > 4096) {
    return invalid_argument(fmt::format("--threads {}: expected 1 to 4096", options_.threads));
  }
  const Result<Isa> isa = target_isa(isa_);
  if (!isa) return isa.error();
  options_.isa = *isa;
  options_.prepack = !no_prepack_;
  const Result<std::string> text = explain(options_);
  if (!text) return text.error();
  say("{}", *text);
  return Status::success();
}

}  // namespace cortex
