#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/job.h"
#include "mining/candidates.h"
#include "mining/judge.h"
#include "mining/listed_rows.h"
#include "mining/score_ceiling.h"

namespace gemmine {

// A list of negatives to be found, by its number in the arrays of an answer.
struct AnswerList {
  Index list;
  Index query;
  std::int32_t positive;  // whose list it is, −1 unless under Reference::each
};

// A query with the options for its mining, for one of its lists of negatives.
struct MinedQuery {
  Index query;
  AnswerList of;
  std::reference_wrapper<const MineOptions> options;
  std::optional<double> reference;  // score of its positives, or of of.positive; empty without
  double ceiling;
  ListedRows listed;
  Index pool;  // number of survivors wanted: of the best, or of those with the smallest keys
};

inline MinedQuery mined_query(const MineOptions& options, const RowIndex& index,
                              const AnswerList& of, std::optional<double> reference) {
  return {.query = of.query,
          .of = of,
          .options = std::cref(options),
          .reference = reference,
          .ceiling = score_ceiling(reference, options.rules),
          .listed = index.listed_rows(of.query),
          .pool = first_pool(options)};
}

// A question that counts the rows better than `scored`.
inline ScanQuery rank_question(const ScanQuery& query, const Scored& scored) {
  return {.query = query.query,
          .depth = 0,
          .reference = scored.score,
          .reference_row = scored.row,
          .barred = query.barred,
          .group = query.group};
}

// A source of candidates.
class Retrieval {
 public:
  virtual ~Retrieval() = default;
  // Memory that a query needs, for cutting jobs into requests.
  virtual Index bytes(const MinedQuery& query) const = 0;
  // The candidates of some queries in ascending order; a query may occur several times with
  // different options. `more`: other queries follow.
  virtual Candidates retrieve(std::span<const MinedQuery> asked, bool more, const Job& job) = 0;
};

// Every row of the corpus is a candidate; an exact scan finds those that can affect the answer.
std::unique_ptr<Retrieval> scan_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index);

// Only the rows of `candidates` are candidates; all of them are scored.
std::unique_ptr<Retrieval> list_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index);

}  // namespace gemmine
