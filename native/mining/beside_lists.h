#pragma once

#include <span>
#include <vector>

#include "mining/retrieval.h"

namespace gemmine {

// Lists of a caller beside the scan: the rows of MineOptions::candidates that the rules before
// ranks admit, wherever they are in the order.
class BesideLists {
 public:
  BesideLists(Scans& scans, const QueryHandle& queries, const MineOptions& shared,
              const RowIndex& index)
      : scans_(scans), queries_(queries), shared_(shared), index_(index) {}

  // Memory for the rows of a query that are scored.
  Index bytes(Index query) const;
  // Adds the admissible rows of each list that are not among the best ones to Ranking::drawn. The
  // questions draw nothing.
  void add(std::span<const MinedQuery> asked, std::vector<Ranking>& rankings, const Job& job) const;

 private:
  // Rows of the list that take part in the scan, and the rows of their classes that do; ascending.
  std::vector<std::int32_t> scored_rows(const MinedQuery& query) const;
  std::vector<Scored> admissible(const MinedQuery& query, std::vector<RuledRow> scored) const;

  Scans& scans_;
  const QueryHandle& queries_;
  const MineOptions& shared_;  // only its lists and the range of queries are used
  const RowIndex& index_;
};

}  // namespace gemmine
