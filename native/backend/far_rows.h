#pragma once

#include <algorithm>
#include <vector>

#include "backend/assignment.h"

namespace gemmine {

// Keeps the rows of the highest ranks, independent of the order of calls.
class FarRows {
 public:
  void clear() {
    rows_.clear();
    threshold_ = 0;
  }

  void add(const FarRow& row, Index wanted) {
    if (wanted == 0 || !(row.rank > threshold_)) return;
    rows_.push_back(row);
    if (static_cast<Index>(rows_.size()) < 2 * wanted + slack) return;
    std::nth_element(rows_.begin(), rows_.begin() + wanted - 1, rows_.end(), higher);
    rows_.resize(wanted);
    // A later row of equal rank is dropped: within a block its index is higher.
    threshold_ = rows_.back().rank;
  }

  const std::vector<FarRow>& rows() const { return rows_; }

  static void take_highest(std::vector<FarRow>& rows, Index wanted) {
    std::ranges::sort(rows, higher);
    if (static_cast<Index>(rows.size()) > wanted) rows.resize(wanted);
  }

 private:
  static constexpr Index slack = 32;  // entries, so that selections are rare

  static bool higher(const FarRow& a, const FarRow& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.row < b.row;
  }

  std::vector<FarRow> rows_;
  double threshold_ = 0;
};

}  // namespace gemmine
