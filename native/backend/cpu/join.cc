#include "backend/cpu/join.h"

#include <algorithm>
#include <bit>

#include "core/pool.h"

namespace gemmine::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Index block_unit = 96;      // rows: whole tiles and whole panels
constexpr Index largest_block = 576;  // its panels and tiles fit in the cache of a core
constexpr Index wanted_blocks = 32;   // so that each round has work for many threads
static_assert(block_unit % tile_queries == 0 && block_unit % panel_rows == 0);

Index block_of(Index rows) {
  return std::clamp<Index>(rows / wanted_blocks / block_unit * block_unit, block_unit,
                           largest_block);
}

Index parts_of(Index rows, Index part) { return (rows + part - 1) / part; }

Index deepest(const ScanRequest& request) {
  Index depth = 0;
  for (const ScanQuery& query : request.asked)
    if (query.depth != every_row) depth = std::max(depth, query.depth);
  return depth;
}

const CpuQueries& cpu(const ScanRequest& request) {
  return dynamic_cast<const CpuQueries&>(request.queries);
}

// Bounds of rows as queries of their request.
std::vector<ScanBound> bounds_of(const JoinQuestion& question, const Job& job) {
  const CpuQueries& rows = cpu(question.request);
  const QueryTiles tiles(rows, rows.panels(), question.asked, question.request.bound_factor, job);
  std::vector<ScanBound> bounds;
  for (Index i = 0; i < static_cast<Index>(question.asked.size()); ++i)
    bounds.push_back(tiles.bound(i));
  return bounds;
}

// The largest unit of the queries, without rows of zeros: their scores are 0 in every unit.
double common_unit(const JoinQuestion& queries, const std::vector<ScanBound>& bounds) {
  const std::vector<double>& norms = cpu(queries.request).norms();
  double unit = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i)
    if (norms[queries.asked[i]->query] > 0) unit = std::max(unit, bounds[i].unit);
  return unit > 0 ? unit : bounds.front().unit;
}

}  // namespace

bool is_self_join(const ScanRequest& request, const Job& job) {
  const RowSource& rows = request.queries.rows();
  const auto all = static_cast<Index>(request.asked.size());
  return all == rows.rows() && all > block_unit && is_plain(request) && !request.filter.is_set() &&
         same_rows(rows, request.queries.corpus().rows()) &&
         join_bytes(all, rows.cols(), deepest(request)) <= largest_join(job);
}

Join::Join(const JoinQuestion& rows, ScanPanels& panels, bool last, const Job& job)
    : panels_(panels),
      last_(last),
      job_(job),
      request_(rows.request),
      first_row_(0),
      query_block_(block_of(static_cast<Index>(rows.asked.size()))),
      row_block_(query_block_),
      tiles_(cpu(rows.request), panels, rows.asked, rows.request.bound_factor, job) {
  set_sides(rows, nullptr);
}

Join::Join(const JoinQuestion& queries, const JoinQuestion& rows, ScanPanels& panels, bool last,
           const Job& job)
    : panels_(panels),
      last_(last),
      job_(job),
      request_(queries.request),
      first_row_(rows.asked.front()->query),
      query_block_(block_of(static_cast<Index>(queries.asked.size()))),
      row_block_(block_of(static_cast<Index>(rows.asked.size()))),
      tiles_(cpu(queries.request), panels, queries.asked, queries.request.bound_factor, job) {
  set_sides(queries, &rows);
}

// Leaves values_ empty if a score could overflow.
void Join::set_sides(const JoinQuestion& queries, const JoinQuestion* rows) {
  const auto count = static_cast<Index>(queries.asked.size());
  std::vector<ScanBound> bounds;
  for (Index i = 0; i < count; ++i) bounds.push_back(tiles_.bound(i));
  std::vector<ScanBound> row_bounds;
  if (rows != nullptr) row_bounds = bounds_of(*rows, job_);
  const auto usable = [](const ScanBound& bound) { return bound.usable; };
  if (!std::ranges::all_of(bounds, usable) || !std::ranges::all_of(row_bounds, usable)) return;
  const double unit = common_unit(queries, bounds);
  const Index others = rows != nullptr ? static_cast<Index>(rows->asked.size()) : count;
  queries_.emplace(queries.request, queries.asked, queries.open, std::move(bounds), others, last_,
                   unit);
  if (rows != nullptr)
    rows_.emplace(rows->request, rows->asked, rows->open, std::move(row_bounds), count, last_,
                  unit);
  const Index panels = parts_of(others, panel_rows);
  const Index first = first_row_ / panel_rows;
  if (!panels_.keeps(first, panels)) space_ = allocate_aligned(panels * panels_.size());
  values_ = panels_.get(first, panels, space_.get(), job_);
}

Index Join::rounds() const {
  const Index blocks = parts_of(rows().size(), row_block_);
  if (!rows_) return blocks + blocks % 2;
  return std::max(blocks, parts_of(queries_->size(), query_block_));
}

// Round 0 pairs each block with itself. The other rounds follow the circle method: the number of
// blocks is made even, the last block stays, and the others move on.
std::vector<Join::Pair> Join::triangle_round(Index number) const {
  const Index count = parts_of(queries_->size(), query_block_);
  const Index even = count + count % 2;
  std::vector<Pair> pairs;
  const auto add = [&](Index a, Index b) {
    if (a < count && b < count) pairs.push_back({std::min(a, b), std::max(a, b)});
  };
  if (number == 0) {
    for (Index block = 0; block < count; ++block) add(block, block);
    return pairs;
  }
  add(even - 1, number - 1);
  for (Index k = 1; k < even / 2; ++k)
    add((number - 1 + k) % (even - 1), (number - 1 - k + even - 1) % (even - 1));
  return pairs;
}

