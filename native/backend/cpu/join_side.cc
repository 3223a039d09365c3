#include "backend/cpu/join_side.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/canonical_scan.h"
#include "backend/proof/rescoring.h"
#include "backend/proof/scan_bounds.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Index rank_at_once = 32;  // rows

// Scores in the common unit are below 64: scaled rows of a corpus are shorter than 4, and so are
// queries, except for l2, where a query of offset −o scores at most 2o + 16. Two roundings to
// float32 change such a number by less than column_slack.
constexpr double column_slack = 0x1p-17;
constexpr double nearest_offset = 32;  // largest |offset| for which column_slack is enough
// The same for the float64 roundings of a bound that is converted to another row's units.
constexpr double turned_slack = 0x1p-44;

Index parts_of(Index rows, Index part) { return (rows + part - 1) / part; }

}  // namespace

JoinSide::JoinSide(const ScanRequest& request, const Asked& asked, const Asked& open,
                   std::vector<ScanBound> bounds, Index others, bool last, double unit)
    : request_(request),
      asked_(asked),
      bounds_(std::move(bounds)),
      unit_(unit),
      is_open_(asked.size()),
      filters_(parts_of(size(), tile_queries)),
      columns_(parts_of(size(), panel_rows) * panel_rows, infinity) {
  for (Index i = 0, next = 0; next < static_cast<Index>(open.size()); ++i) {
    is_open_[i] = asked[i] == open[next];
    next += is_open_[i];
  }
  for (Index tile = 0; tile < static_cast<Index>(filters_.size()); ++tile)
    filters_[tile].count =
        static_cast<int>(std::min<Index>(tile_queries, size() - tile * tile_queries));
  const int widenings = last ? most_widenings : first_widenings;
  lists_.reserve(size());
  for (Index i = 0; i < size(); ++i) {
    const ScanBound& bound = bounds_[i];
    rows_.push_back(row_of(i));
    lists_.emplace_back(asked[i]->depth, others, widenings,
                        thresholds_of(*asked[i], bound).admissible, 2 * bound.error);
    if (!is_open_[i]) lists_[i].release();
    unlimited_ = unlimited_ || asked[i]->depth == every_row;
    update(i);
  }
  for (Index tile = 0; tile < static_cast<Index>(filters_.size()); ++tile)
    units_.push_back(units_of(tile));
}

JoinSide::Row JoinSide::row_of(Index i) const {
  const ScanBound& bound = bounds_[i];
  const auto barred = asked_[i]->barred;
  return {.above = bound.offset + bound.error,
          .below = bound.offset - bound.error,
          .scale = bound.unit / unit_,
          .inverse_scale = unit_ / bound.unit,
          .slack = turned_slack * (std::abs(bound.offset) + 1),
          .number = static_cast<std::int32_t>(asked_[i]->query),
          .first_barred = barred.empty() ? 1 : barred.front(),
          .last_barred = barred.empty() ? 0 : barred.back()};
}

ColumnUnits JoinSide::units_of(Index tile) const {
  ColumnUnits units{};
  for (int q = 0; q < filters_[tile].count; ++q) {
    const Index i = tile * tile_queries + q;
    const Row& row = rows_[i];
    const double far = std::abs(bounds_[i].offset) * row.scale / nearest_offset;
    units.scale[q] = static_cast<float>(row.scale);  // a power of two
    units.shift[q] = bounds::float_above(row.above * row.scale + column_slack * std::max(1.0, far));
  }
  return units;
}

bool JoinSide::bars(Index i, std::int32_t other) const {
  const Row& row = rows_[i];
  if (other < row.first_barred || other > row.last_barred) return false;
  const auto barred = asked_[i]->barred;
  return std::binary_search(barred.begin(), barred.end(), other);
}

void JoinSide::prefetch(Index first, Index count) const {
  const Index end = std::min(first + count, size());
  for (Index i = first; i < end; ++i) {
    __builtin_prefetch(&lists_[i], 1);
    __builtin_prefetch(&rows_[i]);
  }
  for (Index i = first; i < end; ++i) lists_[i].prefetch();
}

void JoinSide::take(Index i, const Candidate& candidate) {
  if (bars(i, candidate.row)) return;
  CandidateList& list = lists_[i];
  list.push(candidate.upper, candidate.lower, candidate.row);
  if (unlimited_) held_.fetch_add(1, std::memory_order_relaxed);
  if (list.threshold() == threshold(i)) return;
  overflowing_ += list.overflow();
  update(i);
}

void JoinSide::update(Index i) {
  const Row& row = rows_[i];
  const float threshold = lists_[i].threshold();
  this->threshold(i) = threshold;
  columns_[i] =
      std::isinf(threshold) ? threshold : bounds::float_below((threshold + row.above) * row.scale);
}

Asked JoinSide::rank(std::vector<Ranking>& rankings, const Job& job) {
  const auto& queries = dynamic_cast<const CpuQueries&>(request_.queries);
  std::vector<CanonicalScorer> scorers(worker_count(job), scorer_of(queries));
  parallel_for(job, parts_of(size(), rank_at_once), [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * rank_at_once, size());
    for (Index i = chunk * rank_at_once; i < end; ++i) {
      if (lists_[i].overflow() || !is_open_[i]) continue;
      const ScanBound& bound = bounds_[i];
      const ScanQuery& query = *asked_[i];
      ScanResult result{.above = {},
                        .straddlers = {},
                        .classes = {},
                        .admissible = std::move(lists_[i].candidates()),
                        .rejected = {},
                        .dropped_below = lists_[i].dropped_below(),
                        .unit = bound.unit,
                        .offset = bound.offset + bound.error};
      scorers[worker].begin(query.query);
      rankings[&query - request_.asked.data()] =
          rank_rows(request_, query, result, scorers[worker]);
    }
  });
  Asked left;
  for (Index i = 0; i < size(); ++i)
    if (lists_[i].overflow()) left.push_back(asked_[i]);
  return left;
}

}  // namespace gemmine::cpu
