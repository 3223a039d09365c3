#pragma once

#include <memory>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/cuda/entry_table.h"
#include "core/job.h"
#include "core/row_block.h"
#include "core/row_reader.h"

namespace gemmine::cuda {

// First rows of the blocks of a pass over these rows of a sparse X, then the row after the last
// one. They depend on d and the entries of these rows alone.
std::vector<Index> sparse_blocks(const RowSource& X, RowRange range);

// The entries of some rows column by column; see SparseRows.
struct ColumnOrder {
  std::vector<std::int64_t> column_starts;  // [d + 1], from 0
  std::vector<std::int32_t> row_of;         // number of the row, from `first_row` on
  std::vector<std::int64_t> position_of;    // from `first_position` on
};
ColumnOrder by_columns(const RowBlock& rows, Index d, Index first_row, Index first_position);

// A sparse X in memory of the device, with its entries column by column too. Reads by the host are
// those of the original, which is borrowed.
class ResidentSparse : public RowSource {
 public:
  // Bytes that it would take.
  static double bytes(const RowSource& X);
  // Whether rows have numbers of 32 bits.
  static bool supports(const RowSource& X);

  // Uploads X.
  ResidentSparse(const std::shared_ptr<Device>& device, const RowSource& X, const Job& job);

  Index rows() const override { return original_.rows(); }
  Index cols() const override { return original_.cols(); }
  Index nonzeros() const override { return original_.nonzeros(); }
  double entry(Index row, Index column) const override { return original_.entry(row, column); }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    return original_.block(begin, count, scratch);
  }
  const double* indptr() const override { return original_.indptr(); }

  SparseRows view(Index first, Index count) const;
  const float* values(Index first) const { return values_.data() + position(first); }

 private:
  Index position(Index row) const { return static_cast<Index>(original_.indptr()[row]); }
  void upload_chunk(const Device& device, Index chunk, const RowBlock& rows,
                    const ColumnOrder& order);

  const RowSource& original_;
  const std::vector<Index> firsts_;  // of the chunks
  Array<std::int64_t> starts_;
  Array<std::int32_t> columns_;
  Array<float> values_;
  Array<std::int64_t> column_starts_;
  Array<std::int32_t> row_of_;
  Array<std::int64_t> position_of_;
};

// The rows of a range of a sparse X in blocks, in memory of the device: parts of a resident copy,
// or uploaded one after the other.
class SparseStream {
 public:
  SparseStream(std::shared_ptr<Device> device, const RowSource& X, RowRange range, const Job& job);

  Index blocks() const { return static_cast<Index>(firsts_.size()) - 1; }
  Index first(Index block) const { return firsts_[block]; }  // row of X
  Index count(Index block) const { return firsts_[block + 1] - firsts_[block]; }
  Index most() const { return most_; }                  // rows of a block
  Index most_entries() const { return most_entries_; }  // of a block

  // Calls use(block, rows, their values) for each block in order; `use` queues work on
  // device.compute().
  template <class Use>
  void each_block(const Use& use) {
    for (Index b = 0; b < blocks(); ++b) {
      job_.cancellation.check();
      if (resident_ != nullptr) {
        use(b, resident_->view(first(b), count(b)), resident_->values(first(b)));
        continue;
      }
      const SparseRows rows = load(b);
      use(b, rows, values_.data());
    }
  }

 private:
  SparseRows load(Index block);

  const std::shared_ptr<Device> device_;
  const RowSource& X_;
  const Job& job_;
  const ResidentSparse* resident_;
  const RowReader reader_;
  const std::vector<Index> firsts_;
  Index most_ = 0, most_entries_ = 0;
  RowScratch scratch_;
  // Of a block, if X is not resident.
  Array<std::int64_t> starts_;
  Array<std::int32_t> columns_;
  Array<float> values_;
  Array<std::int64_t> column_starts_;
  Array<std::int32_t> row_of_;
  Array<std::int64_t> position_of_;
};

}  // namespace gemmine::cuda
