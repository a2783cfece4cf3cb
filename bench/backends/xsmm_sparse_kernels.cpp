#include <fmt/format.h>
#include <libxsmm.h>

#include <algorithm>
#include <set>

#include "bench/backends/xsmm_sparse.h"
#include "support/checked.h"

namespace cortex::bench::xsmm {
namespace {

constexpr int64_t line_floats = 16;

// Rows [first, last) of A that one kernel multiplies: LIBXSMM writes the pattern into the code, of which a
// kernel may have 128 KB, so a large A is cut.
struct RowBlock {
  int64_t first = 0, last = 0;
};

// `cost(row)` of a block's rows adds up to at most `limit`; empty where one row alone has more.
template <typename Cost>
std::vector<RowBlock> cut_rows(const SparseRows& a, int64_t limit, Cost cost) {
  std::vector<RowBlock> blocks;
  for (int64_t row = 0; row < a.rows;) {
    RowBlock block{row, row};
    for (int64_t sum = cost(row); row < a.rows && sum <= limit; sum += row < a.rows ? cost(row) : 0) {
      block.last = ++row;
    }
    if (block.last == block.first) return {};
    blocks.push_back(block);
  }
  return blocks;
}

// Work of a panel's columns with a block's rows, cut among threads; either may be the outer loop.
class BlockedProduct : public SparseProduct {
 public:
  void run(int thread, int threads, const float* b, float* c, const RowsDone& done) override {
    const auto blocks = static_cast<int64_t>(blocks_.size()), panels = panels_.count(), all = blocks * panels;
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; ++i) {
      const int64_t panel = rows_outer_ ? i % panels : i / blocks,
                    block = rows_outer_ ? i / panels : i % blocks;
      const RowBlock& rows = blocks_[block];
      const int64_t column = panel * panels_.width;
      multiply(block, panels_.width_of(panel) < panels_.width, b + panels_.offset(0, a_.depth, column),
               c + panels_.offset(rows.first, a_.rows, column));
      // No kernel writes rows of zeros.
      for (int64_t row = rows.first; row < rows.last; ++row) {
        if (a_.count(row) > 0) continue;
        float* const to = c + panels_.offset(row, a_.rows, column);
        std::fill(to, to + panels_.width_of(panel), 0.0f);
      }
      done(panel, rows.first, rows.last - rows.first);
    }
  }

 protected:
  BlockedProduct(const SparseRows& a, Panels panels, bool rows_outer) : a_(a), rows_outer_(rows_outer) {
    panels_ = panels;
  }
  virtual void multiply(int64_t block, bool last_panel, const float* b, float* c) = 0;
  // Widths of panels for which kernels are needed: all but the last, the last.
  std::vector<int64_t> widths() const {
    const int64_t rest = panels_.columns % panels_.width;
    return rest ? std::vector<int64_t>{panels_.width, rest} : std::vector<int64_t>{panels_.width};
  }
  bool empty(const RowBlock& block) const { return a_.first[block.last] == a_.first[block.first]; }

  const SparseRows& a_;
  std::vector<RowBlock> blocks_;

 private:
  bool rows_outer_;
};

// libxsmm_create_xcsr_soa: a broadcast of each value, and up to 28 vectors of columns in registers.
class SoaProduct : public BlockedProduct {
 public:
  SoaProduct(const SparseRows& a, int64_t columns, int64_t vectors, int64_t vector, bool rows_outer)
      : BlockedProduct(a, {columns, vectors * vector}, rows_outer), vector_(vector) {
    kernel_ = "csr soa";
    variant_ = fmt::format("columns {} {}", vectors * vector, rows_outer ? "rows outer" : "columns outer");
  }
  ~SoaProduct() override {
    for (const std::vector<libxsmm_xmmfunction>& kernels : kernels_) {
      for (const libxsmm_xmmfunction kernel : kernels) {
        if (kernel.xmm) libxsmm_release_kernel(address(kernel));
      }
    }
  }

  // Bytes of code per value and row: instructions of at most 10 bytes, one per vector and one more.
  static int64_t code_bytes(int64_t vectors) { return 10 + 10 * vectors; }

