#include "backend/proof/draw_list.h"

#include <algorithm>

namespace gemmine {
namespace {

bool by_key(const DrawnRow& a, const DrawnRow& b) { return a.key < b.key; }

}  // namespace

DrawList::DrawList(const Draw& draw)
    : draw_(draw),
      count_(static_cast<std::size_t>(draw.count)),
      capacity_(static_cast<std::size_t>(draw_capacity(draw))) {}

void DrawList::lower_limit(RowKey limit) {
  if (!(limit < limit_)) return;
  limit_ = limit;
  std::erase_if(rows_, [&](const DrawnRow& each) { return !(each.key < limit_); });
}

// Rows with keys above the last certainly drawn key are never drawn.
void DrawList::compact() {
  std::vector<RowKey> certain;
  for (const DrawnRow& each : rows_)
    if (each.certain) certain.push_back(each.key);
  if (certain.size() >= count_) {
    const auto last = certain.begin() + static_cast<std::ptrdiff_t>(count_) - 1;
    std::nth_element(certain.begin(), last, certain.end());
    lower_limit({last->key, last->row + 1});
  }
  if (rows_.size() <= capacity_ - capacity_ / 4) return;
  const auto middle = rows_.begin() + static_cast<std::ptrdiff_t>(capacity_ / 2);
  std::nth_element(rows_.begin(), middle, rows_.end(), by_key);
  lower_limit(middle->key);
}

void DrawList::merge(const DrawList& other) {
  rows_.insert(rows_.end(), other.rows_.begin(), other.rows_.end());
  lower_limit(other.limit_);
}

std::vector<DrawnRow> DrawList::take() {
  std::erase_if(rows_, [&](const DrawnRow& each) { return !(each.key < limit_); });
  std::sort(rows_.begin(), rows_.end(), by_key);
  return std::move(rows_);
}

}  // namespace gemmine
