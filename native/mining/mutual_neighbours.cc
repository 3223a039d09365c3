#include "mining/mutual_neighbours.h"

#include <algorithm>

#include "backend/reverse.h"
#include "mining/batches.h"
#include "mining/reversed_lists.h"

namespace gemmine {
namespace {

// The questions of each row of one side about the other side.
struct Asking {
  // Filters of all rows that are the same are that of the request.
  Asking(const QueryHandle& handle, Index k, const RowLists& exclude, const SelfRows& self,
         QuestionFilters& filters) {
    const Index rows = handle.rows().rows();
    const Index depth = std::min(k, handle.corpus().rows().rows());
    const bool differ = filters.bytes() > 0;
    if (!differ && rows > 0) common = filters.of(0);
    barred.resize(rows);
    for (Index row = 0; row < rows; ++row) {
      barred[row] = barred_rows(exclude, self, row);
      const bool asks = filters.asks(row);
      asked.push_back({.query = row,
                       .depth = asks ? depth : 0,
                       .barred = barred[row],
                       .filter = differ && asks ? filters.of(row) : RowFilter{}});
    }
  }

  ScanRequest of(const QueryHandle& handle) const {
    return {.queries = handle,
            .asked = asked,
            .groups = Groups::off,
            .corpus_groups = nullptr,
            .counted = false,
            .bound_factor = 1.0,
            .filter = common};
  }

  std::vector<std::vector<std::int32_t>> barred;
  std::vector<ScanQuery> asked;
  RowFilter common;
};

bool holds(const Ranking& ranking, Scored scored) {
  return std::ranges::binary_search(ranking.admissible, scored, better);
}

// Scores have the same bits from either side.
void append(std::int32_t query, const Ranking& ranking, const std::vector<Ranking>& of_rows,
            FoundRows& found) {
  for (const Scored& each : ranking.admissible) {
    if (!holds(of_rows[each.row], {.score = each.score, .row = query})) continue;
    found.rows.push_back(each.row);
    found.scores.push_back(answer_score(each.score));
  }
  found.indptr.push_back(static_cast<double>(found.rows.size()));
}

Index rescanned(const std::vector<Ranking>& rankings) {
  return std::ranges::count_if(rankings, [](const Ranking& each) { return each.rescanned; });
}

// If both sides are the same, one scan answers both.
BothWays ways_of(Scans& scans, const QueryHandle& handle, const TopKOptions& options,
                 const Job& job) {
  const RowSource &queries = handle.rows(), &rows = handle.corpus().rows();
  const RowFilter live = handle.corpus().live();
  const ReversedLists reversed(options.exclude, options.self, queries.rows(), rows.rows());
  RowFilters filters(options.choice, rows.rows());
  const Asking there(handle, options.k, options.exclude, options.self, filters);
  if (same_rows(queries, rows) && reversed.lists().indptr == nullptr && !live.is_set() &&
      !options.choice.is_set()) {
    BothWays ways;
    ways.queries = scan_in_parts(there.of(handle), job,
                                 [&](const ScanRequest& part) { return scans.scan(part, job); });
    ways.rows = ways.queries;
    return ways;
  }
  const Job back = in_reverse(job);
  const auto corpus = scans.prepare_corpus(queries, handle.corpus().metric(), false, back);
  const auto turned = scans.prepare_queries(rows, *corpus, back);
  const SelfRows same{.same = options.self.rows == nullptr && options.self.same, .rows = nullptr};
  ReversedFilters back_filters(options.choice, live, queries.rows(), rows.rows());
  const Asking here(*turned, options.k, reversed.lists(), same, back_filters);
  return scans.column_top(there.of(handle), here.of(*turned), job);
}

}  // namespace

FoundRows mutual_neighbours(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                            const TopKOptions& options, const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const BothWays ways = ways_of(scans, *handle, options, job);
  FoundRows found{.indptr = {0},
                  .rows = {},
                  .scores = {},
                  .proof = {.certified = 0,
                            .fallback = rescanned(ways.queries) + rescanned(ways.rows),
                            .zero_queries = handle->zero_rows(),
                            .zero_rows = corpus.zero_rows()}};
  const Index rows = count_rows(corpus.live(), corpus.rows().rows());
  found.proof.certified = queries.rows() + rows - found.proof.fallback;
  for (std::size_t query = 0; query < ways.queries.size(); ++query)
    append(static_cast<std::int32_t>(query), ways.queries[query], ways.rows, found);
  return found;
}

}  // namespace gemmine
