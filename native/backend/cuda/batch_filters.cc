#include "backend/cuda/batch_filters.h"

#include <algorithm>

#include "backend/cuda/score_tiles.h"

namespace gemmine::cuda {

BatchFilters::BatchFilters(const ScanRequest& request, Index rows)
    : request_(request), rows_(rows) {}

std::int64_t BatchFilters::place_of(const ScanQuery& query) {
  const auto [at, is_new] = places_.try_emplace({query.filter.words, query.filter.bits}, -1);
  if (!is_new) return at->second;
  const bool filtered = is_filtered(request_, query);
  if (filtered) at->second = static_cast<std::int64_t>(words_.size());
  any_.resize(static_cast<std::size_t>(whole_stretches(rows_) / stretch_rows));
  for (std::size_t i = 0; i < any_.size(); ++i) {
    const std::uint32_t bits = filtered_rows(request_, query, static_cast<Index>(i) * stretch_rows);
    any_[i] |= bits;
    if (filtered) words_.push_back(bits);
  }
  return at->second;
}

Index BatchFilters::next(Index first) const {
  while (first < rows_ && any_[first / stretch_rows] == 0) first += stretch_rows;
  return std::min(first, rows_);
}

}  // namespace gemmine::cuda
