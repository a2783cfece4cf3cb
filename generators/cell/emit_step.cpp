#include <fmt/format.h>

#include <cmath>
#include <set>

#include "cortex/cell_kernels.h"
#include "generators/cell/emit_cell.h"
#include "generators/emit/text.h"
#include "polyopt/recursive/pointwise_key.h"

namespace cortex {
namespace {

using recursive::Pointwise;
using recursive::RowAccess;

constexpr int64_t most_lanes = 16;  // of any ISA

// Columns are outermost: what a node and its children pass on to each other stays in registers.
class StepWriter {
 public:
  explicit StepWriter(const CellStep& step) : step_(step), pointwise_(step.step) {}

  std::string run() {
    out_ += as_comment(fmt::format("{}, {}", step_.model, step_.isa), "");
    out_ += fmt::format(
        "template <bool whole>\nCORTEX_INLINE void {}_columns(const cortex_cell_call& call, "
        "int64_t node, int64_t j, Mask mask) {{\n",
        step_.function);
    find_carried();
    for (const int32_t row : carried_) line(fmt::format("Vec {} = zero();", name(row)));
    known_ = carried_;
    for (const Pointwise::Segment& segment : pointwise_.segments) {
      if (segment.edges) {
        children(segment);
      } else {
        node(segment);
      }
    }
    for (const int32_t row : stored_) line(fmt::format("put<whole>({}, mask, {});", address(row), name(row)));
    out_ += "}\n\n";
    out_ += fmt::format("void {}(const cortex_cell_call* call) {{\n", step_.function);
    out_ += "  for (int64_t node = 0; node < call->nodes; ++node) {\n";
    ask_ahead();
    out_ += "    int64_t j = call->begin;\n";
    out_ += fmt::format(
        "    for (; j + lanes <= call->end; j += lanes) {}_columns<true>(*call, node, j, {{}});\n",
        step_.function);
    if (pointwise_.width % most_lanes || pointwise_.quantum % most_lanes) {
      out_ += fmt::format(
          "    if (j < call->end) {}_columns<false>(*call, node, j, first_lanes(call->end - j));\n",
          step_.function);
    }
    return out_ + "  }\n}\n";
  }

 private:
  void line(const std::string& text) { out_ += std::string(indent_, ' ') + text + "\n"; }

  RowAccess access(int32_t row) const {
    return recursive::row_access(pointwise_.rows[static_cast<std::size_t>(row)]);
  }
  bool per_edge(int32_t row) const { return recursive::is_per_edge(access(row)); }
  const std::string& name(int32_t row) const { return step_.names[static_cast<std::size_t>(row)]; }

  std::string address(int32_t row) const {
    switch (access(row)) {
      case RowAccess::node_strided:
        return fmt::format("strided(call.rows[{}], node) + j", row);
      case RowAccess::node_pointed:
        return fmt::format("pointed(call.rows[{}], node) + j", row);
      case RowAccess::edge_strided:
        return fmt::format("strided(call.rows[{}], edge) + j", row);
      case RowAccess::edge_pointed:
        return fmt::format("pointed(call.rows[{}], edge) + j", row);
      default:
        return fmt::format("strided(call.rows[{}], node) + (edge - first) * {} + j", row,
                           pointwise_.rows[static_cast<std::size_t>(row)].width);
    }
  }

  static std::vector<int32_t> operands(const cortex_cell_step& s) {
    std::vector<int32_t> rows;
    for (const int32_t row : {s.a, s.b, s.c, s.d, s.e}) {
      if (row >= 0) rows.push_back(row);
    }
    return rows;
  }

  // What the next node reads of tables and children lies anywhere: it is asked for while this one is
  // computed.
  void ask_ahead() {
    std::string of_node, of_edges;
    for (int32_t row = 0; row < static_cast<int32_t>(pointwise_.rows.size()); ++row) {
      if (access(row) == RowAccess::node_pointed)
        of_node +=
            fmt::format("      ask(pointed(call->rows[{}], node + 1), call->begin, call->end);\n", row);
      if (access(row) == RowAccess::edge_pointed)
        of_edges += fmt::format("        ask(pointed(call->rows[{}], edge), call->begin, call->end);\n", row);
    }
    if (of_node.empty() && of_edges.empty()) return;
    out_ += "    if (node + 1 < call->nodes) {\n" + of_node;
    if (!of_edges.empty()) {
      out_ += "      const int32_t* begin = call->child_begin + node + 1;\n";
      out_ +=
          "      for (int64_t edge = begin[0] - call->child_begin[0]; edge < begin[1] - "
          "call->child_begin[0]; ++edge) {\n";
      out_ += of_edges + "      }\n";
    }
    out_ += "    }\n";
  }

  // What is computed in one segment, for the node, and used or changed in another.
  void find_carried() {
    std::set<int32_t> assigned;
    for (const Pointwise::Segment& segment : pointwise_.segments) {
      for (const cortex_cell_step& s : segment.steps) {
        if (per_edge(s.dst)) continue;
        const bool changed_by_children =
            segment.edges && !assigned.count(s.dst) && used_outside(s.dst, segment);
        if (changed_by_children || !segment.childless.empty()) carried_.insert(s.dst);
        assigned.insert(s.dst);
      }
    }
  }
  bool used_outside(int32_t row, const Pointwise::Segment& segment) const {
    if (access(row) != RowAccess::scratch) return true;
    for (const Pointwise::Segment& other : pointwise_.segments) {
      if (&other == &segment) continue;
      for (const cortex_cell_step& s : other.steps) {
        for (const int32_t operand : operands(s)) {
          if (operand == row) return true;
        }
      }
    }
    return false;
  }

