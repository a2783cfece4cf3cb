#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/nest/nest.h"
#include "support/checked.h"

namespace cortex {
namespace {

constexpr int64_t points_max = int64_t{1} << 62;

bool is_identifier(std::string_view s) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (s.empty() || !letter(s[0])) return false;
  return std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Verifier {
 public:
  explicit Verifier(const Nest& nest) : nest_(nest) {}

  Status run() const {
    if (Status s = dims(); !s) return s;
    for (Operand o : {Operand::a, Operand::b, Operand::c}) {
      if (Status s = tensor(o); !s) return s;
      if (Status s = subscripts(o); !s) return s;
    }
    if (Status s = kinds(); !s) return s;
    if (Status s = zero_point(); !s) return s;
    return distinct_writes();
  }

 private:
  Error refuse(std::string_view what, ErrorCode code = ErrorCode::invalid_argument) const {
    return {code, fmt::format("nest {}: {}", nest_.name, what)};
  }

  Status zero_point() const {
    const DataType type = nest_[Operand::a].tensor.type;
    const int32_t zero = nest_.a_zero_point;
    if (zero == 0 || (type == DataType::u8 && zero >= 0 && zero <= 255) ||
        (type == DataType::s8 && zero >= -128 && zero <= 127)) {
      return Status::success();
    }
    return refuse(fmt::format("zero point {} of A: elements of {} do not hold it", zero, dtype_name(type)));
  }

  Status dims() const {
    if (!is_identifier(nest_.name))
      return invalid_argument(fmt::format("nest name \"{}\" is no identifier", nest_.name));
    if (nest_.dims.empty()) return refuse("it has no dims: a single point still has one of extent 1");
    std::set<std::string_view> names;
    int64_t points = 1;
    for (const Dim& dim : nest_.dims) {
      if (!is_identifier(dim.name)) return refuse(fmt::format("dim name \"{}\" is no identifier", dim.name));
      if (!names.insert(dim.name).second) return refuse(fmt::format("dim {} occurs twice", dim.name));
      if (dim.extent < 1) return refuse(fmt::format("dim {} has extent {}, below 1", dim.name, dim.extent));
      const auto product = checked_mul(points, dim.extent);
      if (!product || *product > points_max) {
        return refuse(fmt::format("more than 2^62 points, reached at dim {}", dim.name), ErrorCode::overflow);
      }
      points = *product;
    }
    return Status::success();
  }

  Status tensor(Operand o) const {
    const Tensor& t = nest_[o].tensor;
    const auto fail = [&](std::string what, ErrorCode code = ErrorCode::invalid_argument) {
      return refuse(fmt::format("operand {}: tensor {}: {}", operand_name(o), t.name, what), code);
    };
    if (!is_identifier(t.name)) return fail("its name is no identifier");
    if (t.shape.size() != t.strides.size() || t.shape.size() != t.dim_names.size()) {
      return fail(fmt::format("{} sizes, {} strides, {} names: one each per dimension", t.shape.size(),
                              t.strides.size(), t.dim_names.size()));
    }
    std::set<std::string_view> names;
    int64_t bytes = size_of(t.type);  // from the first to the last element
    for (size_t i = 0; i < t.shape.size(); ++i) {
      const std::string& name = t.dim_names[i];
      if (!is_identifier(name)) return fail(fmt::format("dimension name \"{}\" is no identifier", name));
      if (!names.insert(name).second) return fail(fmt::format("dimension {} occurs twice", name));
      if (t.shape[i] < 1) return fail(fmt::format("dimension {} has size {}, below 1", name, t.shape[i]));
      if (t.strides[i] < 1)
        return fail(fmt::format("dimension {} has stride {}, below 1", name, t.strides[i]));
      const auto last = checked_mul(t.shape[i] - 1, t.strides[i]);
      const auto span = last ? checked_mul(*last, size_of(t.type)) : std::nullopt;
      const auto sum = span ? checked_add(bytes, *span) : std::nullopt;
      if (!sum || !checked_mul(t.shape[i], t.strides[i])) {
        return fail("its size in bytes overflows 64 bits", ErrorCode::overflow);
      }
      bytes = *sum;
    }
    return Status::success();
  }

  Status subscripts(Operand o) const {
    const Access& access = nest_[o];
    const Tensor& t = access.tensor;
    if (access.subscripts.size() != t.shape.size()) {
      return refuse(fmt::format("operand {}: {} subscripts for {} dimensions", operand_name(o),
                                access.subscripts.size(), t.shape.size()));
    }
    if (o == Operand::c && access.padded)
      return refuse("operand C is padded: a destination is written as it is");
    int64_t reach = 0;  // elements from the tensor's first, in either direction, over all subscripts
    for (size_t i = 0; i < t.shape.size(); ++i) {
      const auto fail = [&](std::string what, ErrorCode code = ErrorCode::invalid_argument) {
        return refuse(fmt::format("operand {}: subscript of {}: {}", operand_name(o), t.dim_names[i], what),
                      code);
      };
      std::set<int> seen;
      int64_t high = access.subscripts[i].constant;
      for (const AffineTerm& term : access.subscripts[i].terms) {
        if (term.dim < 0 || term.dim >= static_cast<int>(nest_.dims.size())) {
          return fail(fmt::format("dim number {} does not exist", term.dim));
        }
        const Dim& dim = nest_.dims[term.dim];
        if (!seen.insert(term.dim).second)
          return fail(fmt::format("dim {} has two terms: add them up", dim.name));
        if (term.coeff < 1)
          return fail(fmt::format("dim {} has coefficient {}, below 1", dim.name, term.coeff));
        const auto span = checked_mul(term.coeff, dim.extent - 1);
        const auto sum = span ? checked_add(high, *span) : std::nullopt;
        if (!sum || !checked_mul(term.coeff, t.strides[i]))
          return fail("it overflows 64 bits", ErrorCode::overflow);
        high = *sum;
      }
      const int64_t low = access.subscripts[i].constant;
      const auto farthest =
          low < -points_max ? std::nullopt : checked_mul(std::max(high, -low), t.strides[i]);
      const auto sum = farthest ? checked_add(reach, std::max(*farthest, int64_t{0})) : std::nullopt;
      if (!sum || *sum > points_max) return fail("its offset overflows 64 bits", ErrorCode::overflow);
      reach = *sum;
      if (!access.padded && (low < 0 || high >= t.shape[i])) {
        return fail(fmt::format("it ranges from {} to {}, outside [0, {}), and the access is not padded", low,
                                high, t.shape[i]));
      }
    }
    return Status::success();
  }

  bool in_c(int dim) const {
    for (const AffineExpr& subscript : nest_[Operand::c].subscripts) {
      for (const AffineTerm& term : subscript.terms) {
        if (term.dim == dim) return true;
      }
    }
    return false;
  }

  Status kinds() const {
    for (size_t d = 0; d < nest_.dims.size(); ++d) {
      const Dim& dim = nest_.dims[d];
      const bool written = in_c(static_cast<int>(d));
      if (dim.kind == DimKind::parallel && !written) {
        return refuse(fmt::format("dim {} is parallel but C has no subscript with it", dim.name));
      }
      if (dim.kind == DimKind::reduction && written) {
        return refuse(fmt::format("dim {} is a reduction but C is subscripted with it", dim.name));
      }
    }
    return Status::success();
  }

  // Distinct parallel points write distinct elements: with strides sorted, each steps beyond all that
  // the smaller ones reach. Sufficient, and true of every dense destination.
  Status distinct_writes() const {
    std::vector<std::pair<int64_t, int>> by_stride;
    for (size_t d = 0; d < nest_.dims.size(); ++d) {
      if (nest_.dims[d].kind == DimKind::parallel && nest_.dims[d].extent > 1) {
        by_stride.emplace_back(linear_stride(nest_[Operand::c], static_cast<int>(d)), static_cast<int>(d));
      }
    }
    std::sort(by_stride.begin(), by_stride.end());
    int64_t reach = 0;
    for (const auto& [stride, d] : by_stride) {
      if (stride <= reach) {
        return refuse(
            fmt::format("C: dim {} steps {} elements, within the {} that inner dims reach: an element would "
                        "be written twice",
                        nest_.dims[d].name, stride, reach + 1));
      }
      reach += stride * (nest_.dims[d].extent - 1);
    }
    return Status::success();
  }

  const Nest& nest_;
};

}  // namespace

Status verify(const Nest& nest) { return Verifier(nest).run(); }

}  // namespace cortex
