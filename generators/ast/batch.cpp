#include "generators/ast/batch.h"

#include <fmt/format.h>

namespace cortex {
namespace {

constexpr std::size_t max_table =
    16384;  // entries; beyond it the tables would not stay in L1 beside the tile

struct BatchDim {
  Expr len;
  std::set<int64_t> values;  // that len takes
  int64_t a = 0, b = 0;      // byte strides
};

// Neighbours whose strides nest become one: (kh, kw) of a dense box is one run of kh*kw.
std::vector<BatchDim> merged(const std::vector<BatchDim>& dims) {
  std::vector<BatchDim> out;
  for (auto d = dims.rbegin(); d != dims.rend(); ++d) {
    if (d->len.is_constant(1)) continue;
    if (!out.empty()) {
      BatchDim& inner = out.back();
      const int64_t n = inner.len.is_constant() ? inner.len.value : 0;
      if (n > 0 && d->a == n * inner.a && d->b == n * inner.b) {
        std::set<int64_t> values;
        for (const int64_t v : d->values) values.insert(v * n);
        inner = {d->len * inner.len, std::move(values), inner.a, inner.b};
        continue;
      }
    }
    out.push_back(*d);
  }
  return {out.rbegin(), out.rend()};
}

// Tables for every combination of inner lengths; the outermost dim's length only cuts a table short.
struct Tables {
  const std::vector<BatchDim>& dims;
  std::vector<int64_t> a, b;
  bool too_long = false;

  // Index of the first entry, as an expression that picks the combination at hand.
  Expr choose(std::size_t d, std::vector<int64_t> lens) {
    if (d == dims.size()) {
      const auto first = static_cast<int64_t>(a.size());
      fill(0, 0, 0, lens);
      return first;
    }
    Expr chosen = 0;
    bool empty = true;
    for (const int64_t value : dims[d].values) {
      std::vector<int64_t> with = lens;
      with.push_back(value);
      const Expr here = choose(d + 1, with);
      chosen = empty ? here : select(equal(dims[d].len, value), here, chosen);
      empty = false;
    }
    return chosen;
  }

  void fill(std::size_t d, int64_t at_a, int64_t at_b, const std::vector<int64_t>& lens) {
    if (too_long) return;
    if (d == dims.size()) {
      a.push_back(at_a);
      b.push_back(at_b);
      too_long = a.size() > max_table;
      return;
    }
    const int64_t n = d == 0 ? *dims[0].values.rbegin() : lens[d - 1];
    for (int64_t i = 0; i < n; ++i) fill(d + 1, at_a + i * dims[d].a, at_b + i * dims[d].b, lens);
  }
};

}  // namespace

Result<std::vector<Field>> batch_fields(const Program& program, const TileLoops& loops, Function& f) {
  const ProgramKernel& kernel = program.kernel;
  std::vector<BatchDim> dims;
  for (std::size_t i = 0; i < kernel.batch_dims.size(); ++i) {
    const int d = kernel.batch_dims[i];
    const int l = loops.innermost(d);
    dims.push_back({loops.len(l, d), loops.lens(l, d), kernel.a_batch_stride[i], kernel.b_batch_stride[i]});
  }
  dims = merged(dims);

  std::vector<Field> fields;
  Expr count = 1;
  for (const BatchDim& d : dims) count = count * d.len;
  fields.push_back({"batch", count});
  if (dims.size() == 1) {
    fields.push_back({"a_batch_stride", Expr(dims[0].a)});
    fields.push_back({"b_batch_stride", Expr(dims[0].b)});
  }
  if (dims.size() < 2) return fields;

  Tables tables{dims, {}, {}};
  const Expr first = tables.choose(1, {});
  if (tables.too_long) {
    return unsupported(
        fmt::format("{}: a batch of more than {} products that no single stride describes; schedule a "
                    "loop over one of its dims",
                    program.nest.name, max_table));
  }
  f.tables.push_back({"a_offsets", std::move(tables.a)});
  f.tables.push_back({"b_offsets", std::move(tables.b)});
  fields.push_back({"a_offsets", Pointer{"a_offsets", first}});
  fields.push_back({"b_offsets", Pointer{"b_offsets", first}});
  return fields;
}

}  // namespace cortex
