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

class ReadAhead;  // core/read_ahead.h
struct RowBlock;  // core/row_block.h
struct RowScratch;

// Location of the elements of a dense source: in memory, or in a file.
struct RowPlace {
  const void* memory;  // null for a file
  std::uint64_t device;
  std::uint64_t file;
  Index offset;  // bytes
  Index stride;  // elements
  ElementType type;
  bool swapped;  // bytes

  bool operator==(const RowPlace&) const = default;
};

// X, one sample per row: a borrowed typed array, a file read block by block, or CSR rows. Elements
// are returned as float32; several threads may request blocks at once.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual Index rows() const = 0;
  virtual Index cols() const = 0;
  virtual Index nonzeros() const { return -1; }  // -1: dense
  bool sparse() const { return nonzeros() >= 0; }

  // Called once for every row, by several threads for different rows, before any other read of a
  // corpus in preparation. Sources that own their rows copy them here, where the rows are read
  // anyway.
  virtual void take(Index, Index) const {}

  // The block refers to the caller's memory (zero copy), or to `scratch` until its next use.
  virtual RowBlock block(Index begin, Index count, RowScratch& scratch) const = 0;

  // For a caller that reads these rows in about ascending order, see RowReader; null where the rows
  // need not be fetched.
  virtual std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const;

  // The entry in its own type, for messages: a float64 may be beyond the range of float32.
  virtual double entry(Index row, Index column) const = 0;

  // Row starts of CSR, [rows + 1]; null if dense.
  virtual const double* indptr() const { return nullptr; }

  // Empty if not known.
  virtual std::optional<RowPlace> place() const { return std::nullopt; }

  const char* argument = "X";  // name of this input in lib/, for messages
  Index first = 0;             // number of its first row there
};

// The error for an entry that is not finite as a float32.
InvalidEntry not_finite(const RowSource& source, Index row, Index column);

// Returns whether both are the same rows of the same memory or file, and hence equal.
bool same_rows(const RowSource& a, const RowSource& b);

// A source times 2^exponent, which is borrowed.
std::unique_ptr<RowSource> rescaled(const RowSource& source, int exponent);

// A range of rows of a dense source, which is borrowed.
std::unique_ptr<RowSource> rows_within(const RowSource& rows, RowRange range);

// Rows in borrowed memory. float32 is returned without a copy; other types are converted block by
// block. A block with an inexact integer (elements.h) throws InvalidEntry, also from a file.
std::unique_ptr<RowSource> dense_source(const void* data, ElementType type, Index rows, Index cols,
                                        Index stride);
// An open file, read with pread (never mapped: a mapped file that shrinks kills the process). A
// short read throws ErrorCode::file. The caller owns `fd` and may close it at any time.
std::unique_ptr<RowSource> file_source(int fd, Index offset, ElementFormat format, Index rows,
                                       Index cols, std::string path);
// Borrowed CSR arrays, already checked by lib/.
std::unique_ptr<RowSource> sparse_source(const double* indptr, const std::int32_t* indices,
                                         const float* values, Index rows, Index cols);

}  // namespace gemmine
