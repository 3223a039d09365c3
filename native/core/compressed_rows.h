#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/elements.h"
#include "core/job.h"

namespace gemmine {

enum class SparseLayout { csr, csc, coordinate };

// How the other half of the matrix follows if only one half is listed: not at all, as the
// transposed entries, or as the transposed entries with opposite sign.
enum class Mirror { none, symmetric, skew };

// One array of a sparse matrix as it is stored in a file: unaligned; positions are integers of any
// type.
struct FileArray {
  std::string name;  // used in messages
  const std::byte* data;
  ElementFormat format;
  Index count;
};

// The entries of a sparse matrix in any order, with repeats; nothing in the arrays is checked yet.
struct SparseEntries {
  SparseLayout layout;
  Mirror mirror;  // for coordinates only
  Index rows;
  Index cols;
  Index entries;     // number of listed entries; `minor` and `values` hold at least as many
  FileArray major;   // csr, csc: [rows + 1] or [cols + 1] starts; coordinate: rows
  FileArray minor;   // csr, coordinate: columns; csc: rows
  FileArray values;  // real numbers
};

// Converts entries to CSR with ascending columns in each row. Repeats are summed in float64 in
// their given order and rounded to float32 once. Returns the number of entries left.
//
// `indptr` is [rows + 1]; `indices` and `values` have room for all listed entries, twice as many if
// mirrored. Throws ErrorCode::file, naming the array, the entry and its value.
template <class Start>
Index compress_rows(const SparseEntries& given, std::span<Start> indptr,
                    std::span<std::int32_t> indices, std::span<float> values, const Job& job);
extern template Index compress_rows(const SparseEntries&, std::span<std::int32_t>,
                                    std::span<std::int32_t>, std::span<float>, const Job&);
extern template Index compress_rows(const SparseEntries&, std::span<double>,
                                    std::span<std::int32_t>, std::span<float>, const Job&);

}  // namespace gemmine
