#include "backend/cuda/batch_scan.h"

#include <algorithm>
#include <limits>

#include "backend/cuda/pair_scorer.h"
#include "backend/proof/scan_bounds.h"
#include "core/pool.h"

namespace gemmine::cuda {
namespace {

constexpr Index stretch = 32;       // rows that a warp looks at
constexpr Index fewest_grown = 64;  // rows, before a list is tightened again
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
    const Index words = (rows + stretch - 1) / stretch;
    shared.reserve(words);
    shared.upload(request.classes.shared, words);
  }
}

// Memory of a batch on the device.
struct BatchScan::OnDevice {
  OnDevice(const BatchScan& batch)
      : device(batch.corpus_.device()),
        stored(batch.corpus_),
        halves(device, batch.lanes_->halves),
        asked(device, batch.scans_),
        states(device, batch.states_),
        barred(device, batch.barred_),
        lists(device, static_cast<Index>(batch.asked_.size()) * batch.capacity_),
        tile_rows(std::min(batch.tile_rows(), stored.rows_at_once())),
        scores(device, static_cast<Index>(batch.lane_rows_.size()) * tile_rows) {}
  // Work that is under way when something throws uses this memory.
  ~OnDevice() { device->runtime().synchronize(device->compute()); }

  const std::shared_ptr<Device>& device;
  StoredFeed stored;
  Array<std::uint16_t> halves;
  Array<AskedScan> asked;
  Array<ScanState> states;
  Array<std::int32_t> barred;
  Array<Found> lists;
  Index tile_rows;
  Array<float> scores;
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
      class_rows_(asked.size()) {
  for (const ScanQuery* query : asked) {
    const std::int32_t row = small(query->query);
    if (lane_rows_.empty() || lane_rows_.back() != row) lane_rows_.push_back(row);
    lane_of_.push_back(static_cast<std::int32_t>(lane_rows_.size()) - 1);
  }
  lanes_.emplace(queries_, lane_rows_, request.bound_factor, job);
  for (std::size_t i = 0; i < asked.size(); ++i) add_question(*asked[i], lane_of_[i]);
}

void BatchScan::add_question(const ScanQuery& query, std::int32_t lane) {
  const QueryLane& own = lanes_->lanes[lane];
  AskedScan scan = asked_scan(query, lane);
  scan.first_barred = static_cast<std::int32_t>(barred_.size());
  barred_.insert(barred_.end(), query.barred.begin(), query.barred.end());
  scan.end_barred = static_cast<std::int32_t>(barred_.size());
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
                 .spread = 2 * own.bound.error};
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

Index BatchScan::tile_rows() const {
  const Index rows = corpus_.rows().rows();
  const Index fitting = corpus_.sizes().scores / Index{sizeof(float)} /
                        static_cast<Index>(lane_rows_.size()) / stretch * stretch;
  return std::min(std::max(fitting, stretch), (rows + stretch - 1) / stretch * stretch);
}

// Rows to look at after `done`. A list gets at most all rows of a piece. After the first piece its
// threshold lets about as many rows of n more pass as it has of the n before.
Index BatchScan::piece(Index done, Index most) const {
  const Index rows = corpus_.rows().rows();
  const Index half = std::max(capacity_ / 2 / stretch * stretch, stretch);
  const Index wanted = capacity_ >= rows ? most : careful_ || done == 0 ? half : done;
  return std::min({std::max(wanted / stretch * stretch, stretch), most, rows - done});
}

void BatchScan::report(const char* phase, Index done) const {
  const Index rows = corpus_.rows().rows();
  const Index first = asked_.front()->query;
  const Index span = asked_.back()->query + 1 - first;
  job_.progress(phase, first * rows + span * done, queries_.rows().rows() * rows);
}

void BatchScan::run(const char* phase) {
  const auto turn = corpus_.device()->turn();
  OnDevice memory(*this);
  const Index rows = corpus_.rows().rows();
  for (Index first = 0; first < rows;) {
    job_.cancellation.check();
    report(phase, first);
    const Index count = piece(first, memory.tile_rows);
    look(memory, memory.stored.bring(first, count, job_), first, count);
    tighten(memory);
    first += count;
  }
  report(phase, rows);
  download(memory);
}

void BatchScan::look(OnDevice& memory, const StoredRows& stored, Index first, Index count) const {
  const Device& device = *memory.device;
  const auto lanes = static_cast<Index>(lane_rows_.size());
  const Product product{.number = Number::float16,
                        .transpose_a = 0,
                        .transpose_b = 1,
                        .m = lanes,
                        .n = count,
                        .k = corpus_.stored_cols(),
                        .alpha = 1,
                        .A = memory.halves.data(),
                        .stride_a = corpus_.stored_cols(),
                        .B = stored.halves,
                        .stride_b = corpus_.stored_cols(),
                        .beta = 0,
                        .C = memory.scores.data(),
                        .stride_c = memory.tile_rows};
  device.require(device.runtime().multiply(device.compute(), &product));
  const SelectRows select{
      .scores = memory.scores.data(),
      .stride = memory.tile_rows,
      .rows = small(count),
      .first_row = small(first),
      .asked_count = small(static_cast<Index>(asked_.size())),
      .capacity = small(capacity_),
      .groups = static_cast<std::int32_t>(request_.groups),
      .unused = 0,
      .asked = memory.asked.data(),
      .states = memory.states.data(),
      .bounds = stored.bounds,
      .row_groups = rows_.groups.size() > 0 ? rows_.groups.data() + first : nullptr,
      .shared = rows_.shared.size() > 0 ? rows_.shared.data() + first / stretch : nullptr,
      .barred = memory.barred.data(),
      .lists = memory.lists.data()};
  device.require(device.table().scans.select_rows(device.compute(), &select));
}

void BatchScan::tighten(OnDevice& memory) const {
  const TightenLists request{.asked_count = small(static_cast<Index>(asked_.size())),
                             .capacity = small(capacity_),
                             .growth = careful_ ? 1 : small(fewest_grown),
                             .unused = 0,
                             .asked = memory.asked.data(),
                             .states = memory.states.data(),
                             .lists = memory.lists.data()};
  const Device& device = *memory.device;
  device.require(device.table().scans.tighten_lists(device.compute(), &request));
}

// The states first, which say how long the lists are; then the lists with the canonical scores of
// their rows.
void BatchScan::download(OnDevice& memory) {
  const std::shared_ptr<Device>& device = memory.device;
  const auto asked = static_cast<Index>(asked_.size());
  states_ = memory.states.download(asked);
  starts_.assign(1, 0);
  for (Index i = 0; i < asked; ++i)
    starts_.push_back(starts_.back() + (is_full(i) ? 0 : states_[i].count));
  const Index count = starts_.back();
  if (count == 0) return;
  const Array<std::int64_t> starts(device, starts_);
  const Array<Found> packed(device, count);
  const Array<std::int32_t> pairs(device, 2 * count);
  const PackLists request{.asked_count = small(asked),
                          .capacity = small(capacity_),
                          .asked = memory.asked.data(),
                          .lists = memory.lists.data(),
                          .starts = starts.data(),
                          .packed = packed.data(),
                          .pairs = pairs.data()};
  device->require(device->table().scans.pack_lists(device->compute(), &request));
  found_.resize(static_cast<std::size_t>(count));
  scores_.resize(static_cast<std::size_t>(count));
  if (corpus_.keeps_rows()) score(memory, pairs, count);
  packed.download(found_.data(), count);
  if (corpus_.keeps_rows()) return;
  std::vector<std::int32_t> rows, indptr, queries;
  for (const Found& each : found_) rows.push_back(each.row);
  for (const std::int64_t start : starts_) indptr.push_back(small(start));
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
  const ScanState& state = states_[asked];
  Index above[level_count];
  std::copy(std::begin(state.above), std::end(state.above), std::begin(above));
  collector.take_counts(above);
  collect_rows(found(asked), collector);
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
        for (const Found& each : found(static_cast<Index>(i))) add(each.row);
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
    const auto scores = std::span(scores_).subspan(starts_[i], found(i).size());
    KnownScorer scorer(found(i), scores, class_rows_[i]);
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
