#include "core/checksum.h"

#include <bit>
#include <vector>

namespace gemmine {
namespace {

// Keys are odd: a key times a nonzero difference of two 32-bit numbers is never 0 modulo 2^64.
std::vector<std::uint32_t> keys_of(Index cols) {
  std::vector<std::uint32_t> keys(static_cast<std::size_t>(cols));
  std::uint32_t state = 0;
  for (std::uint32_t& key : keys) {
    state += 0x9E3779B9u;
    std::uint32_t mixed = (state ^ state >> 16) * 0x85EBCA6Bu;
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35u;
    key = mixed | 1;
  }
  return keys;
}

}  // namespace

std::uint64_t checksum(HostView<const float> rows) {
  const std::vector<std::uint32_t> keys = keys_of(rows.cols);
  std::uint64_t whole = 0;
  for (Index i = 0; i < rows.rows; ++i) {
    const float* row = rows.row(i);
    std::uint64_t sum = 0;
    for (Index t = 0; t < rows.cols; ++t)
      sum += std::uint64_t{keys[t]} * std::bit_cast<std::uint32_t>(row[t]);
    whole = whole * 0x9E3779B97F4A7C15u + sum;
  }
  return whole;
}

}  // namespace gemmine
