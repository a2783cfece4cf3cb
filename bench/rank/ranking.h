// A problem's variants: schedules, what the model says of them, what was measured.
#pragma once

#include <string>
#include <vector>

#include "polyopt/model/prediction.h"

namespace cortex::bench {

struct Variant {
  std::string schedule;
  int place = 0;  // 1, 2, ...: the search's best, second best, ...; 0: drawn from the whole space
  Prediction prediction;
  double ns = 0;          // median
  double spread = 0;      // half the samples' range over the median; 0 with a single sample
  int samples = 0;        // 0: not measured
  bool finalist = false;  // the best, the choice or measure mode's: measured once more, side by side
};

struct Ranking {
  std::string problem, name, shape, isa;
  int threads = 1;
  bool plain = false;
  std::vector<Variant> variants;
  int choice = -1;           // what estimate mode answers
  int measured_choice = -1;  // the best of the search's few when each is tried: measure mode
  double plan_seconds = 0;
  long long scored = 0;  // variants the search scored for it
};

}  // namespace cortex::bench
