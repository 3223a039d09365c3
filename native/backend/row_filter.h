#pragma once

#include <bit>
#include <cstdint>

#include "core/matrix.h"
#include "core/row_bits.h"

namespace gemmine {

// A set of corpus rows as bits: bit i of word w is row 32·w + i. Without words and bits it is the
// set of all rows. A request borrows them.
struct RowFilter {
  const std::uint32_t* words = nullptr;  // [⌈rows / 32⌉]
  const RowBits* bits = nullptr;         // the same in chunks, if there are no words

  bool is_set() const { return words != nullptr || bits != nullptr; }
  bool holds(Index row) const { return (from(row / 32 * 32) >> (row % 32) & 1u) != 0; }
  // Bit i: row first + i. `first` is a multiple of 32.
  std::uint32_t from(Index first) const {
    if (words != nullptr) return words[first / 32];
    return bits != nullptr ? bits->word(first / 32) : ~0u;
  }
  bool operator==(const RowFilter&) const = default;
};

// The end of the rows from `begin` on that are all in the set or all outside, at most `end`.
inline Index end_of_stretch(RowFilter filter, Index begin, Index end) {
  if (!filter.is_set()) return end;
  const bool holds = filter.holds(begin);
  Index at = begin + 1;
  while (at < end && filter.holds(at) == holds) ++at;
  return at;
}

// Whether a set has one of the rows begin .. end − 1.
inline bool holds_any(RowFilter filter, Index begin, Index end) {
  return begin < end && (filter.holds(begin) || end_of_stretch(filter, begin, end) < end);
}

// Rows of a corpus in a set.
inline Index count_rows(RowFilter filter, Index rows) {
  if (!filter.is_set()) return rows;
  Index count = 0;
  for (Index row = 0; row < rows; row += 32) {
    const std::uint32_t within = rows - row < 32 ? (1u << (rows - row)) - 1 : ~0u;
    count += std::popcount(filter.from(row) & within);
  }
  return count;
}

}  // namespace gemmine
