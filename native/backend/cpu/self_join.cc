#include "backend/cpu/self_join.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/pool.h"
#include "backend/proof/rescoring.h"
#include "backend/proof/scan_bounds.h"

namespace gemmine::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Index block_unit = 96;      // whole tiles and whole panels
constexpr Index largest_block = 576;  // as many panels and tiles as the cache of a core holds
constexpr Index wanted_blocks = 32;   // so that a round has work for many threads
constexpr Index rank_at_once = 32;    // rows
static_assert(block_unit % tile_queries == 0 && block_unit % panel_rows == 0);

// Bounds, offsets and errors are below 64 in the units of the columns (scaled rows are shorter than
// 4), and two roundings to float32 change such a number by less than this.
constexpr double column_slack = 0x1p-17;
// The same for the roundings to float64 of a bound that is turned into another row's units.
constexpr double turned_slack = 0x1p-44;
// A number grown by this much is not below it once it is rounded to float32.
constexpr double to_float = 0x1p-23;

Index block_of(Index rows) {
  return std::clamp<Index>(rows / wanted_blocks / block_unit * block_unit, block_unit,
                           largest_block);
}

// Of the columns' thresholds, in canonical scores: what a row of the largest norm has as a query.
int unit_exponent(const CentredRows& rows) {
  if (rows.metric() == Metric::l2) return 1 - 2 * rows.exponent();
  return -2 * rows.exponent();
}

bool is_plain(const ScanQuery& query) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  return query.ceiling == unbounded && query.reference == unbounded && query.rejected_depth == 0;
}

}  // namespace

bool SelfJoin::answers(const ScanRequest& request) {
  const RowSource& rows = request.queries.rows();
  const auto all = static_cast<Index>(request.asked.size());
  if (request.counted || request.groups != Groups::off || request.classes.count > 0 ||
      all != rows.rows() || all <= block_unit)
    return false;
  if (!same_rows(rows, request.queries.corpus().rows())) return false;
  Index depth = 0;
  for (const ScanQuery& query : request.asked)
    if (query.depth != every_row) depth = std::max(depth, query.depth);
  return join_bytes(all, rows.cols(), depth) <= largest_join &&
         std::all_of(request.asked.begin(), request.asked.end(), is_plain);
}

SelfJoin::SelfJoin(const ScanRequest& request, const ScanPanels& panels, const Asked& asked,
                   const Asked& open, bool last, const Job& job)
    : request_(request),
      panels_(panels),
      asked_(asked),
      last_(last),
      job_(job),
      rows_(static_cast<Index>(asked.size())),
      block_(block_of(rows_)),
      tiles_(dynamic_cast<const CpuQueries&>(request.queries), panels, asked, request.bound_factor,
             job),
      unit_(std::ldexp(1.0, unit_exponent(panels.rows()))) {
  for (Index row = 0; row < rows_; ++row) usable_ = usable_ && tiles_.bound(row).usable;
  if (!usable_) return;
  space_ = allocate_aligned(panels.bytes() > 0 ? 0 : panels.count() * panels.size());
  values_ = panels.get(0, panels.count(), space_.get(), job);
  prepare_lists(open);
}

void SelfJoin::prepare_lists(const Asked& open) {
  const int widenings = last_ ? most_widenings : first_widenings;
  columns_.assign(panels_.count() * panel_rows, infinity);
  filters_.resize(tiles_.count());
  for (Index tile = 0; tile < tiles_.count(); ++tile)
    filters_[tile].count =
        static_cast<int>(std::min<Index>(tile_queries, rows_ - tile * tile_queries));
  lists_.reserve(rows_);
  for (Index row = 0; row < rows_; ++row) {
    const ScanBound& bound = tiles_.bound(row);
    const ScanQuery& query = *asked_[row];
    sides_.push_back(side_of(row));
    lists_.emplace_back(query.depth, rows_, widenings, thresholds_of(query, bound).admissible,
                        2 * bound.error);
    unlimited_ = unlimited_ || query.depth == every_row;
  }
  is_open_.resize(rows_);
  for (const ScanQuery* query : open) is_open_[query->query] = 1;
  for (Index row = 0; row < rows_; ++row) {
    if (!is_open_[row]) lists_[row].release();
    update(row);
  }
  for (Index tile = 0; tile < tiles_.count(); ++tile) units_.push_back(units_of(tile));
}

