#include "bench/reference/operands.h"

#include <fmt/format.h>

#include <cmath>

#include "bench/reference/elements.h"
#include "bench/reference/shapes.h"
#include "support/fnv.h"

namespace cortex::bench {
namespace {

float unit_float(uint32_t bits) {  // 24 bits -> [-1, 1)
  return static_cast<float>(static_cast<int32_t>(bits >> 8) - (1 << 23)) * 0x1p-23f;
}

Status fill(AlignedBuffer& buffer, int64_t count, uint64_t seed, const char* what) {
  buffer = AlignedBuffer(static_cast<std::size_t>(count) * sizeof(float));
  if (!buffer) {
    return Error{ErrorCode::out_of_memory,
                 fmt::format("cannot allocate {} bytes for {}: choose a smaller problem", count * 4, what)};
  }
  fill_uniform(buffer.as<float>(), count, seed);
  return Status::success();
}

// Values in [-1, 1) to elements of the type.
void turn(AlignedBuffer& buffer, int64_t count, DataType type) {
  float* x = buffer.as<float>();
  for (int64_t i = 0; i < count; ++i) {
    if (type == DataType::bf16) x[i] = from_bf16(to_bf16(x[i]));
    if (type == DataType::u8) x[i] = std::floor((x[i] + 1) * 128);
    if (type == DataType::s8) x[i] = std::floor(x[i] * 128);
    if (type == DataType::s32) x[i] = std::floor(x[i] * 1000);
  }
}

}  // namespace

void fill_uniform(float* values, int64_t count, uint64_t seed) {
  Random random(seed);
  int64_t i = 0;
  for (; i + 1 < count; i += 2) {
    const uint64_t bits = random.next();
    values[i] = unit_float(static_cast<uint32_t>(bits));
    values[i + 1] = unit_float(static_cast<uint32_t>(bits >> 32));
  }
  if (i < count) values[i] = unit_float(static_cast<uint32_t>(random.next()));
}

Result<Operands> make_operands(const Problem& problem, uint64_t seed) {
  const uint64_t base = fnv1a(problem_key(problem)) ^ (seed * 0x9e3779b97f4a7c15u);
  Operands o;
  if (Status s = fill(o.a, a_elements(problem), base + 1, "A"); !s) return s.error();
  if (Status s = fill(o.b, b_elements(problem), base + 2, "B"); !s) return s.error();
  if (problem.epilogue.bias) {
    if (Status s = fill(o.bias, bias_elements(problem), base + 3, "the bias"); !s) return s.error();
  }
  if (problem.epilogue.residual) {
    if (Status s = fill(o.residual, c_elements(problem), base + 4, "the residual"); !s) return s.error();
  }
  if (problem.src == DataType::f32) return o;
  const int64_t outputs = bias_elements(problem);
  if (problem.epilogue.scale) {
    if (Status s = fill(o.scale, outputs, base + 5, "the scale"); !s) return s.error();
  }
  turn(o.a, a_elements(problem), problem.src);
  turn(o.b, b_elements(problem), problem.wei);
  if (problem.epilogue.residual) turn(o.residual, c_elements(problem), problem.dst);
  // Sums come out a few dozen wide, so that few saturate and all digits count.
  const float usual = 32 / (128.0f * 74 * std::sqrt(static_cast<float>(reduction_length(problem))));
  for (int64_t i = 0; i < outputs && problem.epilogue.scale; ++i) {
    float& x = o.scale.as<float>()[i];
    x = usual * (1 + 0.5f * x);
  }
  for (int64_t i = 0; i < outputs && problem.epilogue.bias && problem.epilogue.scale; ++i) {
    o.bias.as<float>()[i] *= 16;
  }
  return o;
}

}  // namespace cortex::bench
