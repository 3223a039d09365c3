#include "core/transpose.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace gemmine {
namespace {

// Rows and columns of a tile: its source and its target fit in the L1 cache.
constexpr Index side = 32;

template <class T>
void transpose_as(const std::byte* from, std::byte* to, Index rows, Index cols, const Job& job) {
  const auto* columns = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
  for (Index i0 = 0; i0 < rows; i0 += side) {
    job.cancellation.check();
    const Index i1 = std::min(rows, i0 + side);
    for (Index j0 = 0; j0 < cols; j0 += side)
      for (Index i = i0; i < i1; ++i)
        for (Index j = j0; j < std::min(cols, j0 + side); ++j)
          target[i * cols + j] = columns[j * rows + i];
  }
}

}  // namespace

void transpose(const std::byte* from, std::byte* to, Index rows, Index cols, Index size,
               const Job& job) {
  switch (size) {
    case 1:
      return transpose_as<std::uint8_t>(from, to, rows, cols, job);
    case 2:
      return transpose_as<std::uint16_t>(from, to, rows, cols, job);
    case 4:
      return transpose_as<std::uint32_t>(from, to, rows, cols, job);
    default:
      expect(size == 8, "elements of 1, 2, 4 or 8 bytes");
      return transpose_as<std::uint64_t>(from, to, rows, cols, job);
  }
}

}  // namespace gemmine
