#include "backend/cpu/tile_scan.h"

#include <algorithm>

#include "backend/cpu/canonical_scan.h"
#include "backend/proof/rescoring.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

constexpr Index group_bytes = 4 << 20;  // panels prepared or scanned between two barriers
constexpr Index wanted_tasks = 64;      // per group of panels, so that threads finish together
constexpr Index largest_block = 8;      // tiles that use a panel while it is in cache
constexpr Index rank_at_once = 8;       // queries
// Straddlers of a query, even if those of all do not fit in memory then. Vectors grow by doubling.
constexpr Index fewest_straddlers = 256;
constexpr Index largest_straddlers = 16384;

TileFilter used_filters(const ScanRequest& request, const Asked& asked) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  TileFilter filter{};
  for (const ScanQuery* query : asked) {
    filter.used[ceiling_level] |= query->ceiling < infinity;
    filter.used[floor_level] |= request.counted && query->floor > -infinity;
    filter.used[reference_level] |= query->reference < infinity;
    filter.rejected_used |= query->rejected_depth > 0;
  }
  return filter;
}

Asked first_of_each_query(const Asked& asked) {
  Asked first;
  for (const ScanQuery* each : asked)
    if (first.empty() || first.back()->query != each->query) first.push_back(each);
  return first;
}

constexpr ScanThresholds nothing_passes = [] {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return ScanThresholds{
      infinity, infinity, {infinity, infinity, infinity}, {infinity, infinity, infinity}};
}();

void set_thresholds(TileFilter& filter, int lane, const ScanThresholds& now) {
  filter.admissible[lane] = now.admissible;
  filter.rejected[lane] = now.rejected;
  for (int level = 0; level < level_count; ++level) {
    filter.above[level][lane] = now.above[level];
    filter.maybe[level][lane] = now.maybe[level];
  }
}

// Start of the questions about each query, then the end of the last ones.
std::vector<Index> starts_of(const Asked& asked) {
  std::vector<Index> starts;
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (i == 0 || asked[i]->query != asked[i - 1]->query) starts.push_back(static_cast<Index>(i));
  starts.push_back(static_cast<Index>(asked.size()));
  return starts;
}

}  // namespace

TileScan::TileScan(const ScanRequest& request, ScanPanels& panels, const Asked& asked, bool last,
                   const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CpuQueries&>(request.queries)),
      panels_(panels),
      asked_(asked),
      last_(last),
      job_(job),
      asked_count_(static_cast<Index>(asked.size())),
      rows_(queries_.corpus().rows().rows()),
      queries_asked_(first_of_each_query(asked)),
      starts_(starts_of(asked)),
      tiles_(queries_, panels, queries_asked_, request.bound_factor, job),
      block_(std::clamp<Index>(tiles_.count() / wanted_tasks, 1, largest_block)),
      used_(used_filters(request, asked)) {
  const Index blocks = (tiles_.count() + block_ - 1) / block_;
  segments_ = std::clamp<Index>(wanted_tasks / 4 / blocks, 1, panels_.count());
  const Index panel_bytes = panels_.size() * static_cast<Index>(sizeof(float));
  group_ = std::min(std::max(group_bytes / panel_bytes, 2 * segments_), panels_.count());
  collectors_.reserve(segments_ * asked_count_);
  const CollectorLimits most = limits();
  const auto queries = static_cast<Index>(queries_asked_.size());
  for (Index segment = 0; segment < segments_; ++segment)
    for (Index query = 0; query < queries; ++query)
      for (Index i = starts_[query]; i < starts_[query + 1]; ++i)
        collectors_.emplace_back(request, *asked[i], tiles_.bound(query), rows_, most);
  set_layers();
  unlimited_ = asked_count_ > tile_queries &&
               std::any_of(asked.begin(), asked.end(),
                           [](const ScanQuery* query) { return query->depth == every_row; });
}

