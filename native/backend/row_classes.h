#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// Classes of corpus rows with equal texts. Of the rows of a class that a scan considers for a
// query, only the best can be admissible; the others are repeated rows. A row with a unique text
// has no class.
struct RowClasses {
  Index count = 0;                        // classes; 0: no row has one
  const std::int32_t* of = nullptr;       // [corpus rows], −1 for a row without a class
  const std::uint32_t* shared = nullptr;  // bit i of word w: row 32·w + i has a class
  const Index* starts = nullptr;          // [count + 1], into rows
  const std::int32_t* rows = nullptr;     // by class, ascending

  std::int32_t class_of(Index row) const { return count == 0 ? -1 : of[row]; }
  std::span<const std::int32_t> members(Index each) const {
    return {rows + starts[each], rows + starts[each + 1]};
  }
};

// Counts rows with a class, and their classes.
class ClassCount {
 public:
  explicit ClassCount(Index classes) : seen_((classes + 63) / 64) {}

  void add(std::int32_t row_class) {
    ++rows_;
    seen_[row_class / 64] |= std::uint64_t{1} << (row_class % 64);
  }
  bool has(std::int32_t row_class) const { return (seen_[row_class / 64] >> (row_class % 64)) & 1; }
  void merge(const ClassCount& other) {
    rows_ += other.rows_;
    for (std::size_t i = 0; i < seen_.size(); ++i) seen_[i] |= other.seen_[i];
  }
  // Number of rows added beyond the first of every class.
  Index repeated() const {
    Index classes = 0;
    for (const std::uint64_t each : seen_) classes += std::popcount(each);
    return rows_ - classes;
  }

 private:
  Index rows_ = 0;
  std::vector<std::uint64_t> seen_;
};

}  // namespace gemmine
