#include <fmt/format.h>

#include "polyopt/recursive/program.h"

namespace cortex::recursive {
namespace {

class Text {
 public:
  Text(const Program& program, const Model& model) : program_(program), model_(model) {}

  std::string run() {
    for (const Gemm& gemm : program_.hoisted) line(0, "ahead of the recursion: " + text(gemm));
    if (program_.barrier_after_hoisted) line(0, "barrier");
    if (program_.has_leaf) cell("level 0:", program_.leaf);
    cell(program_.has_leaf ? "every other level:" : "every level:", program_.node);
    return out_;
  }

 private:
  void line(int indent, const std::string& what) {
    out_ += std::string(static_cast<std::size_t>(indent), ' ') + what + "\n";
  }

  std::string text(const Stream& s) const {
    const auto part = [&](const std::string& name) {
      return s.offset ? fmt::format("{}+{}", name, s.offset) : name;
    };
    const auto state = [&] { return model_.states[static_cast<std::size_t>(s.array)].name; };
    const auto parameter = [&] { return model_.parameters[static_cast<std::size_t>(s.array)].name; };
    switch (s.from) {
      case From::parameter:
        return part(parameter());
      case From::word:
        return part(parameter() + "[word]");
      case From::features:
        return part(model_.feature->name);
      case From::hoisted:
        return part(fmt::format("ahead{}", s.array));
      case From::own:
        return part(state());
      case From::row:
        return part(fmt::format("row{}", s.array));
      case From::edge:
        return part(fmt::format("edge{}", s.array));
      case From::panel:
        return part(fmt::format("panel{}", s.array));
      case From::each:
        return part("child." + state());
      case From::slot:
        return part(fmt::format("child[{}].{}", s.slot, state()));
      case From::selected:
        return part("child[select]." + state());
      case From::block:
        return part(fmt::format("row{}[child]", s.array));
      case From::scratch:
        return fmt::format("t{}", s.array);
    }
    return "";
  }

  std::string text(const Gather& g) const {
    std::string what;
    for (const Gather::Part& part : g.parts) {
      const char* reduce = part.reduce == Gather::Reduce::sum   ? "sum "
                           : part.reduce == Gather::Reduce::max ? "max "
                                                                : "";
      what += (what.empty() ? "" : ", ") + (reduce + text(part.stream));
    }
    return fmt::format("panel{} = gather({}){}", g.panel, what, g.per_child ? " per child" : "");
  }
  std::string text(const Gemm& g) const {
    const Weights& w = program_.weights[static_cast<std::size_t>(g.weights)];
    return fmt::format("{} = {}[{}:{}] @ {}  (rows x {} x {}{}{})", text(g.out),
                       model_.parameters[static_cast<std::size_t>(w.parameter)].name, w.first_row,
                       w.first_row + w.n, text(g.a), g.n, g.k, g.per_child ? ", per child" : "",
                       g.inner_only ? ", roots left out" : "");
  }
  std::string text(const MatrixProduct& p) const {
    std::string what;
    for (const MatrixProduct::Part& part : p.parts) what += (what.empty() ? "" : ", ") + text(part.stream);
    return fmt::format("{} = {} @ [{}]{}  ({} x {} x {} per node)", text(p.out),
                       model_.parameters[static_cast<std::size_t>(p.parameter)].name, what,
                       p.plus ? " + " + text(*p.plus) : "", p.m, p.n, p.k);
  }
  std::string text(const VectorMatrix& p) const {
    return fmt::format("{} = {} @ {}  (1 x {} x {} per node)", text(p.out), text(p.vector), text(p.matrix),
                       p.n, p.k);
  }
  std::string text(const Pointwise& p, const cortex_cell_step& s) const {
    const auto row = [&](int32_t i) { return text(p.rows[static_cast<std::size_t>(i)]); };
    switch (s.op) {
      case CORTEX_CELL_SUB:
        return fmt::format("{} = {} - {}", row(s.dst), row(s.a), row(s.b));
      case CORTEX_CELL_DIV:
        return fmt::format("{} = {} / {}", row(s.dst), row(s.a), row(s.b));
      case CORTEX_CELL_MAX:
        return fmt::format("{} = maximum({}, {})", row(s.dst), row(s.a), row(s.b));
      case CORTEX_CELL_MIN:
        return fmt::format("{} = minimum({}, {})", row(s.dst), row(s.a), row(s.b));
      case CORTEX_CELL_AFFINE:
        return fmt::format("{} = {} * {} + {}", row(s.dst), s.alpha, row(s.a), s.beta);
      case CORTEX_CELL_FILL:
        return fmt::format("{} = {}", row(s.dst), s.alpha);
      default:
        break;
    }
    std::string sum = row(s.a);
    if (s.b >= 0) sum += " + " + row(s.b);
    if (s.c >= 0) sum += " + " + row(s.c);
    switch (s.activation) {
      case CORTEX_ACTIVATION_SIGMOID:
        sum = "sigmoid(" + sum + ")";
        break;
      case CORTEX_ACTIVATION_TANH:
        sum = "tanh(" + sum + ")";
        break;
      case CORTEX_ACTIVATION_RELU:
        sum = "relu(" + sum + ")";
        break;
      case CORTEX_CELL_EXP:
        sum = "exp(" + sum + ")";
        break;
      default:
        if (s.d >= 0 && s.b >= 0) sum = "(" + sum + ")";
    }
    if (s.d >= 0) sum += " * " + row(s.d);
    if (s.e >= 0) sum += " + " + row(s.e);
    return row(s.dst) + " = " + sum;
  }

  void cell(const std::string& title, const CellProgram& cell) {
    line(0, title);
    for (const Phase& phase : cell.phases) {
      for (const Step& step : phase.steps) {
        if (const auto* pointwise = std::get_if<Pointwise>(&step)) {
          line(2, fmt::format("element by element, {}:", pointwise->width));
          for (const Pointwise::Segment& segment : pointwise->segments) {
            if (segment.edges) line(4, "for every child:");
            for (const cortex_cell_step& s : segment.steps) line(segment.edges ? 6 : 4, text(*pointwise, s));
          }
        } else if (const auto* gather = std::get_if<Gather>(&step)) {
          line(2, text(*gather));
        } else if (const auto* gemm = std::get_if<Gemm>(&step)) {
          line(2, text(*gemm));
        } else if (const auto* product = std::get_if<MatrixProduct>(&step)) {
          line(2, text(*product));
        } else if (const auto* vector = std::get_if<VectorMatrix>(&step)) {
          line(2, text(*vector));
        }
      }
      if (phase.barrier) line(2, "barrier");
    }
  }

  const Program& program_;
  const Model& model_;
  std::string out_;
};

}  // namespace

std::string to_string(const Program& program, const Model& model) { return Text(program, model).run(); }

}  // namespace cortex::recursive
