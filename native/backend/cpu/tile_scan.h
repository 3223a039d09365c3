#pragma once

#include <atomic>
#include <vector>

#include "backend/cpu/scan_queries.h"
#include "backend/proof/questions.h"

namespace gemmine::cpu {

// A scan that is followed by another one gives lists up sooner.
inline constexpr int first_widenings = 2;
// Limit for the candidates of queries of depth every_row; fewer queries than a tile are not split.
inline Index most_held(const Job& job) {
  return job.buffer_bytes / static_cast<Index>(sizeof(Candidate));
}

enum class ScanEnd {
  complete,
  hopeless,  // most queries are undecided and need a finer scan anyway
  full,      // queries of depth every_row found more rows than fit in memory
};

// Scans the corpus in one format for some questions of a request. Questions about one query are
// consecutive and share the products of its tile: each lane of a tile is a query, and each layer
// holds one question of every lane. For few queries the corpus is cut into segments with separate
// collectors; the cut depends on shapes only, and so do the counts of the proof. `last`: no scan in
// a finer format follows.
class TileScan {
 public:
  TileScan(const ScanRequest& request, ScanPanels& panels, const Asked& asked, bool last,
           const Job& job);

  ScanEnd run();
  // Share of the panels that were scanned.
  double progress() const { return progress_; }
  // Ranks the decided queries; returns the others.
  Asked rank(std::vector<Ranking>& rankings);

 private:
  void walk(const PanelRun& panels, Index first, Index count, Index segment, Index first_tile,
            Index end_tile);
  bool is_needed(Index first_row, Index tile) const;
  bool are_needed(Index first_panel, Index count) const;
  void look(const float* panel, Index first_row, Index tile, Index segment);
  void filter(Index layer, Index tile, Index segment, const float* upper, const float* lower,
              Index first_row);
  Collector& collector(Index segment, Index asked) {
    return collectors_[segment * asked_count_ + asked];
  }
  // The question of a layer in a lane; −1 if the query has fewer questions.
  Index question(Index tile, Index layer, int lane) const {
    const Index query = tile * tile_queries + lane;
    const Index at = starts_[query] + layer;
    return at < starts_[query + 1] ? at : -1;
  }
  void set_layers();
  TileFilter filter_of(Index segment, Index tile, Index layer);
  CollectorLimits limits() const;
  bool is_hopeless();
  bool is_full() const;
  void report(Index panels_done) const;

  const ScanRequest& request_;
  const CpuQueries& queries_;
  ScanPanels& panels_;
  const Asked& asked_;
  const bool last_;
  const Job& job_;
  Index asked_count_;
  Index rows_;                 // of the corpus
  Asked queries_asked_;        // the first question of every query
  std::vector<Index> starts_;  // [queries + 1], into asked_
  QueryTiles tiles_;
  std::vector<Index> layers_;          // [tiles + 1], total of the tiles before
  Index block_;                        // tiles in a task
  Index segments_;                     // number per group of panels
  Index group_;                        // panels
  TileFilter used_;                    // `used` is set: the levels in use
  std::vector<Collector> collectors_;  // [segments × asked]
  std::vector<TileFilter> filters_;    // [segments × layers of all tiles]
  bool unlimited_;                     // some question has depth every_row
  std::atomic<Index> held_ = 0;        // number of candidates, if unlimited
  double progress_ = 0;
};

}  // namespace gemmine::cpu
