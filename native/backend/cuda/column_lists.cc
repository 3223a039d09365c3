#include "backend/cuda/column_lists.h"

#include <algorithm>
#include <cmath>

#include "backend/cuda/found_rows.h"
#include "backend/cuda/pair_scorer.h"
#include "core/pool.h"

namespace gemmine::cuda {
namespace {

const CudaQueries& queries_of(const ScanRequest& request) {
  return dynamic_cast<const CudaQueries&>(request.queries);
}

// A power of two near the unit of the longest query. Any would be right.
double common_unit(const CudaCorpus& rows, const CudaCorpus& queries) {
  if (is_distance(rows.metric())) return std::ldexp(1.0, 1 - 2 * rows.exponent());
  return std::ldexp(1.0, -rows.exponent() - queries.exponent());
}

// What has no meaning for a column is 0.
AskedScan asked_column(const ScanQuery& query) {
  AskedScan asked{};
  asked.ranked = query.depth > 0;
  asked.depth = static_cast<std::int32_t>(query.depth);
  asked.filter = -1;
  return asked;
}

}  // namespace

ColumnLists::ColumnLists(const ScanRequest& reverse, const Asked& asked, const CudaCorpus& corpus,
                         Index capacity)
    : reverse_(reverse),
      asked_(asked),
      device_(corpus.device()),
      unit_(common_unit(corpus, queries_of(reverse).corpus())),
      barred_(device_) {
  const ScanBound bound{.unit = unit_, .offset = 0, .error = 0, .usable = true};
  std::vector<AskedScan> scans;
  std::vector<ScanState> states;
  std::vector<std::int32_t> barred;
  for (const ScanQuery* query : asked) {
    scans.push_back(asked_column(*query));
    scans.back().first_barred = static_cast<std::int32_t>(barred.size());
    barred.insert(barred.end(), query->barred.begin(), query->barred.end());
    scans.back().end_barred = static_cast<std::int32_t>(barred.size());
    states.push_back({});
    states.back().admissible = thresholds_of(*query, bound).admissible;
  }
  lists_.emplace(device_, scans, states, capacity);
  barred_.upload(barred);
}

// A list gets at most all queries of a slice. After the first one its threshold lets about as many
// of n more queries pass as it has of the n before.
void ColumnLists::look(const ScoreTile& tile) const {
  const Index first_list = tile.first_row - asked_.front()->query;
  const Index half = std::max<Index>(lists_->capacity() / 2, 1);
  for (Index begin = 0, count = 0; begin < tile.lanes; begin += count) {
    count = std::min(std::max(looked_ + begin, half), tile.lanes - begin);
    ScoreTile slice = tile;
    slice.scores += begin * tile.stride;
    slice.lane += begin;
    slice.lanes = static_cast<std::int32_t>(count);
    const SelectColumns request{.tile = slice,
                                .first_listed = static_cast<std::int32_t>(asked_.front()->query),
                                .capacity = lists_->capacity(),
                                .unit = unit_,
                                .asked = lists_->asked(),
                                .barred = barred_.data(),
                                .states = lists_->states(),
                                .lists = lists_->rows()};
    device_->require(device_->table().epilogues.select_columns(device_->compute(), &request));
    lists_->tighten(first_list, tile.rows, fewest_grown);
  }
}

void ColumnLists::rank(std::vector<Ranking>& rankings, Asked& full, const Job& job) const {
  const auto count = static_cast<Index>(asked_.size());
  lists_->tighten(0, count, 1);
  const ListedRows listed = lists_->download(nullptr);
  std::vector<std::int32_t> rows, indptr, queries;
  for (const Found& each : listed.found) rows.push_back(each.row);
  for (const std::int64_t start : listed.starts) indptr.push_back(static_cast<std::int32_t>(start));
  for (const ScanQuery* query : asked_) queries.push_back(static_cast<std::int32_t>(query->query));
  std::vector<double> scores(rows.size());
  PairScorer(queries_of(reverse_).corpus(), reverse_.queries.rows())
      .score(queries, {indptr.data(), rows.data()}, scores.data(), job);
  parallel_for(job, count, [&](Index i, Index) {
    if (lists_->is_full(listed.states[i])) return;
    ScanResult result{.above = {},
                      .straddlers = {},
                      .classes = {},
                      .admissible = {},
                      .rejected = {},
                      .dropped_below = listed.states[i].admissible,
                      .unit = unit_,
                      .offset = 0};
    for (const Found& each : listed.of(i))
      result.admissible.push_back({each.upper, each.lower, each.row});
    const auto own = std::span(scores).subspan(listed.starts[i], listed.of(i).size());
    KnownScorer scorer(listed.of(i), own, {});
    rankings[asked_[i] - reverse_.asked.data()] = rank_rows(reverse_, *asked_[i], result, scorer);
  });
  for (Index i = 0; i < count; ++i)
    if (lists_->is_full(listed.states[i])) full.push_back(asked_[i]);
}

}  // namespace gemmine::cuda
