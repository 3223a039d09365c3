#include "backend/cpu/log_sum_exp.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/kernels.h"
#include "backend/proof/log_sum.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

// Each segment of rows has its own sums, and sums are merged in the order of segments, so that bits
// do not depend on the number of segments in work at a time.
constexpr Index segment_panels = 8;
constexpr Index segment_rows = segment_panels * panel_rows;
constexpr Index group_bytes = 4 << 20;  // panels prepared or scanned between two barriers
constexpr Index largest_block = 8;      // tiles that use a panel while it is in cache
constexpr Index wanted_blocks = 16;     // so that threads finish together
static_assert(exponentials_at_once == panel_rows);

// Gives some rows of a panel the score −∞.
void leave_out(std::uint32_t rows, double* scores, double* widths) {
  for (; rows != 0; rows &= rows - 1) {
    const int row = std::countr_zero(rows);
    scores[row] = -std::numeric_limits<double>::infinity();
    widths[row] = 0.0;
  }
}

class LogSumScan {
 public:
  LogSumScan(const LogSumExpRequest& request, const CpuQueries& queries, ScanPanels& panels,
             const Job& job);

  std::vector<BoundedValue> run();

 private:
  void walk(const PanelRun& panels, Index first, Index count, Index block, LogSum* sums);
  void look(const float* panel, Index first_row, Index tile, LogSum* sums) const;
  void merge(Index block, Index segments);
  BoundedValue canonical(Index query) const;
  void report(Index panels_done) const;
  // The rows of a panel that are summed for some query, as bits.
  std::uint32_t rows_from(Index first) const {
    const Index rows = rows_ - first;
    return request_.filter.from(first) & (rows < panel_rows ? (1u << rows) - 1 : ~0u);
  }
  // The same for a query of the request.
  std::uint32_t rows_from(Index first, Index query) const {
    return rows_from(first) & request_.filter_of(request_.begin + query).from(first);
  }
  Index end_of(Index block) const { return std::min((block + 1) * block_, tiles_->count()); }

  const LogSumExpRequest& request_;
  const CpuQueries& queries_;
  ScanPanels& panels_;
  const Job& job_;
  Index rows_;  // of the corpus
  std::optional<QueryTiles> tiles_;
  std::vector<double> scales_;  // [queries]: the scan's unit / temperature
  Index block_;                 // tiles in a task
  Index blocks_;
  Index group_;                // segments
  std::vector<LogSum> parts_;  // [group × queries]
  std::vector<LogSum> sums_;   // [queries]
};

LogSumScan::LogSumScan(const LogSumExpRequest& request, const CpuQueries& queries,
                       ScanPanels& panels, const Job& job)
    : request_(request),
      queries_(queries),
      panels_(panels),
      job_(job),
      rows_(queries.corpus().rows().rows()),
      sums_(request.count) {
  std::vector<ScanQuery> asked;
  for (Index i = 0; i < request.count; ++i)
    asked.push_back({.query = request.begin + i, .depth = 1});
  std::vector<const ScanQuery*> pointers;
  for (const ScanQuery& each : asked) pointers.push_back(&each);
  tiles_.emplace(queries, panels, pointers, 1.0, job);
  for (Index i = 0; i < request.count; ++i)
    scales_.push_back(tiles_->bound(i).unit / request.temperature);
  block_ = std::clamp<Index>(tiles_->count() / wanted_blocks, 1, largest_block);
  blocks_ = (tiles_->count() + block_ - 1) / block_;
  const Index segment_bytes = segment_panels * panels.size() * Index{sizeof(float)};
  const Index segments = (panels.count() + segment_panels - 1) / segment_panels;
  group_ = std::clamp<Index>(group_bytes / segment_bytes, 1, segments);
  parts_.resize(group_ * request.count);
}

std::vector<BoundedValue> LogSumScan::run() {
  const Index group_panels = group_ * segment_panels;
  AlignedFloats space = allocate_aligned(group_panels * panels_.size());
  for (Index begin = 0; begin < panels_.count(); begin += group_panels) {
    report(begin);
    const Index count = std::min(group_panels, panels_.count() - begin);
    const Index segments = (count + segment_panels - 1) / segment_panels;
    const PanelRun panels = panels_.get(begin, count, space.get(), job_);
    std::fill(parts_.begin(), parts_.end(), LogSum{});
    parallel_for(job_, blocks_ * segments, [&](Index task, Index) {
      const Index segment = task / blocks_;
      const Index from = segment * segment_panels;
      walk(panels.from(from), begin + from, std::min(segment_panels, count - from), task % blocks_,
           &parts_[segment * request_.count]);
    });
    parallel_for(job_, blocks_, [&](Index block, Index) { merge(block, segments); });
  }
  report(panels_.count());
  std::vector<BoundedValue> values;
  for (Index i = 0; i < request_.count; ++i)
    values.push_back(tiles_->bound(i).usable
                         ? log_sum_value(sums_[i], tiles_->bound(i), request_.temperature, rows_)
                         : canonical(request_.begin + i));
  return values;
}

