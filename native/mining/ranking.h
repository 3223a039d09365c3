#pragma once

#include <vector>

#include "backend/scan.h"

namespace gemmine {

struct Scored {
  double score;  // canonical
  std::int32_t row;
};

// The order of every answer: best first, equal scores by lower row.
inline bool better(const Scored& a, const Scored& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// What holds exactly for one query of a scan. Rows that were barred take no part.
struct Ranking {
  Index above[level_count];        // rows above each level (at the floor or above it)
  std::vector<Scored> admissible;  // the `depth` best, or all; best first
  std::vector<Scored> rejected;    // the `rejected_depth` best, or all; best first
  bool rescanned;                  // the scan proved nothing, and all rows were scored
};

// Turns a scan's bounds into canonical scores: only rows whose upper bound reaches the score of the
// last place are scored, so that nothing that is left out can belong to the answer.
Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer);

}  // namespace gemmine
