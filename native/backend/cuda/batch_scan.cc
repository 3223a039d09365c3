#include "backend/cuda/batch_scan.h"

#include <algorithm>
#include <limits>

#include "backend/cuda/column_lists.h"
#include "backend/cuda/pair_scorer.h"
#include "backend/proof/scan_bounds.h"
#include "core/pool.h"

namespace gemmine::cuda {
namespace {

constexpr Index fewest_straddlers = 256,
                most_straddlers = 16384;  // of a query, before it is given up

std::int32_t small(Index x) {
  return static_cast<std::int32_t>(std::min<Index>(x, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

RequestRows::RequestRows(const std::shared_ptr<Device>& device, const ScanRequest& request,
                         Index rows)
    : groups(device), shared(device) {
  if (request.groups != Groups::off) {
    groups.reserve(rows);
    groups.upload(request.corpus_groups, rows);
  }
  if (request.classes.count > 0) {
    const Index words = whole_stretches(rows) / stretch_rows;
    shared.reserve(words);
    shared.upload(request.classes.shared, words);
  }
}

// Memory of a batch on the device.
struct BatchScan::OnDevice {
  OnDevice(const BatchScan& batch)
      : device(batch.corpus_.device()),
        lists(device, batch.scans_, batch.states_, batch.capacity_),
        barred(device, batch.barred_),
        filters(device, batch.filters_.words()),
        tiles(batch.corpus_, *batch.lanes_, batch.lane_rows_) {}

  const std::shared_ptr<Device>& device;
  FoundLists lists;
  Array<std::int32_t> barred;
  Array<std::uint32_t> filters;
  ScoreTiles tiles;  // last: it waits for work before the others are freed
};

BatchScan::BatchScan(const ScanRequest& request, const RequestRows& rows,
                     std::span<const ScanQuery* const> asked, Index capacity, bool careful,
                     const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CudaQueries&>(request.queries)),
      corpus_(queries_.corpus()),
      rows_(rows),
      asked_(asked),
      capacity_(capacity),
      careful_(careful),
      job_(job),
      filters_(request, corpus_.rows().rows()),
      class_rows_(asked.size()) {
  for (const ScanQuery* query : asked) {
    const std::int32_t row = small(query->query);
    if (lane_rows_.empty() || lane_rows_.back() != row) lane_rows_.push_back(row);
    lane_of_.push_back(static_cast<std::int32_t>(lane_rows_.size()) - 1);
  }
  lanes_.emplace(queries_, lane_rows_, LaneFormat::float16, request.bound_factor, job);
  for (std::size_t i = 0; i < asked.size(); ++i) add_question(*asked[i], lane_of_[i]);
}

void BatchScan::add_question(const ScanQuery& query, std::int32_t lane) {
  const QueryLane& own = lanes_->lanes[lane];
  AskedScan scan = asked_scan(query, lane);
  scan.first_barred = static_cast<std::int32_t>(barred_.size());
  barred_.insert(barred_.end(), query.barred.begin(), query.barred.end());
  scan.end_barred = static_cast<std::int32_t>(barred_.size());
  scan.filter = filters_.place_of(query);
  scans_.push_back(scan);
  const ScanThresholds thresholds = thresholds_of(query, own.bound);
  states_.push_back({.admissible = thresholds.admissible,
                     .rejected = thresholds.rejected,
                     .count = 0,
                     .looked = 0,
                     .above = {},
                     .unused = 0});
}

AskedScan BatchScan::asked_scan(const ScanQuery& query, std::int32_t lane) const {
  constexpr double none = std::numeric_limits<double>::infinity();
  const QueryLane& own = lanes_->lanes[lane];
  const bool usable = own.bound.usable;
  AskedScan scan{.lane = lane,
                 .group = query.group,
                 .ranked = usable && query.depth > 0,
                 .drawn = usable && query.draw.count > 0,
                 .rejecting = usable && query.rejected_depth > 0,
                 .floored = query.floor > -none,
                 .first_barred = 0,
                 .end_barred = 0,
                 .floor = 0,
                 .above = {},
                 .maybe = {},
                 .scale = own.scale,
                 .norm = own.norm,
                 .residual = own.residual,
                 .depth = small(query.depth),
                 .rejected_depth = small(query.rejected_depth),
                 .spread = 2 * own.bound.error,
                 .filter = -1};
  const ScanThresholds thresholds = thresholds_of(query, own.bound);
  const bool used[] = {query.ceiling < none, request_.counted && query.floor > -none,
                       query.reference < none};
  scan.floor = thresholds.admissible;
  for (int level = 0; level < level_count; ++level) {
    const bool asks = usable && used[level];
    scan.above[level] = asks ? thresholds.above[level] : std::numeric_limits<float>::infinity();
    scan.maybe[level] = asks ? thresholds.maybe[level] : std::numeric_limits<float>::infinity();
  }
  return scan;
}

// Rows to look at after `looked`. A list gets at most all rows of a piece. After the first piece
// its threshold lets about as many rows of n more pass as it has of the n before.
Index BatchScan::piece(Index looked, Index most) const {
  const Index half = std::max(capacity_ / 2 / stretch_rows * stretch_rows, stretch_rows);
  const bool whole = capacity_ >= corpus_.rows().rows();
  const Index wanted = whole ? most : careful_ || looked == 0 ? half : looked;
  return std::min(std::max(wanted / stretch_rows * stretch_rows, stretch_rows), most);
}

void BatchScan::report(const char* phase, RowSpan span, Index done) const {
  const Index rows = corpus_.rows().rows(), queries = queries_.rows().rows();
  const Index first = asked_.front()->query, own = asked_.back()->query + 1 - first;
  const Index before = span.begin * queries + first * (span.end - span.begin);
  job_.progress(phase, before + own * (done - span.begin), queries * rows);
}

void BatchScan::run(const char* phase, RowSpan span, ColumnLists* columns) {
  const auto turn = corpus_.device()->turn();
  OnDevice memory(*this);
  Index looked = 0;
  for (Index first = filters_.next(span.begin); first < span.end;) {
    job_.cancellation.check();
    report(phase, span, first);
    const Index count = std::min(piece(looked, memory.tiles.rows_at_once()), span.end - first);
    const ScoreTile tile = memory.tiles.make(first, count, job_);
    look(memory, tile);
    memory.lists.tighten(0, static_cast<Index>(asked_.size()), careful_ ? 1 : fewest_grown);
    if (columns != nullptr) columns->look(tile);
    looked += count;
    first = filters_.next(first + count);
  }
  report(phase, span, span.end);
  if (columns != nullptr) columns->end_of_batch(static_cast<Index>(lane_rows_.size()));
  download(memory);
}

void BatchScan::look(OnDevice& memory, const ScoreTile& tile) const {
  const Device& device = *memory.device;
  const Index stretch = tile.first_row / stretch_rows;
  const SelectRows select{
      .scores = tile.scores,
      .stride = tile.stride,
      .rows = tile.rows,
      .first_row = tile.first_row,
      .asked_count = small(static_cast<Index>(asked_.size())),
      .capacity = memory.lists.capacity(),
      .groups = static_cast<std::int32_t>(request_.groups),
      .unused = 0,
      .asked = memory.lists.asked(),
      .states = memory.lists.states(),
      .bounds = tile.bounds,
      .row_groups = rows_.groups.size() > 0 ? rows_.groups.data() + tile.first_row : nullptr,
      .shared = rows_.shared.size() > 0 ? rows_.shared.data() + stretch : nullptr,
      .barred = memory.barred.data(),
      .filters = memory.filters.size() > 0 ? memory.filters.data() + stretch : nullptr,
      .lists = memory.lists.rows()};
  device.require(device.table().scans.select_rows(device.compute(), &select));
}

// The lists, with the canonical scores of their rows.
void BatchScan::download(OnDevice& memory) {
  std::optional<Array<std::int32_t>> pairs;
  listed_ = memory.lists.download(corpus_.keeps_rows() ? &pairs : nullptr);
  const auto count = static_cast<Index>(listed_.found.size());
  scores_.resize(listed_.found.size());
  if (count == 0) return;
  if (corpus_.keeps_rows()) return score(memory, *pairs, count);
  std::vector<std::int32_t> rows, indptr, queries;
  for (const Found& each : listed_.found) rows.push_back(each.row);
  for (const std::int64_t start : listed_.starts) indptr.push_back(small(start));
  for (const ScanQuery* query : asked_) queries.push_back(small(query->query));
  PairScorer(corpus_, queries_.rows())
      .score(queries, {indptr.data(), rows.data()}, scores_.data(), job_);
}

void BatchScan::score(OnDevice& memory, const Array<std::int32_t>& pairs, Index count) {
  const std::shared_ptr<Device>& device = memory.device;
  const Index cols = corpus_.rows().cols();
  const Array<float> values(device, lanes_->values);
  Array<double> norms(device);
  if (corpus_.unit()) {
    norms.reserve(static_cast<Index>(lane_rows_.size()));
    corpus_.measure(values.data(), static_cast<Index>(lane_rows_.size()), norms.data());
  }
  const Array<double> scores(device, count);
  const ScorePairs request{.count = count,
                           .cols = cols,
                           .queries = values.data(),
                           .query_stride = cols,
                           .rows = corpus_.kept_rows(),
                           .row_stride = cols,
                           .query_norms = norms.data(),
                           .row_norms = corpus_.kept_norms(),
                           .squares = sums_squares(corpus_.metric()),
                           .pairs = pairs.data(),
                           .scores = scores.data()};
  device->require(device->table().scans.score_pairs(device->compute(), &request));
  scores.download(scores_.data(), count);
}

// Empty if the question is undecided.
std::optional<ScanResult> BatchScan::collect(Index asked) const {
  const Index rows = corpus_.rows().rows();
  const ScanBound& bound = lanes_->lanes[lane_of_[asked]].bound;
  Collector collector(request_, *asked_[asked], bound, rows,
                      {.widenings = most_widenings,
                       .straddlers = std::clamp(rows / 8, fewest_straddlers, most_straddlers)});
  const ScanState& state = listed_.states[asked];
  Index above[level_count];
  std::copy(std::begin(state.above), std::end(state.above), std::begin(above));
  collector.take_counts(above);
  collect_rows(listed_.of(asked), collector);
  collector.finish();
  if (collector.overflow()) return std::nullopt;
  return collector.result();
}

// Of a class, any row may be in a list; ranking asks for the scores of all of them.
void BatchScan::score_classes(const std::vector<std::optional<ScanResult>>& results) {
  const RowClasses& classes = request_.classes;
  if (classes.count == 0) return;
  std::vector<std::int32_t> queries, indptr{0}, rows;
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::vector<std::int32_t> own;
    const auto add = [&](std::int32_t row) {
      if (const std::int32_t each = classes.class_of(row); each >= 0) own.push_back(each);
    };
    if (results[i]) {
      for (const Candidate& each : results[i]->admissible) add(each.row);
      for (const Candidate& each : results[i]->rejected) add(each.row);
      for (const Straddler& each : results[i]->straddlers) add(each.row);
      if (results[i]->drawn)
        for (const Found& each : listed_.of(static_cast<Index>(i))) add(each.row);
    }
    std::ranges::sort(own);
    own.erase(std::ranges::unique(own).begin(), own.end());
    for (const std::int32_t each : own)
      rows.insert(rows.end(), classes.members(each).begin(), classes.members(each).end());
    indptr.push_back(small(static_cast<Index>(rows.size())));
    queries.push_back(small(asked_[i]->query));
  }
  std::vector<double> scores(rows.size());
  PairScorer(corpus_, queries_.rows())
      .score(queries, {indptr.data(), rows.data()}, scores.data(), job_);
  for (std::size_t i = 0; i < results.size(); ++i)
    for (std::int32_t at = indptr[i]; at < indptr[i + 1]; ++at)
      class_rows_[i].emplace_back(rows[at], scores[at]);
}

void BatchScan::rank(std::vector<Ranking>& rankings, Asked& full, Asked& undecided) {
  const auto asked = static_cast<Index>(asked_.size());
  std::vector<std::optional<ScanResult>> results(asked_.size());
  parallel_for(job_, asked, [&](Index i, Index) {
    if (!is_full(i)) results[i] = collect(i);
  });
  score_classes(results);
  std::vector<char> ranked(asked_.size());
  parallel_for(job_, asked, [&](Index i, Index) {
    if (!results[i]) return;
    const std::span<const Found> found = listed_.of(i);
    const auto scores = std::span(scores_).subspan(listed_.starts[i], found.size());
    KnownScorer scorer(found, scores, class_rows_[i]);
    try {
      rankings[asked_[i] - request_.asked.data()] =
          rank_rows(request_, *asked_[i], *results[i], scorer);
      ranked[i] = true;
    } catch (const KnownScorer::Unscored&) {
      // Left undecided: the proof failed, and it asked for all rows.
    }
  });
  for (Index i = 0; i < asked; ++i) {
    if (is_full(i))
      full.push_back(asked_[i]);
    else if (!ranked[i])
      undecided.push_back(asked_[i]);
  }
}

}  // namespace gemmine::cuda
