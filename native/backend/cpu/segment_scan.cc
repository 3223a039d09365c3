#include "backend/cpu/segment_scan.h"

#include <algorithm>

#include "backend/cpu/kernels.h"
#include "backend/proof/scan_bounds.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Index group_bytes = 4 << 20;           // panels prepared or scanned between two barriers
constexpr Index block_lanes = 8 * tile_queries;  // lanes that use a panel while it is in cache
constexpr Index wanted_tasks = 16;               // per group, so that threads finish together
static_assert(2 * maxima_lanes == panel_rows);

float largest_lane(const float* maxima) { return *std::max_element(maxima, maxima + maxima_lanes); }

}  // namespace

SegmentScan::SegmentScan(const SegmentMaxRequest& request, ScanPanels& panels,
                         const std::vector<Index>& asked, bool last, const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CpuQueries&>(request.queries)),
      panels_(panels),
      asked_(asked),
      last_(last),
      job_(job) {
  const std::vector<Index> rows = lay_out();
  std::vector<ScanQuery> lanes;
  for (const Index row : rows) lanes.push_back({.query = row, .depth = 1});
  std::vector<const ScanQuery*> pointers;
  for (const ScanQuery& each : lanes) pointers.push_back(&each);
  tiles_ = std::make_unique<QueryTiles>(queries_, panels, pointers, request.bound_factor, job);
  describe_queries();
  const Index panel_bytes = panels.size() * Index{sizeof(float)};
  group_panels_ = std::max<Index>(group_bytes / panel_bytes, 1);
  parts_ = std::max<Index>(wanted_tasks / static_cast<Index>(blocks_.size()), 1);
  for (Index part = 0; part < parts_; ++part)
    for (const Query& query : layout_)
      lists_.emplace_back(request.depth, request.corpus_segments.count,
                          last ? most_widenings : most_widenings - 1,
                          query.usable ? -infinity : infinity, 0.0);
}

// Assigns lanes to query segments; returns the row of each lane. The last tile of a block is padded
// with its last row.
std::vector<Index> SegmentScan::lay_out() {
  std::vector<Index> rows;
  Index first = 0, first_tile = 0;
  const auto count = static_cast<Index>(asked_.size());
  for (Index i = 0; i < count; ++i) {
    const Index tokens = request_.query_segments.size(asked_[i]);
    layout_.push_back({static_cast<Index>(rows.size()), tokens, 1.0, true});
    for (Index t = 0; t < tokens; ++t)
      rows.push_back(request_.query_segments.starts[asked_[i]] + t);
    const Index lanes = static_cast<Index>(rows.size()) - first_tile * tile_queries;
    if (lanes < block_lanes && i + 1 < count) continue;
    while (rows.size() % tile_queries != 0) rows.push_back(rows.back());
    const Index end_tile = static_cast<Index>(rows.size()) / tile_queries;
    blocks_.push_back({first, i + 1, first_tile, end_tile});
    first = i + 1;
    first_tile = end_tile;
  }
  return rows;
}

// A row of zeros adds 0 to every sum, so its unit does not matter.
void SegmentScan::describe_queries() {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    Query& query = layout_[i];
    double unit = 0;
    for (Index t = 0; t < query.tokens; ++t) {
      const ScanBound& bound = tiles_->bound(query.first_lane + t);
      query.usable = query.usable && bound.usable;
      if (queries_.norms()[request_.query_segments.starts[asked_[i]] + t] > 0)
        unit = std::max(unit, bound.unit);
    }
    if (unit > 0) query.unit = unit;
  }
}

// Documents that fit in the panels of a group; a longer document is a group by itself.
SegmentScan::Stretch SegmentScan::next_group(Index first) const {
  const Segments& documents = request_.corpus_segments;
  const Index first_panel = documents.starts[first] / panel_rows;
  const Index most = (first_panel + group_panels_) * panel_rows;
  const std::int32_t* end =
      std::upper_bound(documents.starts + first + 1, documents.starts + documents.count + 1, most);
  return {first, std::max<Index>(end - documents.starts - 1, first + 1)};
}

