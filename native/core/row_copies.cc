#include "core/row_copies.h"

#include <algorithm>

#include "core/row_block.h"

namespace gemmine {

void RowCopies::reserve(Index rows) {
  if (!sparse_) values_.reserve(static_cast<std::size_t>(rows * cols_));
}

void RowCopies::append(const RowBlock& rows) {
  for (Index i = 0; i < rows.count; ++i) {
    if (!sparse_) {
      values_.insert(values_.end(), rows.dense.row(i), rows.dense.row(i) + cols_);
    } else {
      const auto first = static_cast<Index>(rows.indptr[i]);
      const auto end = static_cast<Index>(rows.indptr[i + 1]);
      indices_.insert(indices_.end(), rows.indices + first, rows.indices + end);
      values_.insert(values_.end(), rows.values + first, rows.values + end);
    }
    indptr_.push_back(static_cast<double>(values_.size()));
  }
}

void RowCopies::take(Index i, double scale, std::span<double> row) const {
  if (sparse_) std::ranges::fill(row, 0.0);
  each_entry(
      i, [&](Index t, float value) { row[t] = sparse_ ? row[t] + value * scale : value * scale; });
}

std::unique_ptr<RowSource> RowCopies::source() const {
  const auto rows = static_cast<Index>(indptr_.size()) - 1;
  if (!sparse_) return dense_source(values_.data(), ElementType::float32, rows, cols_, cols_);
  return sparse_source(indptr_.data(), indices_.data(), values_.data(), rows, cols_);
}

}  // namespace gemmine