SelfJoin::Side SelfJoin::side_of(Index row) const {
  const ScanBound& bound = tiles_.bound(row);
  const auto barred = asked_[row]->barred;
  return {.above = bound.offset + bound.error,
          .below = bound.offset - bound.error,
          .scale = bound.unit / unit_,
          .slack = turned_slack * (std::abs(bound.offset) + 1),
          .first_barred = barred.empty() ? 1 : barred.front(),
          .last_barred = barred.empty() ? 0 : barred.back()};
}

bool SelfJoin::bars(Index row, std::int32_t other) const {
  const Side& side = sides_[row];
  if (other < side.first_barred || other > side.last_barred) return false;
  const auto barred = asked_[row]->barred;
  return std::binary_search(barred.begin(), barred.end(), other);
}

ColumnUnits SelfJoin::units_of(Index tile) const {
  ColumnUnits units{};
  for (int i = 0; i < filters_[tile].count; ++i) {
    const Index row = tile * tile_queries + i;
    const Side& side = sides_[row];
    units.scale[i] = static_cast<float>(side.scale);  // a power of two
    units.shift[i] = bounds::float_above(side.above * side.scale + column_slack);
  }
  return units;
}

// The circle method: of an even number of blocks the last stays, and the others move on.
std::vector<SelfJoin::Pair> SelfJoin::round(Index number) const {
  const Index count = blocks();
  const Index even = count + count % 2;
  std::vector<Pair> pairs;
  const auto add = [&](Index a, Index b) {
    if (a < count && b < count) pairs.push_back({std::min(a, b), std::max(a, b)});
  };
  add(even - 1, number);
  for (Index k = 1; k < even / 2; ++k)
    add((number + k) % (even - 1), (number - k + even - 1) % (even - 1));
  return pairs;
}

ScanEnd SelfJoin::run() {
  if (!usable_) return ScanEnd::hopeless;
  const Index rounds = blocks() + blocks() % 2 - 1;
  const CpuCorpus& corpus = dynamic_cast<const CpuQueries&>(request_.queries).corpus();
  const char* phase = &panels_ == &corpus.panels() ? "scan" : "rescan";
  std::vector<Pair> pairs;
  for (Index block = 0; block < blocks(); ++block) pairs.push_back({block, block});
  for (Index done = 0; done <= rounds; ++done) {
    job_.progress(phase, done, rounds + 1);
    parallel_for(job_, static_cast<Index>(pairs.size()),
                 [&](Index i, Index) { look_at(pairs[i]); });
    if (unlimited_ && held_ > most_held) return ScanEnd::full;
    if (!last_ && 2 * overflowing_ > rows_) return ScanEnd::hopeless;
    if (done < rounds) pairs = round(done);
  }
  job_.progress(phase, rounds + 1, rounds + 1);
  return ScanEnd::complete;
}

void SelfJoin::look_at(const Pair& pair) {
  const Index last_row = std::min((pair.columns + 1) * block_, rows_);
  const Index last_query = std::min((pair.queries + 1) * block_, rows_);
  for (Index panel = pair.columns * block_ / panel_rows; panel * panel_rows < last_row; ++panel) {
    if (unlimited_ && held_ > most_held) return;
    for (Index tile = pair.queries * block_ / tile_queries; tile * tile_queries < last_query;
         ++tile)
      look(tile, panel, pair.queries != pair.columns);
  }
}

void SelfJoin::look(Index tile, Index panel, bool both_sides) {
  alignas(64) float scores[tile_queries * panel_rows];
  alignas(64) float upper[tile_queries * panel_rows];
  alignas(64) float lower[tile_queries * panel_rows];
  const float* values = this->panel(panel);
  const int count = filters_[tile].count;
  panels_.format().score_tile(tiles_.tile(tile), count, values, panels_.words(), scores);
  scan_kernels().bound_tile(scores, tiles_.factors(tile), count, panels_.bounds_of(values), upper,
                            lower);
  serve_queries(upper, lower, tile, panel);
  if (both_sides) serve_columns(upper, lower, tile, panel);
}