SegmentScan::Stretch SegmentScan::part_of(const Stretch& group, Index part) const {
  const std::int32_t* starts = request_.corpus_segments.starts;
  const Index begin = starts[group.first];
  const Index rows = starts[group.end] - begin;
  const auto cut = [&](Index at) {
    return std::lower_bound(starts + group.first, starts + group.end, begin + at * rows / parts_) -
           starts;
  };
  return {part == 0 ? group.first : cut(part), part + 1 == parts_ ? group.end : cut(part + 1)};
}

void SegmentScan::report(Index documents_done) const {
  const Index documents = request_.corpus_segments.count;
  const auto asked = static_cast<Index>(asked_.size());
  if (&panels_ != &queries_.panels())
    return job_.progress("rescan", documents_done * asked, documents * asked);
  job_.progress("scan", request_.begin * documents + request_.count * documents_done,
                request_.query_segments.count * documents);
}

bool SegmentScan::run() {
  const Segments& documents = request_.corpus_segments;
  const auto blocks = static_cast<Index>(blocks_.size());
  AlignedFloats space;
  Index room = 0;
  for (Index at = 0; at < documents.count;) {
    if (is_hopeless()) return false;
    report(at);
    const Stretch group = next_group(at);
    at = group.end;
    if (documents.starts[group.first] == documents.starts[group.end]) continue;
    const Index first_panel = documents.starts[group.first] / panel_rows;
    const Index count = (documents.starts[group.end] - 1) / panel_rows + 1 - first_panel;
    if (count > room) {
      space.reset();
      space = allocate_aligned(count * panels_.size());
      room = count;
    }
    const PanelRun panels = panels_.get(first_panel, count, space.get(), job_);
    parallel_for(job_, blocks * parts_, [&](Index task, Index) {
      const Index part = task / blocks;
      walk(panels, first_panel, part_of(group, part), task % blocks, part);
    });
  }
  report(documents.count);
  return true;
}

bool SegmentScan::is_hopeless() {
  if (last_) return false;
  Index undecided = 0;
  const auto count = static_cast<Index>(asked_.size());
  for (Index i = 0; i < count; ++i) {
    bool overflow = false;
    for (Index part = 0; part < parts_; ++part) overflow = overflow || list(part, i).overflow();
    undecided += overflow;
  }
  return 2 * undecided > count;
}

void SegmentScan::walk(const PanelRun& panels, Index first_panel, const Stretch& documents,
                       Index block_index, Index part) {
  const Segments& segments = request_.corpus_segments;
  const Block& block = blocks_[block_index];
  const Index lanes = (block.end_tile - block.first_tile) * tile_queries;
  Bounds bounds{std::vector<float>(lanes * panel_rows), std::vector<float>(lanes * panel_rows),
                std::vector<float>(lanes * maxima_lanes), std::vector<float>(lanes * maxima_lanes)};
  Index scored = -1;  // last panel with scores
  for (Index document = documents.first; document < documents.end; ++document) {
    const Index end = segments.starts[document + 1];
    if (!is_needed(block, document)) continue;
    std::fill(bounds.highest.begin(), bounds.highest.end(), -infinity);
    std::fill(bounds.reached.begin(), bounds.reached.end(), -infinity);
    for (Index row = segments.starts[document], next = 0; row < end; row = next) {
      const Index panel = row / panel_rows;
      job_.cancellation.check();
      next = end_of_stretch(request_.rows, row, std::min((panel + 1) * panel_rows, end));
      if (!request_.rows.holds(row)) continue;
      if (panel != scored) score(panels[panel - first_panel], block, bounds);
      scored = panel;
      const Index first = row - panel * panel_rows, last = next - panel * panel_rows;
      kernels().raise_maxima(bounds.upper.data(), lanes, first, last, bounds.highest.data());
      kernels().raise_maxima(bounds.lower.data(), lanes, first, last, bounds.reached.data());
    }
    finish(block, part, document, bounds);
  }
}