  bool written(int32_t row) const {
    for (const Pointwise::Segment& segment : pointwise_.segments) {
      for (const cortex_cell_step& s : segment.steps) {
        if (s.dst == row) return true;
      }
    }
    return false;
  }

  void load(int32_t row) {
    if (access(row) == RowAccess::scratch || !known_.insert(row).second) return;
    line(fmt::format("{}Vec {} = get<whole>({}, mask);", written(row) ? "" : "const ", name(row),
                     address(row)));
  }

  void assign(const cortex_cell_step& s) {
    const bool first = known_.insert(s.dst).second;
    line(fmt::format("{}{} = {};", first ? "Vec " : "", name(s.dst), value(s)));
    if (access(s.dst) == RowAccess::scratch) return;
    if (per_edge(s.dst)) {
      line(fmt::format("put<whole>({}, mask, {});", address(s.dst), name(s.dst)));
    } else {
      stored_.insert(s.dst);
    }
  }

  void node(const Pointwise::Segment& segment) {
    const auto steps = [&](const std::vector<cortex_cell_step>& list) {
      for (const cortex_cell_step& s : list) {
        for (const int32_t row : operands(s)) load(row);
        assign(s);
      }
    };
    if (segment.childless.empty()) return steps(segment.steps);
    edges();
    const std::set<int32_t> before = known_;
    line("if (first == last) {");
    indent_ += 2;
    steps(segment.childless);
    indent_ -= 2;
    line("} else {");
    indent_ += 2;
    known_ = before;
    steps(segment.steps);
    indent_ -= 2;
    line("}");
    known_ = before;  // all that is assigned there is declared ahead
  }

  void edges() {
    if (edges_) return;
    edges_ = true;
    line("const int64_t first = call.child_begin[node] - call.child_begin[0];");
    line("const int64_t last = call.child_begin[node + 1] - call.child_begin[0];");
  }

  void children(const Pointwise::Segment& segment) {
    edges();
    std::set<int32_t> made;
    for (const cortex_cell_step& s : segment.steps) {
      for (const int32_t row : operands(s)) {
        if (!per_edge(row) && !made.count(row)) load(row);
      }
      made.insert(s.dst);
    }
    const std::set<int32_t> before = known_;
    line("for (int64_t edge = first; edge < last; ++edge) {");
    indent_ += 2;
    for (const cortex_cell_step& s : segment.steps) {
      for (const int32_t row : operands(s)) load(row);
      assign(s);
    }
    indent_ -= 2;
    line("}");
    known_ = before;
  }

  static std::string number(float x) {
    // Constants are folded: 0/0 and exp(1000) become numbers of a cell.
    if (std::isnan(x)) return std::signbit(x) ? "-__builtin_nanf(\"\")" : "__builtin_nanf(\"\")";
    if (std::isinf(x)) return x < 0 ? "-__builtin_inff()" : "__builtin_inff()";
    return fmt::format("{:#}f", x);
  }

  std::string value(const cortex_cell_step& s) const {
    const auto row = [&](int32_t i) { return name(i); };
    switch (s.op) {
      case CORTEX_CELL_SUB:
        return fmt::format("sub({}, {})", row(s.a), row(s.b));
      case CORTEX_CELL_DIV:
        return fmt::format("div({}, {})", row(s.a), row(s.b));
      case CORTEX_CELL_MAX:
        return fmt::format("max({}, {})", row(s.a), row(s.b));
      case CORTEX_CELL_MIN:
        return fmt::format("min({}, {})", row(s.a), row(s.b));
      case CORTEX_CELL_AFFINE:
        return fmt::format("fma(splat({}), {}, splat({}))", number(s.alpha), row(s.a), number(s.beta));
      case CORTEX_CELL_FILL:
        return fmt::format("splat({})", number(s.alpha));
      default:
        break;
    }
    std::string v = row(s.a);
    if (s.b >= 0) v = fmt::format("add({}, {})", v, row(s.b));
    if (s.c >= 0) v = fmt::format("add({}, {})", v, row(s.c));
    switch (s.activation) {
      case CORTEX_ACTIVATION_SIGMOID:
        v = fmt::format("sigmoid({})", v);
        break;
      case CORTEX_ACTIVATION_TANH:
        v = fmt::format("tanh({})", v);
        break;
      case CORTEX_ACTIVATION_RELU:
        v = fmt::format("relu({})", v);
        break;
      case CORTEX_CELL_EXP:
        v = fmt::format("exp({})", v);
        break;
      default:
        break;
    }
    if (s.d >= 0 && s.e >= 0) return fmt::format("fma({}, {}, {})", v, row(s.d), row(s.e));
    if (s.d >= 0) return fmt::format("product({}, {})", v, row(s.d));
    if (s.e >= 0) return fmt::format("add({}, {})", v, row(s.e));
    return v;
  }

  const CellStep& step_;
  const Pointwise& pointwise_;
  std::string out_;
  std::size_t indent_ = 2;
  std::set<int32_t> carried_;  // declared ahead of the segments
  std::set<int32_t> known_;    // rows whose value is in a variable
  std::set<int32_t> stored_;   // of the node, once all is computed
  bool edges_ = false;
};

}  // namespace

std::string emit_cell_step(const CellStep& step) { return StepWriter(step).run(); }

}  // namespace cortex
