// The table people read: one line per problem and thread count, a few columns per backend.
#pragma once

#include <string>
#include <vector>

#include "bench/report/row.h"

namespace cortex::bench {

class Table {
 public:
  // backends: in the order of the columns. The first is compared with each of the others.
  explicit Table(std::vector<std::string> backends);

  std::string header() const;
  // All rows of one set; a backend without one gets a dash, a wrong result a line of its own below.
  std::string lines(const std::vector<Row>& rows) const;

 private:
  std::vector<std::string> backends_;
};

// Who did not run what, one line per backend and reason.
std::string refusal_lines(const std::vector<Refusal>& refusals);

// "12.3 us", as a number in microseconds with four digits.
std::string microseconds(double ns);

}  // namespace cortex::bench