void LogSumScan::report(Index panels_done) const {
  const Index panels = panels_.count();
  job_.progress("scan", request_.begin * panels + request_.count * panels_done,
                queries_.rows().rows() * panels);
}

void LogSumScan::walk(const PanelRun& panels, Index first, Index count, Index block, LogSum* sums) {
  for (Index i = 0; i < count; ++i) {
    if (rows_from((first + i) * panel_rows) == 0) continue;
    for (Index tile = block * block_; tile < end_of(block); ++tile)
      look(panels[i], (first + i) * panel_rows, tile, sums);
  }
}

void LogSumScan::look(const float* panel, Index first_row, Index tile, LogSum* sums) const {
  alignas(64) float scores[tile_queries * panel_rows];
  alignas(64) float upper[tile_queries * panel_rows];
  alignas(64) float lower[tile_queries * panel_rows];
  alignas(64) double middle[panel_rows], width[panel_rows];
  const Index first = tile * tile_queries;
  const int count = static_cast<int>(std::min<Index>(tile_queries, request_.count - first));
  panels_.format().score_tile(tiles_->tile(tile), count, panel, panels_.words(), scores);
  scan_kernels().bound_tile(scores, tiles_->factors(tile), count, panels_.bounds_of(panel), upper,
                            lower);
  for (int q = 0; q < count; ++q) {
    const std::uint32_t counted = rows_from(first_row, first + q);
    if (counted == 0) continue;
    const float* high = upper + q * panel_rows;
    const float* low = lower + q * panel_rows;
    for (Index i = 0; i < panel_rows; ++i) {
      middle[i] = 0.5 * (double{high[i]} + double{low[i]});
      width[i] = 0.5 * (double{high[i]} - double{low[i]});
    }
    leave_out(~counted, middle, width);
    kernels().add_exponentials(middle, width, scales_[first + q], sums[first + q]);
  }
}

void LogSumScan::merge(Index block, Index segments) {
  const Index first = block * block_ * tile_queries;
  const Index end = std::min(end_of(block) * tile_queries, request_.count);
  for (Index i = first; i < end; ++i)
    for (Index segment = 0; segment < segments; ++segment)
      sums_[i].merge(parts_[segment * request_.count + i], scales_[i]);
}

// For a query with scores that could overflow float32.
BoundedValue LogSumScan::canonical(Index query) const {
  const Index segments = (rows_ + segment_rows - 1) / segment_rows;
  const double scale = 1 / request_.temperature;
  std::vector<LogSum> parts(segments);
  std::vector<CanonicalScorer> scorers(worker_count(job_), scorer_of(queries_));
  std::vector<RowScratch> scratch(worker_count(job_));
  parallel_for(job_, segments, [&](Index segment, Index worker) {
    scorers[worker].begin(query);
    double exact[panel_rows] = {};
    double scores[panel_rows];
    const Index end = std::min((segment + 1) * segment_rows, rows_);
    for (Index begin = segment * segment_rows; begin < end; begin += panel_rows) {
      const std::uint32_t counted = rows_from(begin, query - request_.begin);
      if (counted == 0) continue;
      const Index rows = std::min<Index>(panel_rows, end - begin);
      scorers[worker].score_rows(queries_.corpus().rows().block(begin, rows, scratch[worker]).dense,
                                 begin, scores);
      leave_out(~counted, scores, exact);
      kernels().add_exponentials(scores, exact, scale, parts[segment]);
    }
  });
  LogSum sum;
  for (const LogSum& part : parts) sum.merge(part, scale);
  return log_sum_value(sum, {.unit = 1, .offset = 0, .error = 0, .usable = true},
                       request_.temperature, rows_);
}

}  // namespace

std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job) {
  const auto& queries = dynamic_cast<const CpuQueries&>(request.queries);
  if (request.more) queries.keep_panels(job);
  return LogSumScan(request, queries, queries.finest_panels(), job).run();
}

}  // namespace gemmine::cpu
