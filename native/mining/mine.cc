#include "mining/mine.h"

#include <algorithm>
#include <limits>

#include "mining/batches.h"
#include "mining/judge.h"
#include "mining/retrieval.h"
#include "mining/sampling.h"
#include "mining/score_ceiling.h"

namespace gemmine {
namespace {

class Miner {
 public:
  Miner(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
        const MineOptions& options, const MinedArrays& out, const Job& job)
      : scans_(scans),
        options_(options),
        out_(out),
        job_(job),
        handle_(scans.prepare_queries(queries, corpus, job)),
        index_(options, corpus.rows().rows()),
        retrieval_(options.candidates ? list_retrieval(scans, *handle_, options, index_)
                                      : scan_retrieval(scans, *handle_, options, index_)) {}

  MinedCounts mine() {
    counts_.proof.zero_queries = handle_->zero_rows();
    counts_.proof.zero_rows = handle_->corpus().zero_rows();
    score_positives();
    clear();
    for_batches(
        handle_->rows().rows(), request_bytes,
        [&](const MinedQuery& query) { return retrieval_->bytes(query); },
        [&](Index query) { return ask(options_.first_query + query); },
        [&](const std::vector<MinedQuery>& asked) { run(asked); });
    return std::move(counts_);
  }

 private:
  void score_positives();
  void clear();
  std::optional<MinedQuery> ask(Index query);
  void run(const std::vector<MinedQuery>& asked);
  void settle(Index query, const QueryCandidates& candidates);
  void write(Index query, const std::vector<Negative>& negatives);
  void append(Index query, const std::vector<RuledRow>& rejected);

  Scans& scans_;
  const MineOptions& options_;
  const MinedArrays& out_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const RowIndex index_;
  const std::unique_ptr<Retrieval> retrieval_;
  MinedCounts counts_{
      .dropped = {},
      .queries_without_positives = 0,
      .inconsistent = 0,
      .candidate_pairs = 0,
      .proof = {.certified = 0, .fallback = 0, .zero_queries = 0, .zero_rows = 0},
      .rejected = {.queries = {}, .indptr = {0}, .rows = {}, .scores = {}, .rules = {}}};
};

void Miner::score_positives() {
  const RowLists& positives = options_.positives;
  scans_.score_pairs(*handle_, {positives.indptr + options_.first_query, positives.indices},
                     out_.positive_scores, job_);
}

void Miner::clear() {
  const Index queries = handle_->rows().rows();
  const Index size = queries * options_.num_negatives;
  std::fill(out_.indices, out_.indices + size, -1);
  std::fill(out_.ranks, out_.ranks + size, -1);
  std::fill(out_.scores, out_.scores + size, std::numeric_limits<float>::quiet_NaN());
  std::fill(out_.counts, out_.counts + queries, 0);
}

// Nothing for a query that is not mined.
std::optional<MinedQuery> Miner::ask(Index query) {
  const auto positives = list_of(options_.positives, query);
  counts_.queries_without_positives += positives.empty();
  if (positives.empty() && !options_.rules.max_score) {
    ++counts_.proof.certified;
    return std::nullopt;
  }
  std::optional<double> reference;
  if (!positives.empty()) {
    const double* scores = out_.positive_scores + options_.positives.indptr[query];
    reference = reference_score({scores, positives.size()}, options_.reference);
  }
  return MinedQuery{.query = query,
                    .reference = reference,
                    .ceiling = score_ceiling(reference, options_.rules),
                    .listed = index_.listed_rows(query)};
}

void Miner::run(const std::vector<MinedQuery>& asked) {
  const Candidates candidates = retrieval_->retrieve(asked, job_);
  for (std::size_t i = 0; i < asked.size(); ++i) settle(asked[i].query, candidates.of(i));
}

void Miner::settle(Index query, const QueryCandidates& candidates) {
  Verdict verdict = judge(options_, candidates);
  (candidates.population.rescanned ? counts_.proof.fallback : counts_.proof.certified) += 1;
  counts_.inconsistent += verdict.inconsistent;
  counts_.candidate_pairs += candidates.population.candidates();
  for (Index rule = 0; rule < rule_count; ++rule) counts_.dropped[rule] += verdict.dropped[rule];
  if (verdict.inconsistent) return;
  sample_negatives(options_, query, verdict.survivors);
  write(query, verdict.survivors);
  if (options_.explain > 0) append(query, verdict.rejected);
}

void Miner::write(Index query, const std::vector<Negative>& negatives) {
  const Index place = query - options_.first_query;
  out_.counts[place] = static_cast<std::int32_t>(negatives.size());
  Index at = place * options_.num_negatives;
  for (const Negative& each : negatives) {
    out_.indices[at] = each.row;
    out_.scores[at] = answer_score(each.score);
    out_.ranks[at++] = each.rank;
  }
}

void Miner::append(Index query, const std::vector<RuledRow>& rejected) {
  Rejected& all = counts_.rejected;
  all.queries.push_back(static_cast<std::int32_t>(query));
  for (const RuledRow& each : rejected) {
    all.rows.push_back(each.scored.row);
    all.scores.push_back(each.scored.score);
    all.rules.push_back(static_cast<std::uint8_t>(each.rule));
  }
  all.indptr.push_back(static_cast<std::int32_t>(all.rows.size()));
}

}  // namespace

MinedCounts mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                 const MineOptions& options, const MinedArrays& out, const Job& job) {
  return Miner(scans, queries, corpus, options, out, job).mine();
}

}  // namespace gemmine
