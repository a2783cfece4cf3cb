#include "runtime/plan/zero_point.h"

#include <cstring>

#include "graph/lower/lower.h"
#include "support/checked.h"

namespace cortex {

void shift_to_u8(void* copy, int64_t bytes, int part, int parts) {
  const int64_t words = bytes / 8;  // the last part has the rest
  const int64_t begin = words * part / parts, end = words * (part + 1) / parts;
  auto* data = static_cast<unsigned char*>(copy);
  const int64_t last = part + 1 == parts ? bytes : 8 * end;
  int64_t i = 8 * begin;
  for (; i + 8 <= last; i += 8) {
    uint64_t word;
    std::memcpy(&word, data + i, 8);
    word ^= 0x8080808080808080u;
    std::memcpy(data + i, &word, 8);
  }
  for (; i < last; ++i) data[i] ^= 0x80;
}

void fill_halo(const Problem& problem, void* copy, int part, int parts) {
  const ConvProblem& p = problem.conv();
  const ConvProblem q = with_halo(p);
  const int64_t point = p.g * round_up(p.ic / p.g, unit_length(problem.src)), row = q.iw * point;
  const int64_t rows = p.mb * q.id * q.ih;
  const int zero = a_zero(problem);
  const auto inside = [](int64_t at, int64_t before, int64_t extent) {
    return at >= before && at < before + extent;
  };
  for (int64_t r = rows * part / parts; r < rows * (part + 1) / parts; ++r) {
    char* to = static_cast<char*>(copy) + r * row;
    const bool filled = inside(r % q.ih, p.ph, p.ih) && inside(r / q.ih % q.id, p.pd, p.id);
    const int64_t before = filled ? p.pw * point : row;
    const int64_t after = filled ? (p.pw + p.iw) * point : row;
    std::memset(to, zero, static_cast<std::size_t>(before));
    std::memset(to + after, zero, static_cast<std::size_t>(row - after));
  }
}

void compensate(const Problem& problem, const void* nest_weights, int32_t* sums) {
  const auto* w = static_cast<const int8_t*>(nest_weights);
  const bool conv = problem.is_conv();
  const int64_t groups = conv ? problem.conv().g : 1;
  const int64_t columns = conv ? problem.conv().oc / groups : problem.matmul().n;
  const int64_t reduction = conv ? problem.conv().ic / groups : problem.matmul().k;
  const int64_t taps = conv ? problem.conv().kd * problem.conv().kh * problem.conv().kw : 1;
  const int64_t length = unit_length(problem.wei), rows = taps * ceil_div(reduction, length);
  const bool transposed = b_in_units(problem);
  const int64_t row = transposed ? 1 : columns, column = transposed ? rows : 1;
  const int32_t zero = a_zero(problem);
  for (int64_t g = 0; g < groups; ++g, w += rows * columns * length, sums += columns) {
    for (int64_t j = 0; j < columns; ++j) sums[j] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < columns; ++j) {
        const int8_t* unit = w + (r * row + j * column) * length;
        const int32_t units = zero * (unit[0] + unit[1] + unit[2] + unit[3]);
        // Modulo 2^32, as the sums themselves.
        sums[j] = static_cast<int32_t>(static_cast<uint32_t>(sums[j]) - static_cast<uint32_t>(units));
      }
    }
  }
}

}  // namespace cortex
