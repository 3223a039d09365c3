#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/job.h"
#include "mining/candidates.h"
#include "mining/listed_rows.h"

namespace gemmine {

// What some options ask of one query.
struct MinedQuery {
  Index query;
  std::reference_wrapper<const MineOptions> options;
  std::optional<double> reference;  // score of its positives; nothing without any
  double ceiling;
  ListedRows listed;
};

// Where candidates come from.
class Retrieval {
 public:
  virtual ~Retrieval() = default;
  // Memory that a query needs, so that jobs can be cut into requests.
  virtual Index bytes(const MinedQuery& query) const = 0;
  // The candidates of some queries, which ascend; several options may ask about the same one.
  virtual Candidates retrieve(std::span<const MinedQuery> asked, const Job& job) = 0;
};

// Every row of the corpus is a candidate: an exact scan finds those that matter.
std::unique_ptr<Retrieval> scan_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index);

// Only the rows of `candidates` are; all of them are scored.
std::unique_ptr<Retrieval> list_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index);

}  // namespace gemmine
