#include "backend/cuda/row_feed.h"

#include <algorithm>
#include <vector>

#include "core/pool.h"

namespace gemmine::cuda {
namespace {

constexpr Index copied_at_once = 256;  // rows, by one thread

}  // namespace

RowFeed::RowFeed(std::shared_ptr<Device> device, const RowSource& source, Index rows_at_once)
    : device_(std::move(device)),
      source_(source),
      rows_at_once_(rows_at_once),
      first_(device_, rows_at_once * source.cols()),
      second_(device_, rows_at_once * source.cols()) {
  // Kept memory may still be in use by earlier work of compute(), which copies() does not follow.
  first_.used.record(device_->compute());
  second_.used.record(device_->compute());
}

// Copies that are under way read the pinned memory.
RowFeed::~RowFeed() {
  device_->runtime().synchronize(device_->copies());
  device_->runtime().synchronize(device_->compute());
}

void RowFeed::copy_to_pinned(Index first, Index count, float* to, const Job& job) const {
  const Index cols = source_.cols();
  std::vector<RowScratch> scratch(static_cast<std::size_t>(worker_count(job)));
  parallel_for(job, (count + copied_at_once - 1) / copied_at_once, [&](Index part, Index worker) {
    const Index begin = part * copied_at_once;
    const Index rows = std::min(copied_at_once, count - begin);
    const HostView<const float> block = source_.block(first + begin, rows, scratch[worker]).dense;
    for (Index i = 0; i < rows; ++i) std::copy_n(block.row(i), cols, to + (begin + i) * cols);
  });
}

const float* RowFeed::bring(Index first, Index count, float* to, const Job& job) {
  turn_ ^= 1;
  Buffer& now = buffer();
  now.arrived.wait_on_host();
  copy_to_pinned(first, count, now.pinned.data(), job);
  if (to == nullptr && now.rows.size() == 0) {
    now.rows.reserve(rows_at_once_ * source_.cols());
    now.used.record(device_->compute());
  }
  now.used.wait(device_->copies());
  if (to == nullptr) to = now.rows.data();
  const Index bytes = count * source_.cols() * Index{sizeof(float)};
  const Copy copy{Direction::to_device, to, bytes, now.pinned.data(), bytes, bytes, 1};
  device_->require(device_->runtime().copy(device_->copies(), &copy));
  now.arrived.record(device_->copies());
  now.arrived.wait(device_->compute());
  return to;
}

void RowFeed::done() { buffer().used.record(device_->compute()); }

}  // namespace gemmine::cuda
