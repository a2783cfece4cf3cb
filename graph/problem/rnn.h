// Recurrent layers as benchdnn describes them: l1t30mb10sic256slc256dhc256dic256n"name".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace cortex {

enum class RnnCell { lstm, gru, lbr_gru, vanilla_rnn };
enum class RnnDirection { left2right, right2left, concat, sum };
const char* rnn_cell_name(RnnCell cell);  // "LSTM", "GRU", "LBR_GRU", "VANILLA_RNN"
const char* rnn_direction_name(RnnDirection direction);
int rnn_gates(RnnCell cell);  // 4, 3, 3, 1

struct RnnProblem {
  RnnCell cell = RnnCell::lstm;
  RnnDirection direction = RnnDirection::left2right;
  int64_t layers = 1, steps = 1, batch = 2;
  int64_t slc = 0;     // channels of the input sequence
  int64_t hidden = 0;  // sic = dhc = dic
  std::string name;    // of n"name*count"
  int64_t count = 1;
  std::string text;  // as written, with its cell
  bool both_directions() const { return direction == RnnDirection::concat || direction == RnnDirection::sum; }
};

// A line: an optional cell (LSTM, GRU, LBR_GRU, VANILLA_RNN, with or without VANILLA_ before them; --alg=
// says the same), options (--direction=left2right|right2left|concat|sum, --prop=FWD_I, --activation=TANH),
// descriptors. Left out, as benchdnn has it: l 1, t 1, mb 2, slc and dhc sic, dic dhc. sic, dhc and dic must
// agree: a projected state is refused. Options persist to later lines of a list.
Result<std::vector<RnnProblem>> parse_rnn(std::string_view line);
Result<std::vector<RnnProblem>> read_rnn_batch(const std::string& path);

std::string to_string(const RnnProblem& problem);  // canonical; parses back

// Of all layers and directions: the products of every step. The first step's state is zero: its product is no
// work and, unlike benchdnn's count, not counted.
double rnn_multiply_adds(const RnnProblem& problem);

}  // namespace cortex
