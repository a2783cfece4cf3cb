#include "generators/compress/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "generators/compress/kernels.h"
#include "generators/compress/times.h"
#include "generators/tool/write_files.h"
#include "graph/compress/detect.h"
#include "graph/compress/npy.h"
#include "graph/problem/text.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : "x", extent);
  return text;
}

// Names may hold what file names cannot.
std::string as_file_name(std::string name) {
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  }
  return name;
}

std::string file_stem(const Layer& layer, const WeightFormat& format) {
  return fmt::format("{}.{}", as_file_name(layer.name), to_string(format));
}
std::string order_file(const Layer& layer, const WeightFormat& format) {
  return file_stem(layer, format) + ".order.npy";
}

Json report(const Layer& layer, const CompressedLayer& c) {
  Json json = {{"layer", layer.name},
               {"shape", layer.shape},
               {"format", to_string(c.format)},
               {"kept_magnitude", c.kept},
               {"sparsity", sparsity(c.weights)},
               {"multiplications", c.work}};
  if (!c.groups.empty()) json["groups"] = c.groups;  // columns: (tap, channel), channels fastest
  if (c.quantized) {
    json["scales"] = c.quantized->scales;
    json["quantization_error"] = c.quantization_error;
  }
  return json;
}

}  // namespace

CompressCommand::CompressCommand(CLI::App& app)
    : command_(app.add_subcommand("compress", "prune and quantize weights; choose a format per layer")) {
  command_->add_option("weights", files_, "weights as .npy: [oc][ic][kh][kw] or [out][in]");
  command_->add_option("--batch", batches_, "random weights for the layers of this problem list")
      ->allow_extra_args(false);
  add_list_option(*command_, "--weights", format_names_,
                  "formats: dense, nm{N}of{M}[x{T}], cc{alpha}, bs{rows}x{cols}, unstructured");
  command_->add_option("--sparsity", options_.sparsity,
                       "share of weights to drop: for bs, unstructured, and before columns combine");
  command_->add_option("--gamma", options_.combine.gamma, "column combining: conflicts per row of a group")
      ->capture_default_str();
  command_->add_option("--grouping", grouping_, "column combining: anneal or greedy")->capture_default_str();
  command_->add_flag(
      "--chain", chain_,
      "each layer reads the one before: output channels are ordered so that those that share a "
      "choice keep more, input channels of who reads them alike");
  command_
      ->add_option("--follows", follows_,
                   "READER:PRODUCER, the same for layers in any shape (several producers: outputs are added)")
      ->allow_extra_args(false);
  command_->add_option("--quantize", calibration_, "8-bit integers, scales per channel: minmax or entropy");
  command_->add_flag("--detect", detect_, "say which formats the zeros of the weights already have");
  command_->add_option(
      "--problem", problem_,
      "with --detect: the convolution or matmul of the one file of weights; says which kernel is "
      "predicted to be fastest on this CPU");
  command_->add_option("--times", times_,
                       "layer times per format: JSON in the form of cortex-bench run --json");
  command_->add_option("--budget", budget_, "with --times: share of the dense time that all layers may take");
  command_->add_option("--threads", threads_, "with --times: whose times")->capture_default_str();
  command_->add_option("--seed", seed_, "of random weights and of annealing")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return text.rfind('-', 0) == 0 ? fmt::format("'{}' must not be negative", text) : std::string();
      });
  command_->add_option("--out", out_, "write LAYER.FORMAT.npy and compress.json to this folder");
}

