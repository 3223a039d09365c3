#pragma once

#include <memory>

#include "backend/cuda/device.h"
#include "core/job.h"
#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine::cuda {

// Brings rows of a source to the device while it works on those before: two buffers of pinned
// memory, two on the device.
class RowFeed {
 public:
  RowFeed(std::shared_ptr<Device> device, const RowSource& source, Index rows_at_once);
  ~RowFeed();
  RowFeed(const RowFeed&) = delete;
  RowFeed& operator=(const RowFeed&) = delete;

  Index rows_at_once() const { return rows_at_once_; }
  // Rows first .. first + count - 1 [count×cols] for later work of compute(): in `to` if it is not
  // null, else in a buffer until the next but one call. Call done() when this work was given to the
  // queue.
  const float* bring(Index first, Index count, float* to, const Job& job);
  void done();

 private:
  struct Buffer {
    explicit Buffer(const std::shared_ptr<Device>& device, Index elements)
        : pinned(device, elements), rows(device), arrived(device), used(device) {}
    PinnedArray<float> pinned;
    Array<float> rows;
    Mark arrived;  // the copy is done
    Mark used;     // the work on the rows is done
  };

  Buffer& buffer() { return turn_ == 0 ? first_ : second_; }
  void copy_to_pinned(Index first, Index count, float* to, const Job& job) const;

  std::shared_ptr<Device> device_;
  const RowSource& source_;
  Index rows_at_once_;
  Buffer first_, second_;
  int turn_ = 0;
};

}  // namespace gemmine::cuda
