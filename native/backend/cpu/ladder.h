#pragma once

#include "backend/cpu/tile_scan.h"

namespace gemmine::cpu {

// Answers the queries of one request in the formats of a scan, from the first to the canonical one.
class Ladder {
 public:
  Ladder(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job);

  void answer(const Asked& all);
  // Answers the queries that are undecided after the first format or after the finest one.
  void settle(Asked left, bool in_finest);

 private:
  void scan_from_first(const Asked& all);
  Asked join_in(ScanPanels& panels, const Asked& all, const Asked& open, bool last);
  Asked scan_in(ScanPanels& panels, const Asked& asked, bool last);
  Asked scan_in_parts(ScanPanels& panels, const Asked& asked, bool last, double progress);
  Asked scan_in_finest(const Asked& asked);

  const ScanRequest& request_;
  const CpuQueries& queries_;
  std::vector<Ranking>& rankings_;
  const Job& job_;
};

}  // namespace gemmine::cpu
