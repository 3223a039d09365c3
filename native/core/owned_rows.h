#pragma once

#include <memory>

#include "core/aligned.h"
#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine {

// Dense rows in memory, in their own element type.
struct DenseElements {
  const void* data;
  ElementType type;
  Index rows;
  Index cols;
  Index stride;
};

// A copy of dense rows, without gaps between them; whole once every row was taken. Then `detach`
// has it forget where they lay, and further takes copy nothing.
class OwnedRows : public RowSource {
 public:
  OwnedRows(const DenseElements& from, const char* name);

  Index bytes() const;
  void detach() { from_.data = nullptr; }
  Index rows() const override { return from_.rows; }
  Index cols() const override { return from_.cols; }
  void take(Index begin, Index count) const override;  // copies rows from the borrowed memory
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    return view_->block(begin, count, scratch);
  }
  double entry(Index row, Index column) const override { return view_->entry(row, column); }

 private:
  DenseElements from_;
  Index row_bytes_;
  Aligned<std::byte> memory_;
  std::unique_ptr<RowSource> view_;
};

}  // namespace gemmine
