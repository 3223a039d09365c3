#include "backend/cuda/sparse_stream.h"

#include <algorithm>
#include <limits>

#include "core/pool.h"
#include "core/read_ahead.h"

namespace gemmine::cuda {
namespace {

// Adding the S of a block in float64 costs d·k elements, so a block needs many entries.
constexpr Index entries_by_column = 16;
constexpr Index block_entries = Index{1} << 20;
constexpr Index most_block_rows = 65536;

std::vector<std::int64_t> starts_of(const RowBlock& rows, Index first_position) {
  std::vector<std::int64_t> starts(static_cast<std::size_t>(rows.count + 1));
  for (Index i = 0; i <= rows.count; ++i)
    starts[i] = static_cast<Index>(rows.indptr[i] - rows.indptr[0]) + first_position;
  return starts;
}
Index entries_of(const RowBlock& rows) {
  return static_cast<Index>(rows.indptr[rows.count] - rows.indptr[0]);
}

template <class T>
void copy_up(const Device& device, T* to, const T* from, Index count) {
  if (count == 0) return;
  const auto bytes = static_cast<std::int64_t>(count * sizeof(T));
  const Copy copy{Direction::to_device, to, bytes, from, bytes, bytes, 1};
  device.require(device.runtime().copy(device.compute(), &copy));
}

}  // namespace

std::vector<Index> sparse_blocks(const RowSource& X, RowRange range) {
  const auto wanted = static_cast<double>(std::max(entries_by_column * X.cols(), block_entries));
  const double* starts = X.indptr();
  const Index end = range.begin + range.count;
  std::vector<Index> firsts = {range.begin};
  for (Index row = range.begin + 1; row < end; ++row)
    if (starts[row] - starts[firsts.back()] >= wanted || row - firsts.back() == most_block_rows)
      firsts.push_back(row);
  if (range.count > 0) firsts.push_back(end);
  return firsts;
}

ColumnOrder by_columns(const RowBlock& rows, Index d, Index first_row, Index first_position) {
  const auto begin = static_cast<Index>(rows.indptr[0]);
  const Index count = entries_of(rows);
  ColumnOrder order{std::vector<std::int64_t>(static_cast<std::size_t>(d + 1)),
                    std::vector<std::int32_t>(static_cast<std::size_t>(count)),
                    std::vector<std::int64_t>(static_cast<std::size_t>(count))};
  for (Index e = 0; e < count; ++e) ++order.column_starts[rows.indices[begin + e] + 1];
  for (Index t = 0; t < d; ++t) order.column_starts[t + 1] += order.column_starts[t];
  std::vector<std::int64_t> next(order.column_starts.begin(), order.column_starts.end() - 1);
  for (Index i = 0; i < rows.count; ++i) {
    const auto end = static_cast<Index>(rows.indptr[i + 1]);
    for (auto at = static_cast<Index>(rows.indptr[i]); at < end; ++at) {
      const std::int64_t place = next[rows.indices[at]]++;
      order.row_of[place] = static_cast<std::int32_t>(first_row + i);
      order.position_of[place] = first_position + (at - begin);
    }
  }
  return order;
}

double ResidentSparse::bytes(const RowSource& X) {
  const auto chunks = static_cast<double>(sparse_blocks(X, {0, X.rows()}).size());
  return 8.0 * static_cast<double>(X.rows()) + 20.0 * static_cast<double>(X.nonzeros()) +
         8.0 * chunks * static_cast<double>(X.cols() + 1);
}

bool ResidentSparse::supports(const RowSource& X) {
  return X.rows() <= std::numeric_limits<std::int32_t>::max();
}

ResidentSparse::ResidentSparse(const std::shared_ptr<Device>& device, const RowSource& X,
                               const Job& job)
    : original_(X),
      firsts_(sparse_blocks(X, {.begin = 0, .count = X.rows()})),
      starts_(device, X.rows() + 1),
      columns_(device, X.nonzeros()),
      values_(device, X.nonzeros()),
      column_starts_(device, (static_cast<Index>(firsts_.size()) - 1) * (X.cols() + 1)),
      row_of_(device, X.nonzeros()),
      position_of_(device, X.nonzeros()) {
  argument = X.argument;
  first = X.first;
  const auto chunks = static_cast<Index>(firsts_.size()) - 1;
  const Index at_once = std::max<Index>(1, worker_count(job));
  std::vector<ColumnOrder> orders(static_cast<std::size_t>(at_once));
  std::vector<RowScratch> scratch(static_cast<std::size_t>(at_once));
  std::vector<RowBlock> blocks(static_cast<std::size_t>(at_once));
  const RowReader reader(X);
  for (Index begin = 0; begin < chunks; begin += at_once) {
    const Index here = std::min(at_once, chunks - begin);
    parallel_for(job, here, [&](Index c, Index) {
      const Index row = firsts_[begin + c];
      blocks[c] = reader.block(row, firsts_[begin + c + 1] - row, scratch[c]);
      orders[c] = by_columns(blocks[c], X.cols(), row, position(row));
    });
    for (Index c = 0; c < here; ++c) upload_chunk(*device, begin + c, blocks[c], orders[c]);
  }
}

void ResidentSparse::upload_chunk(const Device& device, Index chunk, const RowBlock& rows,
                                  const ColumnOrder& order) {
  const Index row = firsts_[chunk], at = position(row), count = entries_of(rows);
  const auto begin = static_cast<Index>(rows.indptr[0]);
  const Index d = original_.cols();
  const std::vector<std::int64_t> starts = starts_of(rows, at);
  std::vector<std::int64_t> column_starts = order.column_starts;
  for (std::int64_t& place : column_starts) place += at;
  const auto up = [&](auto* to, const auto* from, Index length) {
    copy_up(device, to, from, length);
  };
  up(starts_.data() + row, starts.data(), rows.count + 1);
  up(columns_.data() + at, rows.indices + begin, count);
  up(values_.data() + at, rows.values + begin, count);
  up(column_starts_.data() + chunk * (d + 1), column_starts.data(), d + 1);
  up(row_of_.data() + at, order.row_of.data(), count);
  up(position_of_.data() + at, order.position_of.data(), count);
  device.synchronize();
}

SparseRows ResidentSparse::view(Index first, Index count) const {
  // The chunks that hold some of these rows.
  const auto begin = std::ranges::upper_bound(firsts_, first) - firsts_.begin() - 1;
  const auto end = std::ranges::lower_bound(firsts_, first + count) - firsts_.begin();
  return {.rows = count,
          .cols = cols(),
          .first_entry = position(first),
          .starts = starts_.data() + first,
          .columns = columns_.data() + position(first),
          .chunks = end - begin,
          .first_row = first,
          .column_starts = column_starts_.data() + begin * (cols() + 1),
          .row_of = row_of_.data(),
          .position_of = position_of_.data()};
}

SparseStream::SparseStream(std::shared_ptr<Device> device, const RowSource& X, RowRange range,
                           const Job& job)
    : device_(std::move(device)),
      X_(X),
      job_(job),
      resident_(dynamic_cast<const ResidentSparse*>(&X)),
      reader_(X, range),
      firsts_(sparse_blocks(X, range)),
      starts_(device_),
      columns_(device_),
      values_(device_),
      column_starts_(device_),
      row_of_(device_),
      position_of_(device_) {
  for (Index b = 0; b < blocks(); ++b) {
    most_ = std::max(most_, count(b));
    most_entries_ = std::max(
        most_entries_, static_cast<Index>(X.indptr()[firsts_[b + 1]] - X.indptr()[firsts_[b]]));
  }
  if (resident_ != nullptr) return;
  starts_.reserve(most_ + 1);
  columns_.reserve(most_entries_);
  values_.reserve(most_entries_);
  column_starts_.reserve(X.cols() + 1);
  row_of_.reserve(most_entries_);
  position_of_.reserve(most_entries_);
}

// The host puts a block in order while the device works on the block before; the copies wait.
SparseRows SparseStream::load(Index block) {
  const RowBlock rows = reader_.block(first(block), count(block), scratch_);
  const auto begin = static_cast<Index>(rows.indptr[0]);
  const Index entries = entries_of(rows);
  const std::vector<std::int64_t> starts = starts_of(rows, 0);
  const ColumnOrder order = by_columns(rows, X_.cols(), 0, 0);
  const Device& device = *device_;
  copy_up(device, starts_.data(), starts.data(), rows.count + 1);
  copy_up(device, columns_.data(), rows.indices + begin, entries);
  copy_up(device, values_.data(), rows.values + begin, entries);
  copy_up(device, column_starts_.data(), order.column_starts.data(), X_.cols() + 1);
  copy_up(device, row_of_.data(), order.row_of.data(), entries);
  copy_up(device, position_of_.data(), order.position_of.data(), entries);
  device.synchronize();  // the copies read memory of this call
  return {.rows = rows.count,
          .cols = X_.cols(),
          .first_entry = 0,
          .starts = starts_.data(),
          .columns = columns_.data(),
          .chunks = 1,
          .first_row = 0,
          .column_starts = column_starts_.data(),
          .row_of = row_of_.data(),
          .position_of = position_of_.data()};
}

}  // namespace gemmine::cuda
