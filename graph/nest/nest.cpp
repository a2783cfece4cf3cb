#include "graph/nest/nest.h"

namespace cortex {

int64_t byte_size(const Tensor& tensor) {
  int64_t bytes = size_of(tensor.type);
  for (const int64_t extent : tensor.shape) bytes *= extent;
  return bytes;
}

const char* operand_name(Operand operand) {
  switch (operand) {
    case Operand::a:
      return "A";
    case Operand::b:
      return "B";
    case Operand::c:
      return "C";
  }
  return "?";
}

int Nest::dim_index(std::string_view dim_name) const {
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].name == dim_name) return static_cast<int>(d);
  }
  return -1;
}

int64_t linear_stride(const Access& access, int dim) {
  int64_t stride = 0;
  for (size_t t = 0; t < access.subscripts.size(); ++t) {
    for (const AffineTerm& term : access.subscripts[t].terms) {
      if (term.dim == dim) stride += term.coeff * access.tensor.strides[t];
    }
  }
  return stride;
}

int64_t linear_constant(const Access& access) {
  int64_t offset = 0;
  for (size_t t = 0; t < access.subscripts.size(); ++t) {
    offset += access.subscripts[t].constant * access.tensor.strides[t];
  }
  return offset;
}

int64_t multiply_adds(const Nest& nest) {
  int64_t count = 1;
  for (const Dim& dim : nest.dims) count *= dim.extent;
  return count;
}

}  // namespace cortex
