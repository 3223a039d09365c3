#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/elements.h"
#include "core/error.h"
#include "core/job.h"
#include "core/matrix.h"

namespace gemmine {

// Some consecutive rows of a source: dense, or the part of a CSR matrix.
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

// `row` [d] becomes row i of a block, times the scale.
void take_row(const RowBlock& block, Index i, double scale, std::span<double> row);

// Memory that a block may need: widened elements, bytes read from a file. One for each thread.
struct RowScratch {
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

// Where the elements of a dense source lie: in memory, or in a file.
struct RowPlace {
  const void* memory;  // null in a file
  std::uint64_t device;
  std::uint64_t file;
  Index offset;  // bytes
  Index stride;  // elements
  ElementType type;
  bool swapped;  // bytes

  bool operator==(const RowPlace&) const = default;
};

// X, one sample per row: a borrowed typed array, a file read block by block, or CSR rows. Elements
// are seen as float32; blocks can be asked for by several threads at once.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual Index rows() const = 0;
  virtual Index cols() const = 0;
  virtual Index nonzeros() const { return -1; }  // -1: dense
  bool sparse() const { return nonzeros() >= 0; }

  // Called for every row once, by several threads for different rows, before anything else is read
  // of a corpus that is prepared: sources that copy their rows do so here, while somebody looks at
  // them.
  virtual void take(Index, Index) const {}

  // The block's memory is the caller's (zero copy) or lies in `scratch` until its next use.
  virtual RowBlock block(Index begin, Index count, RowScratch& scratch) const = 0;

  // An entry as the source holds it, for messages: a float64 may lie beyond float32's range.
  virtual double entry(Index row, Index column) const = 0;

  // Row starts of CSR, [rows + 1]; null when dense.
  virtual const double* indptr() const { return nullptr; }

  // Nothing where it is not known.
  virtual std::optional<RowPlace> place() const { return std::nullopt; }

  const char* argument = "X";  // how lib/ calls this input, for messages
  Index first = 0;             // what number its first row has there
};

// For an entry that is not finite as a float32.
InvalidEntry not_finite(const RowSource& source, Index row, Index column);

// Whether both are the same rows of the same memory or file, so that they cannot differ.
bool same_rows(const RowSource& a, const RowSource& b);

// Some rows of a dense source, which is borrowed.
std::unique_ptr<RowSource> rows_within(const RowSource& rows, RowRange range);

// Borrowed memory; float32 is handed on without a copy, anything else is widened by block. Blocks
// that hold an inexact integer (elements.h) throw InvalidEntry, those of files too.
std::unique_ptr<RowSource> dense_source(const void* data, ElementType type, Index rows, Index cols,
                                        Index stride);
// An open file, read with pread (never mapped: a mapped file that shrinks kills the process). A
// short read throws ErrorCode::file. `fd` stays the caller's, to be closed at any time.
std::unique_ptr<RowSource> file_source(int fd, Index offset, ElementFormat format, Index rows,
                                       Index cols, std::string path);
// Borrowed CSR arrays, checked by lib/ already.
std::unique_ptr<RowSource> sparse_source(const double* indptr, const std::int32_t* indices,
                                         const float* values, Index rows, Index cols);

}  // namespace gemmine