CollectorLimits TileScan::limits() const {
  const Index bytes = 2 * static_cast<Index>(sizeof(Straddler)) * segments_ * asked_count_;
  return {.widenings = last_ ? most_widenings : first_widenings,
          .straddlers = std::clamp(std::min(job_.buffer_bytes / bytes, rows_ / 8),
                                   fewest_straddlers, largest_straddlers)};
}

// The number of layers of a tile is the largest number of questions about one of its queries.
void TileScan::set_layers() {
  const auto queries = static_cast<Index>(queries_asked_.size());
  layers_ = {0};
  for (Index tile = 0; tile < tiles_.count(); ++tile) {
    Index most = 0;
    for (Index i = tile * tile_queries; i < std::min((tile + 1) * tile_queries, queries); ++i)
      most = std::max(most, starts_[i + 1] - starts_[i]);
    layers_.push_back(layers_.back() + most);
  }
  for (Index segment = 0; segment < segments_; ++segment)
    for (Index tile = 0; tile < tiles_.count(); ++tile)
      for (Index layer = 0; layer < layers_[tile + 1] - layers_[tile]; ++layer)
        filters_.push_back(filter_of(segment, tile, layer));
}

TileFilter TileScan::filter_of(Index segment, Index tile, Index layer) {
  TileFilter filter = used_;
  const auto queries = static_cast<Index>(queries_asked_.size());
  filter.count = static_cast<int>(std::min<Index>(tile_queries, queries - tile * tile_queries));
  for (int lane = 0; lane < filter.count; ++lane) {
    const Index asked = question(tile, layer, lane);
    set_thresholds(filter, lane,
                   asked < 0 ? nothing_passes : collector(segment, asked).thresholds());
  }
  return filter;
}

void TileScan::report(Index panels_done) const {
  const bool is_first = &panels_ == &queries_.panels();
  const Index first = asked_.front()->query;
  const Index span = asked_.back()->query + 1 - first;
  const Index rows_done = std::min(panels_done * panel_rows, rows_);
  job_.progress(is_first ? "scan" : "rescan", first * rows_ + span * rows_done,
                queries_.rows().rows() * rows_);
}

// Whether most queries need the finer scan anyway.
bool TileScan::is_hopeless() {
  if (last_) return false;
  Index undecided = 0;
  for (Index i = 0; i < asked_count_; ++i) {
    bool overflow = false;
    for (Index segment = 0; segment < segments_; ++segment)
      overflow = overflow || collector(segment, i).overflow();
    undecided += overflow;
  }
  return 2 * undecided > asked_count_;
}

bool TileScan::is_full() const { return unlimited_ && held_ > most_held(job_); }

ScanEnd TileScan::run() {
  AlignedFloats space = allocate_aligned(group_ * panels_.size());
  const Index blocks = (tiles_.count() + block_ - 1) / block_;
  for (Index begin = 0; begin < panels_.count(); begin += group_) {
    report(begin);
    const Index count = std::min(group_, panels_.count() - begin);
    if (!are_needed(begin, count)) continue;
    const float* panels = panels_.get(begin, count, space.get(), job_);
    parallel_for(job_, blocks * segments_, [&](Index task, Index) {
      const Index segment = task / blocks;
      const Index first_tile = task % blocks * block_;
      const Index from = segment * count / segments_;
      const Index to = (segment + 1) * count / segments_;
      walk(panels + from * panels_.size(), begin + from, to - from, segment, first_tile,
           std::min(first_tile + block_, tiles_.count()));
    });
    progress_ = static_cast<double>(begin + count) / static_cast<double>(panels_.count());
    if (is_full()) return ScanEnd::full;
    if (begin + count < panels_.count() && is_hopeless()) return ScanEnd::hopeless;
  }
  report(panels_.count());
  return ScanEnd::complete;
}

void TileScan::walk(const float* panels, Index first, Index count, Index segment, Index first_tile,
                    Index end_tile) {
  for (Index i = 0; i < count && !is_full(); ++i) {
    give_way();
    for (Index tile = first_tile; tile < end_tile; ++tile)
      if (is_needed((first + i) * panel_rows, tile))
        look(panels + i * panels_.size(), (first + i) * panel_rows, tile, segment);
  }
}

