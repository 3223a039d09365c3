#pragma once

#include <cstdint>
#include <tuple>

#include "core/matrix.h"
#include "core/random.h"

namespace gemmine {

inline constexpr std::uint32_t draw_stream = 0x6D696E65;  // apart from other random numbers

// An unweighted draw: the key of a row depends on the seed, the query and the row alone, and the
// `count` rows with the smallest keys are a uniform subset.
struct Draw {
  Index count = 0;
  std::uint64_t seed = 0;
  std::uint64_t query = 0;  // its number among all queries, not its place in the request
  // [corpus rows], ascending: numbers of the rows in the whole corpus; null if they are the rows.
  const std::int32_t* row_numbers = nullptr;

  std::uint64_t key(std::int32_t row) const {
    const std::int32_t number = row_numbers == nullptr ? row : row_numbers[row];
    return CounterRandom(seed, draw_stream).bits(query, static_cast<std::uint32_t>(number));
  }
};

// Ordered by key; equal keys by row.
struct RowKey {
  std::uint64_t key;
  std::int32_t row;

  bool operator<(const RowKey& other) const {
    return std::tie(key, row) < std::tie(other.key, other.row);
  }
};

}  // namespace gemmine
