#pragma once

#include <atomic>
#include <vector>

#include "backend/cpu/scan_queries.h"

namespace gemmine::cpu {

// Lists of a scan that another one follows are given up sooner.
inline constexpr int first_widenings = 2;
// Candidates of queries that take every row; fewer queries than a tile are not split up.
inline constexpr Index most_held = (256 << 20) / sizeof(Candidate);

using Asked = std::vector<const ScanQuery*>;

enum class ScanEnd {
  complete,
  hopeless,  // most queries are undecided, and a finer scan has to look at them anyway
  full,      // queries that take every row found more than the memory holds
};

// Walks the corpus in one format for some queries of a request. Few queries share the corpus out in
// segments, each with collectors of its own; the cut depends on shapes only, and so do the counts
// of the proof. `last` tells that no scan in a finer format follows.
class TileScan {
 public:
  TileScan(const ScanRequest& request, const ScanPanels& panels, const Asked& asked, bool last,
           const Job& job);

  ScanEnd run();
  // Panels that it looked at, as a part of all.
  double progress() const { return progress_; }
  // Ranks the queries that it decided; returns the others.
  Asked rank(std::vector<Ranking>& rankings);

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
  bool is_full() const;
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
  bool unlimited_;                     // some query takes every row
  std::atomic<Index> held_ = 0;        // candidates, when unlimited
  double progress_ = 0;
};

}  // namespace gemmine::cpu