// Whether a document has rows, and some query of a block may get it.
bool SegmentScan::is_needed(const Block& block, Index document) const {
  const std::int32_t* starts = request_.corpus_segments.starts;
  if (!holds_any(request_.rows, starts[document], starts[document + 1])) return false;
  for (Index i = block.first; i < block.end; ++i)
    if (request_.allows(asked_[i], document)) return true;
  return false;
}

void SegmentScan::score(const float* panel, const Block& block, Bounds& bounds) const {
  alignas(64) float scores[tile_queries * panel_rows];
  for (Index tile = block.first_tile; tile < block.end_tile; ++tile) {
    const Index at = (tile - block.first_tile) * tile_queries * panel_rows;
    panels_.format().score_tile(tiles_->tile(tile), tile_queries, panel, panels_.words(), scores);
    scan_kernels().bound_tile(scores, tiles_->factors(tile), tile_queries, panels_.bounds_of(panel),
                              &bounds.upper[at], &bounds.lower[at]);
  }
}

void SegmentScan::finish(const Block& block, Index part, Index document, const Bounds& bounds) {
  for (Index i = block.first; i < block.end; ++i) {
    const Query& query = layout_[i];
    CandidateList& candidates = list(part, i);
    if (!query.usable || candidates.overflow() || !request_.allows(asked_[i], document)) continue;
    double upper = 0, lower = 0;
    for (Index t = 0; t < query.tokens; ++t) {
      const ScanBound& bound = tiles_->bound(query.first_lane + t);
      const Index lane = query.first_lane + t - block.first_tile * tile_queries;
      const float highest = largest_lane(&bounds.highest[lane * maxima_lanes]);
      const float reached = largest_lane(&bounds.reached[lane * maxima_lanes]);
      upper += (highest + (bound.offset + bound.error)) * bound.unit;
      lower += (reached + (bound.offset - bound.error)) * bound.unit;
    }
    const float reaches = bounds::float_above(upper / query.unit);
    if (!(reaches < candidates.threshold()))
      candidates.push(reaches, bounds::float_below(lower / query.unit), document);
  }
}

std::vector<Index> SegmentScan::rank(std::vector<BestSegments>& answers) {
  const ScanRequest request{.queries = request_.queries,
                            .asked = {},
                            .groups = Groups::off,
                            .corpus_groups = nullptr,
                            .counted = false,
                            .bound_factor = request_.bound_factor};
  std::vector<SegmentScorer> scorers;
  for (Index i = 0; i < worker_count(job_); ++i) scorers.emplace_back(request_);
  std::vector<char> undecided(asked_.size());
  parallel_for(job_, static_cast<Index>(asked_.size()), [&](Index i, Index worker) {
    CandidateList& whole = list(0, i);
    for (Index part = 1; part < parts_; ++part) whole.merge(list(part, i));
    undecided[i] = !layout_[i].usable || whole.overflow();
    if (undecided[i]) return;
    scorers[worker].begin(asked_[i]);
    ScanResult scanned{.above = {},
                       .straddlers = {},
                       .classes = {},
                       .admissible = std::move(whole.candidates()),
                       .rejected = {},
                       .dropped_below = whole.dropped_below(),
                       .unit = layout_[i].unit,
                       .offset = 0};
    const ScanQuery query{.query = asked_[i], .depth = request_.depth};
    Ranking ranking = rank_rows(request, query, scanned, scorers[worker]);
    answers[asked_[i] - request_.begin] = {std::move(ranking.admissible), false};
  });
  std::vector<Index> left;
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if (undecided[i]) left.push_back(asked_[i]);
  return left;
}

}  // namespace gemmine::cpu
