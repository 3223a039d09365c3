#pragma once

#include <limits>
#include <vector>

#include "backend/scans.h"

namespace gemmine {

struct DrawnRow {
  RowKey key;
  double score;  // canonical, if known
  bool certain;  // the row is certainly admissible
};

// The rows of a stream that may be among the draw.count admissible ones with the smallest keys. The
// capacity limits the rows that are not certainly admissible.
class DrawList {
 public:
  explicit DrawList(const Draw& draw);

  void push(std::int32_t row, double score, bool certain) {
    const RowKey key{draw_.key(row), row};
    if (!(key < limit_)) return;
    rows_.push_back({key, score, certain});
    if (rows_.size() >= capacity_) compact();
  }
  void merge(const DrawList& other);
  // The rows with keys below the limit, in the order of their keys.
  std::vector<DrawnRow> take();
  // Whether no row was left out. Otherwise rows above the limit are missing, and the draw is proven
  // only if enough of the other rows are admissible.
  bool is_complete() const { return limit_.key == highest_key; }

 private:
  static constexpr std::uint64_t highest_key = std::numeric_limits<std::uint64_t>::max();

  void compact();
  void lower_limit(RowKey limit);

  Draw draw_;
  std::size_t count_;
  std::size_t capacity_;
  RowKey limit_{highest_key, std::numeric_limits<std::int32_t>::max()};
  std::vector<DrawnRow> rows_;
};

// Entries of a full list.
inline Index draw_capacity(const Draw& draw) { return draw.count == 0 ? 0 : 4 * draw.count + 64; }

}  // namespace gemmine
