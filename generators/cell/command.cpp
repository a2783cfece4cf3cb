#include "generators/cell/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "generators/cell/emit_cell.h"
#include "generators/tool/machines.h"
#include "generators/tool/names.h"
#include "generators/tool/version.h"
#include "generators/tool/write_files.h"
#include "graph/recursive/ready.h"
#include "graph/recursive/text.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex {

RecursiveCommand::RecursiveCommand(CLI::App& app)
    : command_(app.add_subcommand("recursive", "write the element-wise steps of recursive cells as C++")),
      isas_(default_isas()) {
  command_->add_option("model", files_, "models as .cxr text");
  add_list_option(*command_, "--model", ready_, "ready models, comma-separated");
  add_list_option(*command_, "--hidden", hidden_, "hidden sizes, comma-separated: the models' size h");
  command_->add_option("--input", input_, "ready models: features of this width (default: words and tables)");
  command_->add_option("--max-children", max_children_, "size n of the models that have it");
  add_list_option(*command_, "--isa", isas_, "instruction sets, comma-separated: avx512, avx2, host");
  command_->add_option("--out", out_, "output folder")->capture_default_str();
  command_->add_option("--name", name_, "the library's name")->capture_default_str();
}

Result<std::vector<recursive::Model>> RecursiveCommand::read_models() const {
  for (const auto& [option, size] : {std::pair{"--input", input_}, {"--max-children", max_children_}}) {
    if (command_->count(option) && size < 1)
      return invalid_argument(fmt::format("{} {}: must be 1 or more", option, size));
  }
  for (const int64_t h : hidden_) {
    if (h < 1) return invalid_argument(fmt::format("--hidden {}: must be 1 or more", h));
  }
  std::vector<std::pair<std::string, std::string>> texts;  // and where they come from
  for (const std::string& file : files_) {
    Result<std::string> text = read_text_file(file);
    if (!text) return text.error();
    texts.emplace_back(std::move(*text), file + ": ");
  }
  for (const std::string& name : ready_) {
    Result<std::string> text = recursive::ready_model(name, input_ > 0);
    if (!text) return text.error();
    texts.emplace_back(std::move(*text), "");
  }
  if (texts.empty()) return invalid_argument("no model given: name a .cxr file, or a ready one with --model");
  std::vector<recursive::Model> models;
  for (const auto& [text, where] : texts) {
    for (const int64_t h : hidden_.empty() ? std::vector<int64_t>{0} : hidden_) {
      std::map<std::string, int64_t> sizes;
      if (!hidden_.empty()) sizes["h"] = h;
      if (max_children_ && text.find("size n =") != std::string::npos) sizes["n"] = max_children_;
      if (input_ && text.find("size e =") != std::string::npos) sizes["e"] = input_;
      Result<recursive::Model> model = recursive::parse_model(text, sizes);
      if (!model) return Error{model.error().code, where + model.error().message};
      models.push_back(std::move(*model));
    }
  }
  return models;
}

Result<std::vector<std::string>> RecursiveCommand::target_isas() const {
  if (isas_.empty())
    return unsupported("--isa: cells are generated for avx512 and avx2: " + not_built(Isa::avx2));
  std::vector<std::string> names;
  for (const std::string& name : isas_) {
    Result<Isa> isa = target_isa(name);
    if (!isa) return isa.error();
    if (name == "host") *isa = f32_isa(*isa);
    if (Status s = check_built({*isa}); !s) return s.error();
    if (std::find(names.begin(), names.end(), isa_name(*isa)) == names.end())
      names.emplace_back(isa_name(*isa));
  }
  return names;
}

Status RecursiveCommand::run() {
  if (Status s = check_library_name(name_); !s) return s;
  const Result<std::vector<recursive::Model>> models = read_models();
  if (!models) return models.error();
  const Result<std::vector<std::string>> isas = target_isas();
  if (!isas) return isas.error();
  CellLibrary library{name_, generator_version(), {}, {}};
  for (const std::string& isa : *isas) {
    for (const recursive::Model& model : *models) {
      if (Status s = add_cell_steps(model, isa, library); !s) return s;
    }
  }
  const Result<WriteReport> report = write_files(
      out_, emit_cell_library(library), [](const std::string&, const std::string&) { return false; });
  if (!report) return report.error();
  say("{}: {} steps of {} models ({}) in {}: {} files written, {} unchanged\n", name_, library.steps.size(),
      models->size(), fmt::join(*isas, ","), out_, report->written, report->unchanged);
  return {};
}

}  // namespace cortex
