#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix.h"

// What a RowSource yields. Only devices and owners of rows read it: code above the seams asks a
// device instead, which may hold the rows in memory of its own.
namespace gemmine {

// Some consecutive rows of a source: dense, or part of a CSR matrix.
struct RowBlock {
  Index begin;
  Index count;
  HostView<const float> dense;  // data is null for a sparse block

  // CSR: row begin + i has the entries t in indptr[i] .. indptr[i + 1] - 1 of `indices` and
  // `values`, which belong to the whole matrix.
  const double* indptr;  // [count + 1]; integers below 2^53, as JavaScript holds them
  const std::int32_t* indices;
  const float* values;
};

// Writes row i of a block, times `scale`, to `row` [d].
void take_row(const RowBlock& block, Index i, double scale, std::span<double> row);

// Memory that a block may need: converted elements, bytes read from a file. One per thread.
struct RowScratch {
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

}  // namespace gemmine
