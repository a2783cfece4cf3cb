// One thread's way through the levels of one direction.
#pragma once

#include "runtime/recursive/executor.h"

namespace cortex::recursive {

class Walk {
 public:
  Walk(const CompiledModel& model, const Direction& direction, const Linear& linear, Arena& arena,
       ThreadRoom& room, const cortex_recursive_batch& batch, Team& team, int thread, int threads,
       const LeafStates* leaves)
      : model_(model),
        program_(direction.program),
        parameters_(direction.parameters),
        linear_(linear),
        arena_(arena),
        room_(room),
        batch_(batch),
        team_(team),
        thread_(thread),
        threads_(threads),
        leaves_(leaves),
        leaf_end_(leaves ? linear.leaves : 0) {}

  // Returns how many barriers it met.
  int64_t run();

 private:
  struct Part {
    int64_t begin, end;
  };
  // This thread's share of `width` elements, in multiples of `quantum`.
  Part share(int64_t width, int64_t quantum) const;
  // The same of one row, where threads divide the elements of all rows of the level, row after row.
  Part share_of_row(int64_t row, int64_t width, int64_t quantum) const;

  void barrier();
  void hoisted();
  void level(const CellProgram& cell);
  // Products of a phase may run in any order; from one level to the next it turns round, so that the weights
  // used last, which are in the caches, are used first.
  void products(const Phase& phase);
  void flush();
  void step(const Gather& gather);
  void step(const Gemm&) {}  // with the other products of its phase
  void product(const Gemm& gemm);
  void step(const MatrixProduct&) {}  // with the other matrices of its phase
  void step(const VectorMatrix&) {}
  // Products with matrices of nodes, node by node, so that a node's are brought near once.
  void matrices(const Phase& phase);
  void product(const MatrixProduct& product, int64_t row, Part rows);
  void product(const VectorMatrix& product, int64_t row, Part columns);
  void step(const Pointwise& pointwise);
  void generated(const Pointwise& pointwise, Part columns);
  // Asks L1 for what a stream reads of tables for a node: rows that lie anywhere, for which the core would
  // wait. For the next node while one is computed.
  void ask(const Stream& stream, int64_t row, Part columns) const;
  void reduce(const Gather::Part& part, int64_t row, float* to);
  void run_gemm(const Gemm& gemm, const float* a, int64_t a_pitch, float* c, int64_t c_pitch, int64_t rows);

  // The row of a stream for a node (row of the level) and, per child, its edge.
  const float* at(const Stream& stream, int64_t row, int64_t edge) const;
  float* writable(const Stream& stream, int64_t row, int64_t edge) const {
    return const_cast<float*>(at(stream, row, edge));
  }
  int64_t row_step(const Stream& stream) const;
  const float* state(int array, int64_t position) const;

  const CompiledModel& model_;
  const Program& program_;
  const ParameterStore& parameters_;
  const Linear& linear_;
  Arena& arena_;
  ThreadRoom& room_;
  const cortex_recursive_batch& batch_;
  Team& team_;
  const int thread_, threads_;
  const LeafStates* leaves_;  // hold what leaves, the positions before leaf_end_, would compute
  const int64_t leaf_end_;
  LevelRows at_;
  int64_t level_ = 0;  // being computed; a waiting phase belongs to the one below
  // The last phase of the level before, where no barrier stands behind it: it runs with the first of this
  // one.
  const Phase* waiting_ = nullptr;
  LevelRows waiting_at_;
  int64_t barriers_ = 0;
};

}  // namespace cortex::recursive
