#include "backend/cuda/row_stream.h"

#include <algorithm>

#include "core/pool.h"
#include "core/read_ahead.h"

namespace gemmine::cuda {
namespace {

constexpr Index most_block_rows = 16384;
constexpr Index least_block_rows = 256;
constexpr Index block_elements = Index{1} << 25;  // 128 MiB

// Rows that a thread of the pool reads at a time.
constexpr Index part_elements = 1 << 18;

std::vector<Index> cut(RowRange range, Index most) {
  const Index parts = range.count == 0 ? 0 : (range.count + most - 1) / most;
  std::vector<Index> firsts = {range.begin};
  for (Index i = 1; i <= parts; ++i)
    firsts.push_back(range.begin + range.count / parts * i + range.count % parts * i / parts);
  return firsts;
}

}  // namespace

Index block_rows(Index d) {
  return std::clamp(block_elements / std::max<Index>(1, d), least_block_rows, most_block_rows);
}

ResidentRows::ResidentRows(const std::shared_ptr<Device>& device, const RowSource& X,
                           const Job& job)
    : original_(X), there_(device, X.rows() * X.cols()) {
  argument = X.argument;
  first = X.first;
  RowStream stream(device, X, {.begin = 0, .count = X.rows()}, job);
  stream.each_block([&](Index block, In rows) {
    const Index bytes = stream.count(block) * X.cols() * static_cast<Index>(sizeof(float));
    const Copy copy{.direction = Direction::within,
                    .to = there_.data() + stream.first(block) * X.cols(),
                    .to_stride = bytes,
                    .from = rows.data,
                    .from_stride = bytes,
                    .width = bytes,
                    .rows = 1};
    device->require(device->runtime().copy(device->compute(), &copy));
  });
  device->synchronize();
}

std::unique_ptr<ReadAhead> ResidentRows::read_ahead(RowRange rows) const {
  return original_.read_ahead(rows);
}

RowStream::RowStream(std::shared_ptr<Device> device, const RowSource& X, RowRange range,
                     const Job& job)
    : device_(std::move(device)),
      job_(job),
      d_(X.cols()),
      resident_(dynamic_cast<const ResidentRows*>(&X)),
      reader_(X, resident_ == nullptr ? range : RowRange{.begin = range.begin, .count = 0}),
      firsts_(cut(range, block_rows(X.cols()))),
      scratch_(static_cast<std::size_t>(worker_count(job))) {
  for (Index b = 0; b < blocks(); ++b) most_ = std::max(most_, count(b));
  if (resident_ != nullptr) return;
  for (Index s = 0; s < std::min<Index>(2, blocks()); ++s)
    slots_.push_back(std::make_unique<Slot>(device_, most_ * d_));
  // Kept memory may still be in use by earlier work of compute(), which copies() does not follow.
  for (const auto& slot : slots_) slot->used.record(device_->compute());
}

// Copies that are under way end before their memory is freed, also after a failure.
RowStream::~RowStream() {
  device_->runtime().synchronize(device_->copies());
  device_->runtime().synchronize(device_->compute());
}

void RowStream::read(Index block, float* to) {
  const Index rows = count(block);
  const Index height = std::max<Index>(1, part_elements / d_);
  parallel_for(job_, (rows + height - 1) / height, [&](Index part, Index worker) {
    const Index begin = part * height;
    const Index here = std::min(height, rows - begin);
    const RowBlock from = reader_.block(first(block) + begin, here, scratch_[worker]);
    for (Index i = 0; i < here; ++i) std::copy_n(from.dense.row(i), d_, to + (begin + i) * d_);
  });
}

void RowStream::load(Index block) {
  if (resident_ != nullptr) return;
  Slot& slot = *slots_[block % 2];
  slot.copied.wait_on_host();
  read(block, slot.pinned.data());
  slot.used.wait(device_->copies());
  const Index bytes = count(block) * d_ * static_cast<Index>(sizeof(float));
  const Copy copy{.direction = Direction::to_device,
                  .to = slot.there.data(),
                  .to_stride = bytes,
                  .from = slot.pinned.data(),
                  .from_stride = bytes,
                  .width = bytes,
                  .rows = 1};
  device_->require(device_->runtime().copy(device_->copies(), &copy));
  slot.copied.record(device_->copies());
}

In RowStream::ready(Index block) {
  if (resident_ != nullptr) return {resident_->data() + first(block) * d_, d_};
  Slot& slot = *slots_[block % 2];
  slot.copied.wait(device_->compute());
  return {slot.there.data(), d_};
}

void RowStream::used(Index block) {
  if (resident_ == nullptr) slots_[block % 2]->used.record(device_->compute());
}

}  // namespace gemmine::cuda
