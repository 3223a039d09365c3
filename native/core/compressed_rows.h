#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/elements.h"
#include "core/job.h"

namespace gemmine {

enum class SparseLayout { csr, csc, coordinate };

// What stands for the other half of a matrix of which one half is listed: nothing, the entries with
// rows and columns changed, or those with their signs turned.
enum class Mirror { none, symmetric, skew };

// One array of a sparse matrix as it lies in a file: unaligned, integers of any type for places.
struct FileArray {
  std::string name;  // how messages call it
  const std::byte* data;
  ElementFormat format;
  Index count;
};

// The entries of a sparse matrix in any order, with repeats; nothing in the arrays is checked yet.
struct SparseEntries {
  SparseLayout layout;
  Mirror mirror;  // of coordinates alone
  Index rows;
  Index cols;
  Index entries;     // listed; `minor` and `values` hold at least as many
  FileArray major;   // csr, csc: [rows + 1] or [cols + 1] starts; coordinate: rows
  FileArray minor;   // csr, coordinate: columns; csc: rows
  FileArray values;  // real numbers
};

// Compresses entries by rows: columns ascend within a row; repeats are summed in float64, in the
// order in which they are listed, and rounded to float32 once. Gives the number of entries left.
//
// `indptr` is [rows + 1]; `indices` and `values` hold as many as are listed, twice where mirrored.
// Throws ErrorCode::file, naming the array, the entry and its value.
template <class Start>
Index compress_rows(const SparseEntries& given, std::span<Start> indptr,
                    std::span<std::int32_t> indices, std::span<float> values, const Job& job);
extern template Index compress_rows(const SparseEntries&, std::span<std::int32_t>,
                                    std::span<std::int32_t>, std::span<float>, const Job&);
extern template Index compress_rows(const SparseEntries&, std::span<double>,
                                    std::span<std::int32_t>, std::span<float>, const Job&);

}  // namespace gemmine
