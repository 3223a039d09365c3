#pragma once

#include <bit>
#include <cstdint>

#include "core/matrix.h"

namespace gemmine {

// A set of corpus rows as bits: bit i of word w is row 32·w + i. Null words are the set of all
// rows. A request borrows the words.
struct RowFilter {
  const std::uint32_t* words = nullptr;  // [⌈rows / 32⌉]

  bool is_set() const { return words != nullptr; }
  bool holds(Index row) const { return (from(row / 32 * 32) >> (row % 32) & 1u) != 0; }
  // Bit i: row first + i. `first` is a multiple of 32.
  std::uint32_t from(Index first) const { return is_set() ? words[first / 32] : ~0u; }
};

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