  bool create() {
    constexpr int64_t most = 120000;  // of 128 KB
    const int64_t vectors = panels_.width / vector_;
    blocks_ = cut_rows(a_, most / code_bytes(vectors), [&](int64_t row) { return a_.count(row) + 2; });
    if (blocks_.empty()) return false;
    for (const int64_t width : widths()) {
      kernels_.emplace_back();
      for (const RowBlock& block : blocks_) {
        kernels_.back().push_back({});
        if (empty(block)) continue;
        std::vector<unsigned> first(a_.first.begin() + block.first, a_.first.begin() + block.last + 1);
        const unsigned from = first[0];
        for (unsigned& at : first) at -= from;
        const auto n = static_cast<libxsmm_blasint>(width / vector_);
        libxsmm_descriptor_blob blob;
        const libxsmm_gemm_descriptor* descriptor = libxsmm_gemm_descriptor_dinit(
            &blob, LIBXSMM_GEMM_PRECISION_F32, static_cast<libxsmm_blasint>(block.last - block.first), n,
            static_cast<libxsmm_blasint>(a_.depth), 0, n, n, 1.0, 0.0, LIBXSMM_GEMM_FLAG_NONE,
            LIBXSMM_GEMM_PREFETCH_NONE);
        if (!descriptor) return false;
        kernels_.back().back() =
            libxsmm_create_xcsr_soa(descriptor, first.data(), a_.index.data() + from, a_.values.data() + from,
                                    static_cast<unsigned>(vector_));
        if (!kernels_.back().back().xmm) return false;
      }
    }
    return true;
  }

  std::vector<std::span<const std::byte>> weights() const override {
    std::vector<std::span<const std::byte>> all = {std::as_bytes(std::span(a_.values))};
    for (const std::vector<libxsmm_xmmfunction>& kernels : kernels_) {
      for (const libxsmm_xmmfunction kernel : kernels) {
        libxsmm_kernel_info info;
        if (kernel.xmm && libxsmm_get_kernel_info(address(kernel), &info) == 0)
          all.emplace_back(static_cast<const std::byte*>(address(kernel)), info.code_size);
      }
    }
    return all;
  }

 private:
  static const void* address(libxsmm_xmmfunction kernel) { return reinterpret_cast<const void*>(kernel.xmm); }
  void multiply(int64_t block, bool last_panel, const float* b, float* c) override {
    const libxsmm_xmmfunction kernel = kernels_[last_panel][block];
    if (kernel.xmm) kernel.smm(a_.values.data() + a_.first[blocks_[block].first], b, c);
  }

  int64_t vector_;
  std::vector<std::vector<libxsmm_xmmfunction>> kernels_;  // [full or last panel][block of rows]
};

// libxsmm_sfsspmdm: values in registers, 16 columns at a time. AVX-512, and 480 values at most: beyond, it
// would multiply with the zeros too.
class RegisterProduct : public BlockedProduct {
 public:
  static constexpr int64_t most_values = 480;

  RegisterProduct(const SparseRows& a, int64_t columns, int64_t width)
      : BlockedProduct(a, {columns, width}, false) {
    kernel_ = "fsspmdm";
    variant_ = fmt::format("columns {}", width);
  }
  ~RegisterProduct() override {
    for (const std::vector<libxsmm_sfsspmdm*>& handles : handles_) {
      for (libxsmm_sfsspmdm* handle : handles) {
        if (handle) libxsmm_sfsspmdm_destroy(handle);
      }
    }
  }

  bool create() {
    blocks_ = cut_rows(a_, most_values, [&](int64_t row) { return a_.count(row); });
    if (blocks_.empty()) return false;
    for (const int64_t width : widths()) {
      handles_.emplace_back();
      for (const RowBlock& block : blocks_) {
        handles_.back().push_back(nullptr);
        if (empty(block)) continue;
        std::vector<float> dense(static_cast<std::size_t>((block.last - block.first) * a_.depth));
        for (int64_t row = block.first; row < block.last; ++row) {
          for (unsigned at = a_.first[row]; at < a_.first[row + 1]; ++at)
            dense[(row - block.first) * a_.depth + a_.index[at]] = a_.values[at];
        }
        const auto n = static_cast<libxsmm_blasint>(width), k = static_cast<libxsmm_blasint>(a_.depth);
        handles_.back().back() =
            libxsmm_sfsspmdm_create(static_cast<libxsmm_blasint>(block.last - block.first), n, k, k, n, n,
                                    1.0f, 0.0f, 0, dense.data());
        if (!handles_.back().back()) return false;
      }
    }
    return true;
  }
  // Its code's address is its own affair; values are in the code.
  std::vector<std::span<const std::byte>> weights() const override { return {}; }

 private:
  void multiply(int64_t block, bool last_panel, const float* b, float* c) override {
    if (const libxsmm_sfsspmdm* handle = handles_[last_panel][block]) libxsmm_sfsspmdm_execute(handle, b, c);
  }

