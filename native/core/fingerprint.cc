#include "core/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gemmine {
namespace {

// The finaliser of MurmurHash3: each bit of the input changes half of the bits of the output.
std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDu;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53u;
  return x ^ (x >> 33);
}

// Terms of the entries depend on their columns and are summed. Lanes are independent, so the loop
// vectorises.
std::uint64_t entry(float value, Index column) {
  const std::uint64_t bits = std::bit_cast<std::uint32_t>(value == 0 ? 0.0f : value);
  return bits * (2 * static_cast<std::uint64_t>(column) * 0x9E3779B97F4A7C15u + 1);
}

}  // namespace

std::uint64_t combine(std::uint64_t fingerprint, std::uint64_t next) {
  return mixed(fingerprint * 0x9E3779B97F4A7C15u + next);
}

std::uint64_t fingerprint_of(const RowBlock& block) {
  std::uint64_t all = 0;
  for (Index i = 0; i < block.count; ++i) {
    std::uint64_t row = 0;
    if (block.dense.data != nullptr) {
      const float* values = block.dense.row(i);
      for (Index t = 0; t < block.dense.cols; ++t) row += entry(values[t], t);
    } else {
      const auto end = static_cast<Index>(block.indptr[i + 1]);
      for (auto at = static_cast<Index>(block.indptr[i]); at < end; ++at)
        row += entry(block.values[at], block.indices[at]);
    }
    all = combine(all, row);
  }
  return all;
}

std::uint64_t fingerprint_of(std::span<const std::byte> bytes) {
  std::uint64_t all = bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, &bytes[at], std::min(sizeof(word), bytes.size() - at));
    all = combine(all, word);
  }
  return all;
}

}  // namespace gemmine