void SelfJoin::serve_queries(const float* upper, const float* lower, Index tile, Index panel) {
  ScanEvent events[tile_queries];
  const int found = scan_kernels().filter_tile(filters_[tile], upper, lower, events);
  const Index first = panel * panel_rows;
  const Index rows = std::min<Index>(panel_rows, rows_ - first);
  const std::uint32_t valid = rows == panel_rows ? ~0u : (1u << rows) - 1;
  for (int i = 0; i < found; ++i) {
    const int at = events[i].query * panel_rows;
    for (std::uint32_t bits = events[i].admissible & valid; bits != 0; bits &= bits - 1) {
      const int bit = std::countr_zero(bits);
      take(tile * tile_queries + events[i].query,
           {upper[at + bit], lower[at + bit], static_cast<std::int32_t>(first + bit)});
    }
  }
}

void SelfJoin::serve_columns(const float* upper, const float* lower, Index tile, Index panel) {
  std::uint32_t reached[tile_queries];
  const int count = filters_[tile].count;
  const Index first = panel * panel_rows;
  scan_kernels().filter_columns(upper, units_[tile], count, &columns_[first], reached);
  for (int q = 0; q < count; ++q)
    for (std::uint32_t bits = reached[q]; bits != 0; bits &= bits - 1) {
      const Index row = first + std::countr_zero(bits);
      const Index at = q * panel_rows + row - first;
      if (columns_[row] == infinity) continue;  // beyond the last row, or without a list
      const Candidate candidate = turned(tile * tile_queries + q, row, upper[at], lower[at]);
      if (!(candidate.upper < threshold(row))) take(row, candidate);
    }
}

// The bounds of a query's score with a row, in the units of that row as a query. Scores are
// symmetric, in every bit.
Candidate SelfJoin::turned(Index query, Index row, float upper, float lower) const {
  const Side &from = sides_[query], &to = sides_[row];
  const double scale = from.scale / to.scale;
  const double slack = from.slack * scale + to.slack;
  const double above = (upper + from.above) * scale - to.above + slack;
  const double below = (lower + from.below) * scale - to.below - slack;
  return {static_cast<float>(above + std::abs(above) * to_float),
          static_cast<float>(below - std::abs(below) * to_float), static_cast<std::int32_t>(query)};
}

void SelfJoin::take(Index row, const Candidate& candidate) {
  if (bars(row, candidate.row)) return;
  CandidateList& list = lists_[row];
  list.push(candidate.upper, candidate.lower, candidate.row);
  if (unlimited_) held_.fetch_add(1, std::memory_order_relaxed);
  if (list.threshold() == threshold(row)) return;
  overflowing_ += list.overflow();
  update(row);
}

void SelfJoin::update(Index row) {
  const Side& side = sides_[row];
  const float threshold = lists_[row].threshold();
  this->threshold(row) = threshold;
  columns_[row] = std::isinf(threshold)
                      ? threshold
                      : bounds::float_below((threshold + side.above) * side.scale);
}

Asked SelfJoin::rank(std::vector<Ranking>& rankings) {
  const auto& queries = dynamic_cast<const CpuQueries&>(request_.queries);
  std::vector<CanonicalScorer> scorers(worker_count(job_), scorer_of(queries));
  parallel_for(job_, (rows_ + rank_at_once - 1) / rank_at_once, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * rank_at_once, rows_);
    for (Index row = chunk * rank_at_once; row < end; ++row) {
      if (lists_[row].overflow() || !is_open_[row]) continue;
      const ScanBound& bound = tiles_.bound(row);
      ScanResult result{.above = {},
                        .straddlers = {},
                        .classes = {},
                        .admissible = std::move(lists_[row].candidates()),
                        .rejected = {},
                        .dropped_below = lists_[row].dropped_below(),
                        .unit = bound.unit,
                        .offset = bound.offset + bound.error};
      scorers[worker].begin(row);
      rankings[row] = rank_rows(request_, *asked_[row], result, scorers[worker]);
    }
  });
  Asked left;
  for (Index row = 0; row < rows_; ++row)
    if (lists_[row].overflow()) left.push_back(asked_[row]);
  return left;
}

}  // namespace gemmine::cpu