std::vector<Join::Pair> Join::round(Index number) const {
  if (!rows_) return triangle_round(number);
  const Index queries = parts_of(queries_->size(), query_block_);
  const Index rows = parts_of(rows_->size(), row_block_);
  std::vector<Pair> pairs;
  for (Index i = 0; i < std::min(queries, rows); ++i)
    pairs.push_back(
        {queries <= rows ? i : (i + number) % queries, queries <= rows ? (i + number) % rows : i});
  return pairs;
}

// Counts pairs of rows. A job scans the corpus for some queries, then for the next ones.
void Join::report(Index done) const {
  const CpuQueries& queries = cpu(request_);
  const char* phase = &panels_ == &queries.panels() ? "scan" : "rescan";
  const Index all = queries.corpus().rows().rows();
  const double part = static_cast<double>(done) / static_cast<double>(rounds());
  const auto seen = static_cast<Index>(part * static_cast<double>(rows().size()));
  job_.progress(phase, queries_->row(0) * all + queries_->size() * (first_row_ + seen),
                queries.rows().rows() * all);
}

ScanEnd Join::run() {
  if (!values_) return ScanEnd::hopeless;
  const Index lists = queries_->size() + (rows_ ? rows_->size() : 0);
  for (Index number = 0; number < rounds(); ++number) {
    report(number);
    const std::vector<Pair> pairs = round(number);
    parallel_for(job_, static_cast<Index>(pairs.size()),
                 [&](Index i, Index) { look_at(pairs[i]); });
    if (queries_->is_full(job_) || rows().is_full(job_)) return ScanEnd::full;
    const Index overflowing = queries_->overflowing() + (rows_ ? rows_->overflowing() : 0);
    if (!last_ && 2 * overflowing > lists) return ScanEnd::hopeless;
  }
  report(rounds());
  return ScanEnd::complete;
}

void Join::look_at(const Pair& pair) {
  const Index last_row = std::min((pair.rows + 1) * row_block_, rows().size());
  const Index last_query = std::min((pair.queries + 1) * query_block_, queries_->size());
  queries_->prefetch(pair.queries * query_block_, query_block_);
  for (Index panel = pair.rows * row_block_ / panel_rows; panel * panel_rows < last_row; ++panel) {
    if (queries_->is_full(job_) || rows().is_full(job_)) return;
    rows().prefetch(panel * panel_rows, panel_rows);
    for (Index tile = pair.queries * query_block_ / tile_queries; tile * tile_queries < last_query;
         ++tile) {
      const Index a = tile * tile_queries / block_unit, b = panel * panel_rows / block_unit;
      if (!rows_ && a > b) break;  // the tile with exchanged sides serves both
      look(tile, panel, rows_ || a < b);
    }
  }
}

void Join::look(Index tile, Index panel, bool both_sides) {
  alignas(64) float scores[tile_queries * panel_rows];
  alignas(64) float upper[tile_queries * panel_rows];
  alignas(64) float lower[tile_queries * panel_rows];
  const float* values = this->panel(panel);
  const int count = queries_->filter(tile).count;
  panels_.format().score_tile(tiles_.tile(tile), count, values, panels_.words(), scores);
  scan_kernels().bound_tile(scores, tiles_.factors(tile), count, panels_.bounds_of(values), upper,
                            lower);
  serve_queries(upper, lower, tile, panel);
  if (both_sides) serve_rows(upper, lower, tile, panel);
}

void Join::serve_queries(const float* upper, const float* lower, Index tile, Index panel) {
  ScanEvent events[tile_queries];
  const int found = scan_kernels().filter_tile(queries_->filter(tile), upper, lower, events);
  const Index first = panel * panel_rows;
  const Index count = std::min<Index>(panel_rows, rows().size() - first);
  const std::uint32_t valid =
      (count == panel_rows ? ~0u : (1u << count) - 1) & request_.filter.from(first_row_ + first);
  for (int i = 0; i < found; ++i) {
    const int at = events[i].query * panel_rows;
    for (std::uint32_t bits = events[i].admissible & valid; bits != 0; bits &= bits - 1) {
      const int bit = std::countr_zero(bits);
      queries_->take(
          tile * tile_queries + events[i].query,
          {upper[at + bit], lower[at + bit], static_cast<std::int32_t>(first_row_ + first + bit)});
    }
  }
}

void Join::serve_rows(const float* upper, const float* lower, Index tile, Index panel) {
  std::uint32_t reached[tile_queries];
  const int count = queries_->filter(tile).count;
  const Index first = panel * panel_rows;
  const float* thresholds = rows().thresholds(first);
  scan_kernels().filter_columns(upper, queries_->units(tile), count, thresholds, reached);
  for (int q = 0; q < count; ++q)
    for (std::uint32_t bits = reached[q]; bits != 0; bits &= bits - 1) {
      const int bit = std::countr_zero(bits);
      if (thresholds[bit] == infinity) continue;  // beyond the last row, or a row without a list
      const int at = q * panel_rows + bit;
      rows().take_if_near(first + bit, rows().turned(*queries_, tile * tile_queries + q,
                                                     first + bit, upper[at], lower[at]));
    }
}

}  // namespace gemmine::cpu