Status CompressCommand::check() {
  const auto outside = [](double v, double low, double high) { return !(v >= low && v <= high); };
  if (files_.empty() && batches_.empty())
    return invalid_argument("no weights given: name .npy files, or --batch LIST for random ones");
  if (outside(options_.sparsity, 0, 0.9999))
    return invalid_argument(fmt::format("--sparsity {}: expected 0 to 0.9999", options_.sparsity));
  if (outside(options_.combine.gamma, 0, format_max_group))
    return invalid_argument(
        fmt::format("--gamma {}: expected 0 to {}", options_.combine.gamma, format_max_group));
  if (grouping_ != "anneal" && grouping_ != "greedy")
    return invalid_argument(fmt::format("--grouping {}: expected anneal or greedy", grouping_));
  if (grouping_ == "greedy") options_.combine.steps = 0;
  options_.combine.seed = seed_;
  if (!calibration_.empty()) {
    const Result<Calibration> calibration = parse_calibration(calibration_);
    if (!calibration) return invalid_argument(fmt::format("--quantize: {}", calibration.error().message));
    options_.calibration = *calibration;
  }
  if (times_.empty() != (budget_ == 0))
    return invalid_argument("--budget and --times go together: the share to keep, and how long layers take");
  if (outside(budget_, 0, 1))
    return invalid_argument(fmt::format("--budget {}: expected above 0, at most 1", budget_));
  if (threads_ < 1 || threads_ > 4096)
    return invalid_argument(fmt::format("--threads {}: expected 1 to 4096", threads_));
  for (const std::string& name : format_names_) {
    const Result<WeightFormat> format = parse_weight_format(name);
    if (!format) return invalid_argument(fmt::format("--weights: {}", format.error().message));
    if (std::count(format_names_.begin(), format_names_.end(), name) > 1)
      return invalid_argument(fmt::format("--weights: {} is named twice", name));
    formats_.push_back(*format);
  }
  if (detect_ && !(out_.empty() && times_.empty() && calibration_.empty()))
    return invalid_argument(
        "--detect writes nothing and changes nothing: drop --out, --times and --quantize");
  const bool ordered = chain_ || !follows_.empty();
  if (ordered && (detect_ || !times_.empty()))
    return invalid_argument(
        "--chain and --follows order all layers for one format: drop --detect, --budget and --times");
  if (ordered && std::all_of(formats_.begin(), formats_.end(),
                             [](const WeightFormat& f) { return rows_together(f) == 1; })) {
    return invalid_argument(
        "--chain and --follows: no format of --weights has output channels share a choice, as nm2of8x2 "
        "and bs4x1 do: their order is no matter");
  }
  if (!problem_.empty() && (!detect_ || files_.size() != 1 || !batches_.empty()))
    return invalid_argument("--problem goes with --detect and one file of weights");
  return Status::success();
}

Result<std::vector<Layer>> CompressCommand::read_layers() const {
  std::vector<Layer> layers;
  for (const std::string& file : files_) {
    if (!is_printable_utf8(file))
      return invalid_argument(
          fmt::format("{}: the name is not plain UTF-8 text: rename it", cortex::quoted(file)));
    Result<Layer> layer = read_layer(file);
    if (!layer) return layer.error();
    layers.push_back(std::move(*layer));
  }
  for (const std::string& batch : batches_) {
    const Result<std::vector<Problem>> problems = read_batch(batch);
    if (!problems) return problems.error();
    for (const Problem& problem : *problems) {
      Result<Layer> layer = random_layer(problem, seed_);
      if (!layer) return layer.error();
      layers.push_back(std::move(*layer));
    }
  }
  std::set<std::string> names, file_names;
  for (const Layer& layer : layers) {
    if (names.insert(layer.name).second) {
      if (out_.empty() || file_names.insert(as_file_name(layer.name)).second) continue;
      return invalid_argument(fmt::format("layer {}: another's files would be called {} too", layer.name,
                                          as_file_name(layer.name)));
    }
    return invalid_argument(
        fmt::format("two layers are called {}: results could not be told apart", layer.name));
  }
  return layers;
}

Status CompressCommand::detect(const std::vector<Layer>& layers) const {
  for (const Layer& layer : layers) {
    std::vector<KernelForecast> kernels;
    if (!problem_.empty()) {
      Result<std::vector<KernelForecast>> forecast = forecast_kernels(problem_, layer);
      if (!forecast) return forecast.error();
      kernels = std::move(*forecast);
    }
    say("{} {}: {:.1f} % zeros\n", layer.name, shape_text(layer.shape), 100 * sparsity(layer.weights));
    for (const Finding& f : detect_formats(layer.weights))
      say("  {:<14} {:6.3f} of the multiplications: {}\n", to_string(f.format), f.work, f.why);
    if (kernels.empty()) continue;
    say("  kernels for {}, predicted for one thread:\n", problem_);
    for (const KernelForecast& k : kernels)
      say("  {:<14} {:9.2f} us  {}\n", k.lists, k.seconds * 1e6, k.kernel);
    say("  fastest: {}\n",
        kernels.front().lists == "dense"
            ? "dense, zeros included: they are too few or too scattered for lists"
        : kernels.front().lists == "bitmap"
            ? "a bit per weight, and the weights that are not zero"
            : fmt::format("lists that {} of output channels share", kernels.front().lists));
  }
  return Status::success();
}

