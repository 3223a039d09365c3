#pragma once

#include <vector>

#include "backend/cuda/entry_table.h"
#include "cuda/kernel_bench.h"

namespace test {

// Some rows of a sparse matrix whose entries lie in several chunks, as those of a resident X.
struct SparseScene {
  SparseScene(Index n, Index d, Index first, Index count)
      : n(n), d(d), first(first), count(count), chunks{0, n / 5, n / 2, n}, all(n * d) {
    const CounterRandom random(11, 2);
    for (Index i = 0; i < n; ++i)
      for (Index t = 0; t < d; ++t) {
        const auto x = static_cast<float>(random.normal(i, static_cast<std::uint32_t>(t)));
        // Rows and columns without entries, and a column with one in each row.
        const bool stored = t == 1 || (std::abs(x) > 0.8f && i % 11 != 5 && t % 13 != 6);
        all[i * d + t] = stored ? x : 0;
      }
  }

  float at(Index i, Index t) const { return all[(first + i) * d + t]; }
  // visit(row of the block, column, place in arrays of its entries)
  template <class Visit>
  void each(const Visit& visit) const {
    Index place = 0;
    for (Index i = 0; i < count; ++i)
      for (Index t = 0; t < d; ++t)
        if (at(i, t) != 0) visit(i, t, place++);
  }
  Index entries() const {
    Index number = 0;
    each([&](Index, Index, Index) { ++number; });
    return number;
  }

  Index n, d;
  Index first, count;         // the rows of the block
  std::vector<Index> chunks;  // their first rows, and n
  std::vector<float> all;     // [n×d]
};

// The block in memory of the device; entries of other rows are there too.
struct SparseThere {
  SparseThere(const std::shared_ptr<Device>& device, const SparseScene& s)
      : scene(s),
        starts(device),
        columns(device),
        values_there(device),
        column_starts(device),
        row_of(device),
        position_of(device) {
    std::vector<std::int64_t> positions(s.n * s.d), begin{0}, of_column, at;
    std::vector<std::int32_t> in_row, rows_of;
    std::vector<float> x;
    for (Index i = 0; i < s.n; ++i) {
      for (Index t = 0; t < s.d; ++t)
        if (s.all[i * s.d + t] != 0) {
          positions[i * s.d + t] = static_cast<std::int64_t>(x.size());
          x.push_back(s.all[i * s.d + t]);
          in_row.push_back(static_cast<std::int32_t>(t));
        }
      begin.push_back(static_cast<std::int64_t>(x.size()));
    }
    for (std::size_t c = 0; c + 1 < s.chunks.size(); ++c) {
      for (Index t = 0; t < s.d; ++t) {
        of_column.push_back(static_cast<std::int64_t>(at.size()));
        for (Index i = s.chunks[c]; i < s.chunks[c + 1]; ++i)
          if (s.all[i * s.d + t] != 0) {
            rows_of.push_back(static_cast<std::int32_t>(i));
            at.push_back(positions[i * s.d + t]);
          }
      }
      of_column.push_back(static_cast<std::int64_t>(at.size()));
    }
    first_entry = begin[s.first];
    starts.upload(begin);
    columns.upload(in_row);
    values_there.upload(x);
    column_starts.upload(of_column);
    row_of.upload(rows_of);
    position_of.upload(at);
  }

  SparseRows rows() const {
    return {.rows = scene.count,
            .cols = scene.d,
            .first_entry = first_entry,
            .starts = starts.data() + scene.first,
            .columns = columns.data() + first_entry,
            .chunks = static_cast<Index>(scene.chunks.size()) - 1,
            .first_row = scene.first,
            .column_starts = column_starts.data(),
            .row_of = row_of.data(),
            .position_of = position_of.data()};
  }
  const float* values() const { return values_there.data() + first_entry; }

  SparseScene scene;
  Index first_entry = 0;
  Array<std::int64_t> starts;
  Array<std::int32_t> columns;
  Array<float> values_there;
  Array<std::int64_t> column_starts;
  Array<std::int32_t> row_of;
  Array<std::int64_t> position_of;
};

}  // namespace test
