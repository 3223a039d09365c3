#include "backend/cpu/scan.h"

#include <algorithm>

#include "backend/candidates.h"
#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/scan_queries.h"
#include "core/checksum.h"

namespace gemmine::cpu {
namespace {

constexpr Index group_bytes = 4 << 20;  // panels that are prepared, or walked, between two barriers
constexpr Index wanted_tasks = 64;      // per group of panels, so that threads end together
constexpr Index largest_block = 8;      // tiles that share a panel while it is in cache
constexpr Index visit_at_once = 8;      // queries
// Fewer than this are settled canonically in less time of the CPU than panels in another format are
// prepared.
constexpr Index fewest_rescanned = 16;
// Lists of a scan that another one follows are given up sooner.
constexpr int first_widenings = 2;
// Straddlers of all queries together, as far as each may have a few; vectors grow by doubling.
constexpr Index straddler_bytes = 256 << 20;
constexpr Index fewest_straddlers = 256;
constexpr Index largest_straddlers = 16384;

using Asked = std::vector<const ScanQuery*>;

const CpuQueries& cpu(const QueryHandle& queries) {
  return dynamic_cast<const CpuQueries&>(queries);
}

class Scorers {
 public:
  Scorers(const CpuQueries& queries, const Job& job)
      : scorers_(worker_count(job), scorer_of(queries)) {}

  CanonicalScorer& begin(Index worker, Index query) {
    scorers_[worker].begin(query);
    return scorers_[worker];
  }

 private:
  std::vector<CanonicalScorer> scorers_;
};

// Walks the corpus in one format for some queries of a request. Few queries share the corpus out in
// segments, each with collectors of its own; the cut depends on shapes only, and so do the counts
// of the proof. `last` tells that no scan in a finer format follows.
class Scan {
 public:
  Scan(const ScanRequest& request, const ScanPanels& panels, const Asked& asked, bool last,
       const Job& job);

  // Whether it got to the end; if not, every query is left undecided.
  bool run();
  // Returns the queries that it leaves undecided, and does not visit them.
  Asked visit_results(const ScanVisitor& visit);

 private:
  void walk(const float* panels, Index first, Index count, Index segment, Index first_tile,
            Index end_tile);
  void look(const float* panel, Index first_row, Index tile, Index segment);
  Collector& collector(Index segment, Index asked) {
    return collectors_[segment * asked_count_ + asked];
  }
  void update(TileFilter& filter, int query, const Collector& collector) const;
  TileFilter filter_of(Index segment, Index tile);
  CollectorLimits limits() const;
  bool is_hopeless();
  void report(Index panels_done) const;