Status CompressCommand::order_all(const std::vector<Layer>& layers) {
  if (sets_.empty()) return Status::success();
  std::vector<const FilterMatrix*> weights;
  for (const Layer& layer : layers) weights.push_back(&layer.weights);
  for (const WeightFormat& format : formats_) {
    orders_.emplace_back();
    if (rows_together(format) == 1) continue;
    if (Status s = check_sparsity(format, options_); !s) return s;
    Result<std::vector<LayerOrder>> ordered =
        order_layers(weights, sets_, format, needs_sparsity(format) ? 1 - options_.sparsity : 1,
                     OrderOptions{.seed = seed_});
    if (!ordered) return ordered.error();
    orders_.back() = std::move(*ordered);
  }
  return Status::success();
}

Status CompressCommand::compress_all(const std::vector<Layer>& layers) {
  const bool ordered = !sets_.empty();
  say("{:<24} {:<20} {:<14} {:>9}{} {:>9} {:>9} {:>8}{}\n", "layer", "shape", "format", "kept |w|",
      ordered ? fmt::format(" {:>9}", "unordered") : "", "zeros", "products", "groups",
      options_.calibration ? fmt::format(" {:>9}", "rounding") : "");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    for (std::size_t f = 0; f < formats_.size(); ++f) {
      LayerOrder* order = ordered && !orders_[f].empty() ? &orders_[f][l] : nullptr;
      Result<CompressedLayer> c =
          compress(order ? Layer{layer.name, layer.count, layer.shape, std::move(order->weights)} : layer,
                   formats_[f], options_);
      if (!c) return c.error();
      const double unordered = order ? order->kept_before : c->kept;
      Made made{&layer, std::move(*c), unordered, {}, {}, {}};
      for (const SharedOrder& set : sets_) {
        const auto in = [&](const std::vector<int64_t>& of) {
          return std::count(of.begin(), of.end(), static_cast<int64_t>(l)) > 0;
        };
        if (order && in(set.producers)) {
          made.order = order_file(layer, formats_[f]);
          made.rows = order->rows;
        }
        if (order && in(set.readers))
          made.input_order = order_file(layers[static_cast<std::size_t>(set.producers[0])], formats_[f]);
      }
      say("{:<24} {:<20} {:<14} {:>9.4f}{} {:>9.4f} {:>9.4f} {:>8}{}\n", layer.name, shape_text(layer.shape),
          to_string(formats_[f]), made.result.kept,
          ordered ? fmt::format(" {:>9.4f}", made.kept_unordered) : "", sparsity(made.result.weights),
          made.result.work, made.result.groups.empty() ? "" : fmt::format("{}", made.result.groups.size()),
          options_.calibration ? fmt::format(" {:>9.5f}", made.result.quantization_error) : "");
      made_.push_back(std::move(made));
    }
  }
  return Status::success();
}

Status CompressCommand::read_times() {
  if (times_.empty()) return Status::success();
  const Result<std::string> text = read_text_file(times_);
  if (!text) return named("--times", text.error());
  Result<LayerTimes> times = parse_times(*text, times_, threads_);
  if (!times) return times.error();
  layer_times_ = std::move(*times);
  return Status::success();
}