  std::vector<std::vector<libxsmm_sfsspmdm*>> handles_;  // [full or last panel][block of rows]
};

// libxsmm_spmdm: slices of A compressed at run time, no pattern in code. One panel of all columns.
class SliceProduct : public SparseProduct {
 public:
  SliceProduct(const SparseRows& a, int64_t columns, int threads) : a_(a), threads_(threads) {
    panels_ = {columns, columns};
    kernel_ = "spmdm";
  }
  ~SliceProduct() override {
    if (slices_) libxsmm_spmdm_destroy(&handle_);
  }

  bool create() {
    libxsmm_spmdm_init(static_cast<int>(a_.rows), static_cast<int>(panels_.columns),
                       static_cast<int>(a_.depth), threads_, &handle_, &slices_);
    if (!slices_) return false;
    std::vector<float> dense(static_cast<std::size_t>(a_.rows * a_.depth));
    for (int64_t row = 0; row < a_.rows; ++row) {
      for (unsigned at = a_.first[row]; at < a_.first[row + 1]; ++at)
        dense[row * a_.depth + a_.index[at]] = a_.values[at];
    }
    for (int i = 0; i < slices(); ++i)
      libxsmm_spmdm_createSparseSlice_fp32_thread(&handle_, 'N', dense.data(), slices_, i, 0, 1);
    variant_ = fmt::format("slices {}x{} columns {}", handle_.bm, handle_.bk, handle_.bn);
    return true;
  }
  void run(int thread, int threads, const float* b, float* c, const RowsDone& done) override {
    const float one = 1, zero = 0;
    const int64_t blocks = libxsmm_spmdm_get_num_compute_blocks(&handle_);
    for (int64_t i = blocks * thread / threads; i < blocks * (thread + 1) / threads; ++i) {
      libxsmm_spmdm_compute_fp32_thread(&handle_, 'N', 'N', &one, slices_, b, 'N', &zero, c,
                                        static_cast<int>(i), thread, threads);
    }
    if (threads > 1) {
#pragma omp barrier
    }
    const int64_t first = a_.rows * thread / threads, last = a_.rows * (thread + 1) / threads;
    done(0, first, last - first);
  }
  std::vector<std::span<const std::byte>> weights() const override {
    std::vector<std::span<const std::byte>> all;
    for (int i = 0; i < slices(); ++i) {
      const libxsmm_CSR_sparseslice& slice = slices_[i];
      const int row_block = i % handle_.mb;
      const std::size_t rows = std::min(handle_.bm, handle_.m - row_block * handle_.bm);
      const std::size_t count = slice.rowidx[rows];
      all.push_back(std::as_bytes(std::span(slice.rowidx, rows + 1)));
      all.push_back(std::as_bytes(std::span(slice.colidx, count)));
      all.push_back(std::as_bytes(std::span(slice.values, count)));
    }
    return all;
  }

 private:
  int slices() const { return libxsmm_spmdm_get_num_createSparseSlice_blocks(&handle_); }

  const SparseRows& a_;
  int threads_;
  libxsmm_spmdm_handle handle_{};
  libxsmm_CSR_sparseslice* slices_ = nullptr;
};

template <typename Product, typename... Parameters>
MakeProduct make(const SparseRows& a, Parameters... parameters) {
  return [&a, parameters...]() -> std::unique_ptr<SparseProduct> {
    auto product = std::make_unique<Product>(a, parameters...);
    if (!product->create()) return nullptr;
    return product;
  };
}

}  // namespace

std::vector<MakeProduct> sparse_products(const SparseRows& a, int64_t columns, Isa isa, int threads) {
  const bool avx512 = isa >= Isa::avx512;
  const int64_t vector = avx512 ? 16 : 8;
  constexpr int64_t most_code = int64_t{64} << 20;
  const auto values = static_cast<int64_t>(a.values.size());
  std::vector<MakeProduct> all = {make<SliceProduct>(a, columns, threads)};
  std::set<int64_t> counts;
  for (const int64_t n :
       avx512 ? std::vector<int64_t>{1, 2, 3, 4, 7, 13} : std::vector<int64_t>{2, 3, 4, 6, 12})
    counts.insert(std::min(n, columns / vector));
  for (const int64_t n : counts) {
    if (values * SoaProduct::code_bytes(n) > most_code) continue;
    for (const bool rows_outer : {false, true})
      all.push_back(make<SoaProduct>(a, columns, n, vector, rows_outer));
  }
  if (avx512 && values <= 64 * RegisterProduct::most_values) {
    for (const int64_t width : {line_floats, 2 * line_floats, 4 * line_floats, columns}) {
      if (width <= columns) all.push_back(make<RegisterProduct>(a, columns, width));
    }
  }
  return all;
}

}  // namespace cortex::bench::xsmm