  const ScanRequest& request_;
  const CpuQueries& queries_;
  const ScanPanels& panels_;
  const Asked& asked_;
  const bool last_;
  const Job& job_;
  Index asked_count_;
  Index rows_;  // of the corpus
  QueryTiles tiles_;
  Index block_;                        // tiles in a task
  Index segments_;                     // of a group of panels
  Index group_;                        // panels
  TileFilter used_;                    // what of a filter is in use
  std::vector<Collector> collectors_;  // [segments × asked]
  std::vector<TileFilter> filters_;    // [segments × tiles]
};

TileFilter used_filters(const Asked& asked) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  TileFilter filter{};
  for (const ScanQuery* query : asked) {
    filter.used[ceiling_level] |= query->ceiling < infinity;
    filter.used[floor_level] |= query->floor > -infinity;
    filter.used[reference_level] |= query->reference < infinity;
    filter.rejected_used |= query->rejected_depth > 0;
  }
  return filter;
}

Scan::Scan(const ScanRequest& request, const ScanPanels& panels, const Asked& asked, bool last,
           const Job& job)
    : request_(request),
      queries_(cpu(request.queries)),
      panels_(panels),
      asked_(asked),
      last_(last),
      job_(job),
      asked_count_(static_cast<Index>(asked.size())),
      rows_(queries_.corpus().rows().rows()),
      tiles_(queries_, panels, asked, request.bound_factor, job),
      block_(std::clamp<Index>(tiles_.count() / wanted_tasks, 1, largest_block)),
      used_(used_filters(asked)) {
  const Index blocks = (tiles_.count() + block_ - 1) / block_;
  segments_ = std::clamp<Index>(wanted_tasks / 4 / blocks, 1, panels_.count());
  const Index panel_bytes = panels_.size() * static_cast<Index>(sizeof(float));
  group_ = std::min(std::max(group_bytes / panel_bytes, 2 * segments_), panels_.count());
  collectors_.reserve(segments_ * asked_count_);
  const CollectorLimits most = limits();
  for (Index segment = 0; segment < segments_; ++segment)
    for (Index i = 0; i < asked_count_; ++i)
      collectors_.emplace_back(*asked[i], tiles_.bound(i), request, rows_, most);
  for (Index segment = 0; segment < segments_; ++segment)
    for (Index tile = 0; tile < tiles_.count(); ++tile)
      filters_.push_back(filter_of(segment, tile));
}

CollectorLimits Scan::limits() const {
  const Index bytes = 2 * static_cast<Index>(sizeof(Straddler)) * segments_ * asked_count_;
  return {.widenings = last_ ? most_widenings : first_widenings,
          .straddlers = std::clamp(std::min(straddler_bytes / bytes, rows_ / 8), fewest_straddlers,
                                   largest_straddlers)};
}

TileFilter Scan::filter_of(Index segment, Index tile) {
  TileFilter filter = used_;
  const Index first = tile * tile_queries;
  filter.count = static_cast<int>(std::min<Index>(tile_queries, asked_count_ - first));
  for (int i = 0; i < filter.count; ++i) update(filter, i, collector(segment, first + i));
  return filter;
}

void Scan::update(TileFilter& filter, int query, const Collector& collector) const {
  const ScanThresholds now = collector.thresholds();
  filter.admissible[query] = now.admissible;
  filter.rejected[query] = now.rejected;
  for (int level = 0; level < level_count; ++level) {
    filter.above[level][query] = now.above[level];
    filter.maybe[level][query] = now.maybe[level];
  }
}

void Scan::report(Index panels_done) const {
  const Index panels = panels_.count();
  const bool is_first = &panels_ == &queries_.corpus().panels();
  const Index first = asked_.front()->query;
  const Index span = asked_.back()->query + 1 - first;
  job_.progress(is_first ? "scan" : "rescan", first * panels + span * panels_done,
                queries_.rows().rows() * panels);
}

// Whether the finer scan has to look at most queries anyway.
bool Scan::is_hopeless() {
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

bool Scan::run() {
  AlignedFloats space = allocate_aligned(group_ * panels_.size());
  const Index blocks = (tiles_.count() + block_ - 1) / block_;
  for (Index begin = 0; begin < panels_.count(); begin += group_) {
    report(begin);
    const Index count = std::min(group_, panels_.count() - begin);
    const float* panels = panels_.get(begin, count, space.get(), job_);
    parallel_for(job_, blocks * segments_, [&](Index task, Index) {
      const Index segment = task / blocks;
      const Index first_tile = task % blocks * block_;
      const Index from = segment * count / segments_;
      const Index to = (segment + 1) * count / segments_;
      walk(panels + from * panels_.size(), begin + from, to - from, segment, first_tile,
           std::min(first_tile + block_, tiles_.count()));
    });
    if (begin + count < panels_.count() && is_hopeless()) return false;
  }
  report(panels_.count());
  return true;
}

void Scan::walk(const float* panels, Index first, Index count, Index segment, Index first_tile,
                Index end_tile) {
  for (Index i = 0; i < count; ++i)
    for (Index tile = first_tile; tile < end_tile; ++tile)
      look(panels + i * panels_.size(), (first + i) * panel_rows, tile, segment);
}

void Scan::look(const float* panel, Index first_row, Index tile, Index segment) {
  alignas(64) float scores[tile_queries * panel_rows];
  alignas(64) float upper[tile_queries * panel_rows];
  alignas(64) float lower[tile_queries * panel_rows];
  const ScanKernels& kernels = scan_kernels();
  TileFilter& filter = filters_[segment * tiles_.count() + tile];
  panels_.format().score_tile(tiles_.tile(tile), filter.count, panel, panels_.words(), scores);
  kernels.bound_tile(scores, tiles_.factors(tile), filter.count, panels_.bounds_of(panel), upper,
                     lower);
  ScanEvent events[tile_queries];
  const int found = kernels.filter_tile(filter, upper, lower, events);
  const Index rows = std::min<Index>(panel_rows, rows_ - first_row);
  const std::uint32_t valid = rows == panel_rows ? ~0u : (1u << rows) - 1;
  for (int i = 0; i < found; ++i) {
    const int query = events[i].query;
    Collector& collecting = collector(segment, tile * tile_queries + query);
    const int at = query * panel_rows;
    if (collecting.take(events[i], upper + at, lower + at, first_row, valid))
      update(filter, query, collecting);
  }
}

Asked Scan::visit_results(const ScanVisitor& visit) {
  Scorers scorers(queries_, job_);
  std::vector<char> undecided(asked_.size());
  const Index count = (asked_count_ + visit_at_once - 1) / visit_at_once;
  parallel_for(job_, count, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * visit_at_once, asked_count_);
    for (Index i = chunk * visit_at_once; i < end; ++i) {
      Collector& whole = collector(0, i);
      for (Index segment = 1; segment < segments_; ++segment) whole.merge(collector(segment, i));
      whole.finish();
      undecided[i] = whole.overflow();
      if (undecided[i]) continue;
      ScanResult result = whole.result();
      visit(*asked_[i], result, scorers.begin(worker, asked_[i]->query));
    }
  });
  Asked left;
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if (undecided[i]) left.push_back(asked_[i]);
  return left;
}

