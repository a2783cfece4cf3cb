#include "polyopt/recursive/lower.h"

#include <algorithm>

#include "polyopt/recursive/lower_cell.h"

namespace cortex::recursive {
namespace {

// The states whose rows are read across columns: by gathers and products.
std::set<int> read_across(const CellProgram& cell) {
  std::set<int> states;
  const auto see = [&](const Stream& s) {
    if (s.from == From::each || s.from == From::slot || s.from == From::selected || s.from == From::own) {
      states.insert(s.array);
    }
  };
  for (const Phase& phase : cell.phases) {
    for (const Step& step : phase.steps) {
      if (const auto* gather = std::get_if<Gather>(&step)) {
        for (const Gather::Part& part : gather->parts) see(part.stream);
      } else if (const auto* product = std::get_if<MatrixProduct>(&step)) {
        for (const MatrixProduct::Part& part : product->parts) see(part.stream);
      } else if (const auto* vector = std::get_if<VectorMatrix>(&step)) {
        see(vector->vector);
        see(vector->matrix);
      }
    }
  }
  return states;
}

bool writes_one_of(const Phase& phase, const std::set<int>& states) {
  const auto hit = [&](const Stream& s) { return s.from == From::own && states.count(s.array) > 0; };
  for (const Step& step : phase.steps) {
    if (const auto* gemm = std::get_if<Gemm>(&step)) {
      if (hit(gemm->out)) return true;
    } else if (const auto* product = std::get_if<MatrixProduct>(&step)) {
      if (hit(product->out)) return true;
    } else if (const auto* vector = std::get_if<VectorMatrix>(&step)) {
      if (hit(vector->out)) return true;
    } else if (const auto* pointwise = std::get_if<Pointwise>(&step)) {
      for (const Pointwise::Segment& segment : pointwise->segments) {
        for (const cortex_cell_step& s : segment.steps) {
          if (hit(pointwise->rows[static_cast<std::size_t>(s.dst)])) return true;
        }
      }
    }
  }
  return false;
}

// A product reads other threads' columns of a temporary, which the next level overwrites.
bool reads_temporaries_across(const Phase& phase) {
  const auto temporary = [](const Stream& s) { return s.from == From::row || s.from == From::edge; };
  for (const Step& step : phase.steps) {
    if (const auto* gemm = std::get_if<Gemm>(&step)) {
      if (temporary(gemm->a)) return true;
    } else if (const auto* gather = std::get_if<Gather>(&step)) {
      for (const Gather::Part& part : gather->parts) {
        if (temporary(part.stream)) return true;
      }
    } else if (const auto* product = std::get_if<MatrixProduct>(&step)) {
      for (const MatrixProduct::Part& part : product->parts) {
        if (temporary(part.stream)) return true;
      }
    } else if (const auto* vector = std::get_if<VectorMatrix>(&step)) {
      if (temporary(vector->vector) || temporary(vector->matrix)) return true;
    }
  }
  return false;
}

bool gathers_hoisted(const CellProgram& cell) {
  for (const Phase& phase : cell.phases) {
    for (const Step& step : phase.steps) {
      const auto* gather = std::get_if<Gather>(&step);
      if (!gather) continue;
      for (const Gather::Part& part : gather->parts) {
        if (part.stream.from == From::hoisted) return true;
      }
    }
  }
  return false;
}

// Between phases of a node a product reads what the phase before computed. Behind the last one a barrier is
// needed only where somebody will read across columns what it wrote, or writes what it still reads.
void place_barriers(CellProgram& cell, const std::set<int>& across) {
  for (std::size_t p = 0; p < cell.phases.size(); ++p) {
    Phase& phase = cell.phases[p];
    phase.barrier =
        p + 1 < cell.phases.size() || writes_one_of(phase, across) || reads_temporaries_across(phase);
  }
}

// Whether nobody but products reads what the phase's products with a matrix per node compute.
bool divides_by_node(const CellProgram& cell, const Phase& phase) {
  if (!phase.barrier) return false;
  std::vector<Stream> written;
  for (const Step& step : phase.steps) {
    if (const auto* product = std::get_if<MatrixProduct>(&step)) written.push_back(product->out);
    if (const auto* vector = std::get_if<VectorMatrix>(&step)) written.push_back(vector->out);
  }
  for (const Phase& reader : cell.phases) {
    for (const Step& step : reader.steps) {
      const auto* pointwise = std::get_if<Pointwise>(&step);
      if (!pointwise) continue;
      for (const Stream& row : pointwise->rows) {
        const auto same = [&](const Stream& w) { return w.from == row.from && w.array == row.array; };
        if (std::any_of(written.begin(), written.end(), same)) return false;
      }
    }
  }
  return true;
}

}  // namespace

Result<Program> lower(const Model& model, const LowerOptions& options) {
  Program program;
  for (const State& state : model.states) {
    program.state_width.push_back(elements(model.shape(state.dims)));
    program.widest = std::max(program.widest, program.state_width.back());
  }
  if (Status s = lower_cell(model, model.node, options, program, program.node); !s) return s.error();
  program.has_leaf = model.leaf.has_value();
  if (program.has_leaf) {
    if (Status s = lower_cell(model, *model.leaf, options, program, program.leaf); !s) return s.error();
  }
  const std::set<int> across = read_across(program.node);
  for (const CellProgram* cell : {&program.leaf, &program.node}) {
    program.barrier_after_hoisted = program.barrier_after_hoisted || gathers_hoisted(*cell);
  }
  place_barriers(program.node, across);
  place_barriers(program.leaf, across);
  for (CellProgram* cell : {&program.leaf, &program.node}) {
    for (Phase& phase : cell->phases) phase.by_node = divides_by_node(*cell, phase);
  }
  return program;
}

}  // namespace cortex::recursive
