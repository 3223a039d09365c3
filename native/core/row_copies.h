#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/row_source.h"

namespace gemmine {

// Copies of a few rows of a source, in host memory.
class RowCopies {
 public:
  explicit RowCopies(const RowSource& source) : cols_(source.cols()), sparse_(source.sparse()) {}

  void reserve(Index rows);
  void append(const RowBlock& rows);

  // Calls visit(column, value) for the stored entries of row i: all entries if it is dense.
  template <class Visit>
  void each_entry(Index i, const Visit& visit) const {
    const auto first = static_cast<Index>(indptr_[i]);
    const auto end = static_cast<Index>(indptr_[i + 1]);
    for (Index at = first; at < end; ++at)
      visit(sparse_ ? Index{indices_[at]} : at - first, values_[at]);
  }
  // Writes row i, times `scale`, to `row` [d].
  void take(Index i, double scale, std::span<double> row) const;
  std::span<const float> values() const { return values_; }
  // The same rows as a source, which refers to this object.
  std::unique_ptr<RowSource> source() const;

 private:
  Index cols_;
  bool sparse_;
  std::vector<double> indptr_{0};  // starts of rows, in values_
  std::vector<std::int32_t> indices_;
  std::vector<float> values_;
};

}  // namespace gemmine