// Returns the queries that are left undecided.
Asked scan_in(const ScanPanels& panels, const ScanRequest& request, const Asked& asked, bool last,
              const ScanVisitor& visit, const Job& job) {
  Scan scan(request, panels, asked, last, job);
  return scan.run() ? scan.visit_results(visit) : asked;
}

}  // namespace

std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool keep_panels,
                                             const Job& job) {
  return std::make_unique<CpuCorpus>(rows, metric, first_format(), keep_panels, job);
}

std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                             const Job& job) {
  return std::make_unique<CpuQueries>(rows, dynamic_cast<const CpuCorpus&>(corpus), job);
}

std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) {
  const Index n = rows.rows();
  std::vector<std::uint64_t> sums((n + checksum_rows - 1) / checksum_rows);
  std::vector<RowScratch> scratch(worker_count(job));
  parallel_for(job, static_cast<Index>(sums.size()), [&](Index part, Index worker) {
    const Index begin = part * checksum_rows;
    const Index count = std::min(checksum_rows, n - begin);
    sums[part] = checksum(rows.block(begin, count, scratch[worker]).dense);
  });
  return sums;
}

void visit_queries(const QueryHandle& queries, const QueryVisitor& visit, const Job& job) {
  Scorers scorers(cpu(queries), job);
  const Index rows = queries.rows().rows();
  parallel_for(job, (rows + visit_at_once - 1) / visit_at_once, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * visit_at_once, rows);
    for (Index query = chunk * visit_at_once; query < end; ++query)
      visit(query, scorers.begin(worker, query));
  });
}

void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job) {
  if (request.asked.empty()) return;
  const CpuQueries& queries = cpu(request.queries);
  const ScanPanels& first = queries.corpus().panels();
  Asked asked;
  for (const ScanQuery& query : request.asked) asked.push_back(&query);
  const bool finest = &first.format() == &finest_format();
  asked = scan_in(first, request, asked, finest, visit, job);
  if (!finest && static_cast<Index>(asked.size()) >= fewest_rescanned) {
    const ScanPanels panels(first.rows(), finest_format(), false, job);
    asked = scan_in(panels, request, asked, true, visit, job);
  }
  scan_canonically(request, queries, asked, visit, job);
}

}  // namespace gemmine::cpu
