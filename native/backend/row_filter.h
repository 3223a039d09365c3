#pragma once

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

}  // namespace gemmine
