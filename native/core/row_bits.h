#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// A set of rows as bits: bit i % 32 of word i / 32 stands for row i. Copies share their words by
// chunks of 8192 rows: a copy takes a pointer for each, and a change of a bit copies its chunk.
class RowBits {
 public:
  RowBits() = default;
  // All rows.
  explicit RowBits(Index rows) { grow(rows); }

  Index rows() const { return rows_; }
  std::uint32_t word(Index i) const { return (*chunks_[i / chunk_words])[i % chunk_words]; }
  bool has(Index row) const { return (word(row / 32) >> (row % 32) & 1u) != 0; }
  std::vector<std::uint32_t> words() const;  // [⌈rows / 32⌉]

  void erase(Index row) { own(row / 32) &= ~(1u << (row % 32)); }
  // Adds rows at the end, up to `rows`.
  void grow(Index rows);

 private:
  static constexpr Index chunk_words = 256;
  using Chunk = std::array<std::uint32_t, chunk_words>;

  // A word of a chunk that no copy shares.
  std::uint32_t& own(Index word);

  std::vector<std::shared_ptr<Chunk>> chunks_;
  Index rows_ = 0;
};

}  // namespace gemmine