// Whether some question of a tile may get a row of a panel.
bool TileScan::is_needed(Index first_row, Index tile) const {
  const std::uint32_t rows = request_.filter.from(first_row);
  if (rows == 0) return false;
  const auto queries = static_cast<Index>(queries_asked_.size());
  const Index end = starts_[std::min((tile + 1) * tile_queries, queries)];
  for (Index i = starts_[tile * tile_queries]; i < end; ++i)
    if ((rows & asked_[i]->filter.from(first_row)) != 0) return true;
  return false;
}

bool TileScan::are_needed(Index first_panel, Index count) const {
  for (Index panel = first_panel; panel < first_panel + count; ++panel)
    for (Index tile = 0; tile < tiles_.count(); ++tile)
      if (is_needed(panel * panel_rows, tile)) return true;
  return false;
}

void TileScan::look(const float* panel, Index first_row, Index tile, Index segment) {
  alignas(64) float scores[tile_queries * panel_rows];
  alignas(64) float upper[tile_queries * panel_rows];
  alignas(64) float lower[tile_queries * panel_rows];
  const ScanKernels& kernels = scan_kernels();
  const int lanes = filters_[segment * layers_.back() + layers_[tile]].count;
  panels_.format().score_tile(tiles_.tile(tile), lanes, panel, panels_.words(), scores);
  kernels.bound_tile(scores, tiles_.factors(tile), lanes, panels_.bounds_of(panel), upper, lower);
  for (Index layer = 0; layer < layers_[tile + 1] - layers_[tile]; ++layer)
    filter(layer, tile, segment, upper, lower, first_row);
}

void TileScan::filter(Index layer, Index tile, Index segment, const float* upper,
                      const float* lower, Index first_row) {
  TileFilter& filter = filters_[segment * layers_.back() + layers_[tile] + layer];
  ScanEvent events[tile_queries];
  const int found = scan_kernels().filter_tile(filter, upper, lower, events);
  const Index rows = std::min<Index>(panel_rows, rows_ - first_row);
  const std::uint32_t valid = rows == panel_rows ? ~0u : (1u << rows) - 1;
  for (int i = 0; i < found; ++i) {
    const int lane = events[i].query;
    const Index asked = question(tile, layer, lane);
    if (asked < 0) continue;  // a NaN bound passes
    Collector& collecting = collector(segment, asked);
    const int at = lane * panel_rows;
    const Index before = unlimited_ ? collecting.held() : 0;
    if (collecting.take(events[i], upper + at, lower + at, first_row, valid))
      set_thresholds(filter, lane, collecting.thresholds());
    if (unlimited_) held_.fetch_add(collecting.held() - before, std::memory_order_relaxed);
  }
}

Asked TileScan::rank(std::vector<Ranking>& rankings) {
  std::vector<CanonicalScorer> scorers(worker_count(job_), scorer_of(queries_));
  std::vector<char> undecided(asked_.size());
  const Index count = (asked_count_ + rank_at_once - 1) / rank_at_once;
  parallel_for(job_, count, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * rank_at_once, asked_count_);
    for (Index i = chunk * rank_at_once; i < end; ++i) {
      Collector& whole = collector(0, i);
      for (Index segment = 1; segment < segments_; ++segment) whole.merge(collector(segment, i));
      whole.finish();
      undecided[i] = whole.overflow();
      if (undecided[i]) continue;
      const ScanQuery& query = *asked_[i];
      scorers[worker].begin(query.query);
      ScanResult result = whole.result();
      rankings[&query - request_.asked.data()] =
          rank_rows(request_, query, result, scorers[worker]);
    }
  });
  Asked left;
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if (undecided[i]) left.push_back(asked_[i]);
  return left;
}

}  // namespace gemmine::cpu
