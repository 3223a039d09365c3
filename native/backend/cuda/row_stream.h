#pragma once

#include <memory>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/cuda/pass_table.h"
#include "core/job.h"
#include "core/row_reader.h"

namespace gemmine::cuda {

// Rows of a dense X in a block of a pass: about 16 000, fewer for a wide X. Depends on d alone.
Index block_rows(Index d);

// A dense X in memory of the device. Reads by the host are those of the original, which is
// borrowed.
class ResidentRows : public RowSource {
 public:
  // Uploads X.
  ResidentRows(const std::shared_ptr<Device>& device, const RowSource& X, const Job& job);

  Index rows() const override { return original_.rows(); }
  Index cols() const override { return original_.cols(); }
  double entry(Index row, Index column) const override { return original_.entry(row, column); }
  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override;
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    return original_.block(begin, count, scratch);
  }
  std::optional<RowPlace> place() const override { return original_.place(); }

  const float* data() const { return there_.data(); }

 private:
  const RowSource& original_;
  Array<float> there_;  // [n×d]
};

// The rows of a range in blocks, in memory of the device: parts of a resident copy, or uploaded
// from pinned memory while the device works on the block before.
class RowStream {
 public:
  RowStream(std::shared_ptr<Device> device, const RowSource& X, RowRange range, const Job& job);
  ~RowStream();
  RowStream(const RowStream&) = delete;
  RowStream& operator=(const RowStream&) = delete;

  Index blocks() const { return static_cast<Index>(firsts_.size()) - 1; }
  Index first(Index block) const { return firsts_[block]; }  // row of X
  Index count(Index block) const { return firsts_[block + 1] - firsts_[block]; }
  Index most() const { return most_; }  // rows of a block

  // Calls use(block, rows) for each block in order; `use` queues work on device.compute().
  template <class Use>
  void each_block(const Use& use) {
    if (blocks() > 0) load(0);
    for (Index b = 0; b < blocks(); ++b) {
      job_.cancellation.check();
      use(b, ready(b));
      used(b);
      if (b + 1 < blocks()) load(b + 1);
    }
  }

 private:
  struct Slot {
    Slot(const std::shared_ptr<Device>& device, Index elements)
        : pinned(device, elements), there(device, elements), copied(device), used(device) {}
    PinnedArray<float> pinned;
    Array<float> there;
    Mark copied, used;
  };

  void load(Index block);
  In ready(Index block);
  void used(Index block);
  void read(Index block, float* to);

  const std::shared_ptr<Device> device_;
  const Job& job_;
  const Index d_;
  const ResidentRows* resident_;
  const RowReader reader_;
  std::vector<Index> firsts_;
  Index most_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<RowScratch> scratch_;  // one per worker
};

}  // namespace gemmine::cuda
