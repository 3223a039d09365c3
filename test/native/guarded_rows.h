#pragma once

#include <algorithm>

#include "core/row_block.h"
#include "core/row_source.h"
#include "guarded_memory.h"

namespace test {

// Rows in memory that host code cannot touch. Messages read the caller's entries.
class GuardedRows : public gemmine::RowSource {
 public:
  // Needs access to the memory.
  GuardedRows(const gemmine::RowSource& from, DeviceMemory& memory)
      : from_(from),
        rows_(from.rows()),
        cols_(from.cols()),
        nonzeros_(from.nonzeros()),
        values_(memory.allocate(sparse() ? nonzeros_ : rows_ * cols_)) {
    argument = from.argument;
    first = from.first;
    gemmine::RowScratch scratch;
    if (!sparse()) {
      for (Index i = 0; i < rows_; ++i)
        std::copy_n(from.block(i, 1, scratch).dense.row(0), cols_, values_.get() + i * cols_);
      return;
    }
    starts_ = memory.allocate(2 * (rows_ + 1));  // elements of 8 bytes
    columns_ = memory.allocate(nonzeros_);
    const gemmine::RowBlock all = from.block(0, rows_, scratch);
    std::copy_n(all.indptr, rows_ + 1, starts());
    std::copy_n(all.indices, nonzeros_, columns());
    std::copy_n(all.values, nonzeros_, values_.get());
  }

  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }
  Index nonzeros() const override { return nonzeros_; }
  double entry(Index row, Index column) const override { return from_.entry(row, column); }
  const double* indptr() const override { return sparse() ? starts() : nullptr; }
  gemmine::RowBlock block(Index begin, Index count, gemmine::RowScratch&) const override {
    const bool dense = !sparse();
    return {.begin = begin,
            .count = count,
            .dense = {dense ? values_.get() + begin * cols_ : nullptr, count, cols_, cols_},
            .indptr = dense ? nullptr : starts() + begin,
            .indices = dense ? nullptr : columns(),
            .values = dense ? nullptr : values_.get()};
  }

 private:
  double* starts() const { return reinterpret_cast<double*>(starts_.get()); }
  std::int32_t* columns() const { return reinterpret_cast<std::int32_t*>(columns_.get()); }

  const gemmine::RowSource& from_;
  Index rows_;
  Index cols_;
  Index nonzeros_;
  std::shared_ptr<float[]> values_, starts_, columns_;
};

}  // namespace test
