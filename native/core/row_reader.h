#pragma once

#include <memory>

#include "core/read_ahead.h"
#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine {

// A range of rows that several threads read in about ascending order, once: those of a file are
// brought into memory ahead.
class RowReader {
 public:
  RowReader(const RowSource& rows, RowRange range) : rows_(rows), ahead_(rows.read_ahead(range)) {}
  explicit RowReader(const RowSource& rows) : RowReader(rows, {.begin = 0, .count = rows.rows()}) {}

  RowBlock block(Index begin, Index count, RowScratch& scratch) const {
    if (ahead_) ahead_->reached(begin + count);
    return rows_.block(begin, count, scratch);
  }

 private:
  const RowSource& rows_;
  std::unique_ptr<ReadAhead> ahead_;
};

}  // namespace gemmine