Status CompressCommand::plan(const std::vector<Layer>& layers) const {
  const auto seconds = [&](const Layer& layer, const std::string& format) -> Result<double> {
    const auto found = layer_times_.find({layer.name, format});
    if (found == layer_times_.end())
      return invalid_argument(
          fmt::format("{}: no time of layer {} in format {}", times_, layer.name, format));
    return found->second * static_cast<double>(layer.count);
  };
  std::vector<LayerOptions> options;
  double dense = 0, magnitudes = 0;
  for (const Layer& layer : layers) {
    const Result<double> alone = seconds(layer, "dense");
    if (!alone) return alone.error();
    dense += *alone;
    LayerOptions o{layer.name, {{"dense", *alone, 0}}};
    const double all = magnitude(layer.weights) * static_cast<double>(layer.count);
    magnitudes += all;
    for (const Made& made : made_) {
      if (made.layer != &layer || made.result.format.structure == WeightStructure::dense) continue;
      const std::string format = to_string(made.result.format);
      const Result<double> taken = seconds(layer, format);
      if (!taken) return taken.error();
      o.options.push_back({format, *taken, all * (1 - made.result.kept)});
    }
    options.push_back(std::move(o));
  }
  const Result<BudgetPlan> plan = plan_budget(options, budget_ * dense);
  if (!plan) return plan.error();
  say("\n{:<24} {:<14} {:>12} {:>9}\n", "layer", "format", "time us", "kept |w|");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerOption& o = options[l].options[static_cast<std::size_t>(plan->choice[l])];
    const double all = magnitude(layers[l].weights) * static_cast<double>(layers[l].count);
    say("{:<24} {:<14} {:>12.2f} {:>9.4f}\n", layers[l].name, o.format, o.seconds * 1e6,
        all > 0 ? 1 - o.lost / all : 1);
  }
  say("predicted total {:.4f} ms, {:.3f} of the dense {:.4f} ms; kept |w| {:.4f}\n", plan->seconds * 1e3,
      plan->seconds / dense, dense * 1e3, magnitudes > 0 ? 1 - plan->lost / magnitudes : 1);
  return Status::success();
}

Status CompressCommand::write() const {
  std::vector<OutputFile> files;
  Json all = Json::array();
  for (const Made& made : made_) {
    const std::string name = file_stem(*made.layer, made.result.format);
    files.push_back({name + ".npy", to_npy(made.layer->shape, in_array_order(made.result.weights))});
    Json json = report(*made.layer, made.result);
    json["file"] = name + ".npy";
    if (!made.order.empty()) {
      files.push_back({made.order, to_npy({static_cast<int64_t>(made.rows.size())}, made.rows)});
      json["order"] = made.order;
    }
    if (!made.input_order.empty()) json["input_order"] = made.input_order;
    if (!sets_.empty()) json["kept_magnitude_unordered"] = made.kept_unordered;
    if (made.result.quantized) {
      FilterMatrix integers = made.result.weights;
      integers.values.assign(made.result.quantized->integers.begin(), made.result.quantized->integers.end());
      const std::vector<float> ordered = in_array_order(integers);
      files.push_back(
          {name + ".s8.npy", to_npy(made.layer->shape, std::vector<int8_t>(ordered.begin(), ordered.end()))});
      json["integers"] = name + ".s8.npy";
    }
    all.push_back(std::move(json));
  }
  files.push_back({"compress.json", Json{{"layers", all}}.dump(1) + "\n"});
  for (const OutputFile& file : files) {
    const std::filesystem::path path = std::filesystem::path(out_) / file.name;
    for (const std::string& read : files_) {
      std::error_code none;
      if (std::filesystem::equivalent(path, read, none))
        return invalid_argument(
            fmt::format("--out {}: {} would be written over the weights it was made of; name "
                        "another folder",
                        cortex::quoted(out_), cortex::quoted(file.name)));
    }
  }
  const Result<WriteReport> wrote =
      write_files(out_, files, [](const std::string&, const std::string&) { return false; });
  if (!wrote) return wrote.error();
  say("{} files in {}: {} written, {} unchanged\n", files.size(), out_, wrote->written, wrote->unchanged);
  return Status::success();
}

Status CompressCommand::run() {
  if (Status s = check(); !s) return s;
  const Result<std::vector<Layer>> layers = read_layers();
  if (!layers) return layers.error();
  if (detect_) return detect(*layers);
  if (Status s = read_times(); !s) return s;  // before the work: it may take minutes
  if (chain_ || !follows_.empty()) {
    Result<std::vector<SharedOrder>> sets = read_orders(*layers, chain_, follows_);
    if (!sets) return sets.error();
    sets_ = std::move(*sets);
  }
  if (Status s = order_all(*layers); !s) return s;
  if (Status s = compress_all(*layers); !s) return s;
  if (budget_ > 0) {
    if (Status s = plan(*layers); !s) return s;
  }
  return out_.empty() ? Status::success() : write();
}

}  // namespace cortex
