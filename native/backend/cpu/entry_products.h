#pragma once

#include <vector>

#include "backend/cpu/panels.h"
#include "backend/cpu/tile_entries.h"

namespace gemmine::cpu {

// A matrix B [d×c] as the right operand of products with terms of the entries of X, which are
// numbers for each entry of a tile that is read.
class EntryProducts {
 public:
  template <class Element>
  EntryProducts(const Kernels& kernels, Index d, Index cols, bool sparse, Element element)
      : kernels_(kernels),
        d_(d),
        cols_(cols),
        stride_(sparse ? whole_panels(cols, kernels.lanes) : padded_columns(cols, kernels)) {
    if (sparse)
      rows_ = pack_rows(d, cols, kernels, element, packed_);
    else
      pack_panels(d, cols, kernels, element, packed_);
  }

  Index cols() const { return cols_; }
  // Of the rows of a product and of a sum.
  Index stride() const { return stride_; }
  // The rows of B, if only stored entries are read.
  HostView<const float> rows() const { return {packed_.data(), d_, cols_, stride_}; }

  // to = terms·B [t×c].
  void multiply(const TileEntries& entries, const std::vector<float>& terms,
                HostView<float> to) const {
    if (entries.sparse)
      kernels_.sparse_multiply(with_values(entries, terms), rows_, to);
    else
      kernels_.multiply_panels(rows_of(dense(entries, terms)), packed_.data(), to, false);
  }

  // S [d×c] += termsᵀ·F, for F [t×c] in panels.
  void add_products(const TileEntries& entries, const std::vector<float>& terms,
                    const float* panels, std::vector<float>& S) const {
    const HostView<float> to = {S.data(), d_, cols_, stride_};
    if (entries.sparse)
      kernels_.sparse_add_at_b(with_values(entries, terms), panels, to);
    else
      kernels_.multiply_panels(columns_of(dense(entries, terms)), panels, to, true);
  }

 private:
  static SparseRows with_values(const TileEntries& entries, const std::vector<float>& values) {
    SparseRows rows = entries.rows;
    rows.values = values.data();
    return rows;
  }
  HostView<const float> dense(const TileEntries& entries, const std::vector<float>& terms) const {
    return {terms.data(), entries.count, d_, entries.x.stride};
  }

  const Kernels& kernels_;
  const Index d_;
  const Index cols_;
  const Index stride_;
  std::vector<float> packed_;
  RightRows rows_{};
};

}  // namespace gemmine::cpu
