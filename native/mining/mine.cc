#include "mining/mine.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "mining/batches.h"
#include "mining/judge.h"
#include "mining/sampling.h"
#include "mining/score_ceiling.h"

namespace gemmine {
namespace {

class Miner {
 public:
  Miner(Backend& backend, const RowSource& queries, const CorpusHandle& corpus,
        const MineOptions& options, const MinedArrays& out, const Job& job)
      : backend_(backend),
        corpus_rows_(corpus.rows().rows()),
        options_(options),
        out_(out),
        job_(job),
        handle_(backend.prepare_queries(queries, corpus, job)),
        index_(options, queries.rows(), corpus_rows_) {}

  MinedCounts mine() {
    counts_.proof.zero_queries = handle_->zero_rows();
    counts_.proof.zero_rows = handle_->corpus().zero_rows();
    score_positives();
    clear();
    const RowSource& queries = handle_->rows();
    for_batches(
        queries.rows(),
        [&](const ScanQuery& query) { return scan_bytes(query, queries.cols(), index_.classes()); },
        [&](Index query) { return ask(query); },
        [&](const std::vector<ScanQuery>& asked) { run(asked); });
    return std::move(counts_);
  }

 private:
  void score_positives();
  void clear();
  std::optional<ScanQuery> ask(Index query);
  void run(const std::vector<ScanQuery>& asked);
  void settle(const MinedQuery& query, const Ranking& ranking, ClassScores& classes,
              RowScorer& scorer, std::vector<RejectedRow>& rejected, bool& mined);
  void write(Index query, const std::vector<Negative>& negatives);
  void append(Index query, const std::vector<RejectedRow>& rejected);

  Backend& backend_;
  const Index corpus_rows_;
  const MineOptions& options_;
  const MinedArrays& out_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const RowIndex index_;
  std::vector<MinedQuery> batch_;
  std::mutex mutex_;  // guards counts_ while queries are settled
  MinedCounts counts_{
      .dropped = {},
      .queries_without_positives = 0,
      .inconsistent = 0,
      .proof = {.certified = 0, .fallback = 0, .zero_queries = 0, .zero_rows = 0},
      .rejected = {.queries = {}, .indptr = {0}, .rows = {}, .scores = {}, .rules = {}}};
};

void Miner::score_positives() {
  backend_.visit_queries(
      *handle_,
      [&](Index query, RowScorer& scorer) {
        const auto rows = list_of(options_.positives, query);
        if (rows.empty()) return;
        scorer.score(rows.data(), static_cast<Index>(rows.size()),
                     out_.positive_scores + options_.positives.indptr[query]);
      },
      job_);
}

void Miner::clear() {
  const Index queries = handle_->rows().rows();
  const Index size = queries * options_.num_negatives;
  std::fill(out_.indices, out_.indices + size, -1);
  std::fill(out_.ranks, out_.ranks + size, -1);
  std::fill(out_.scores, out_.scores + size, std::numeric_limits<float>::quiet_NaN());
  std::fill(out_.counts, out_.counts + queries, 0);
}

// Nothing for a query that is not mined. Its part of the batch outlives the request.
std::optional<ScanQuery> Miner::ask(Index query) {
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
  batch_.push_back({.query = query,
                    .reference = reference,
                    .ceiling = score_ceiling(reference, options_.rules),
                    .listed = index_.listed_rows(query)});
  const MinedQuery& asked = batch_.back();
  ScanQuery scan{.query = query,
                 .depth = needed_depth(options_, index_, asked.listed, corpus_rows_),
                 .ceiling = asked.ceiling,
                 .rejected_depth = std::min(options_.explain, corpus_rows_),
                 .barred = asked.listed.rows,
                 .group = index_.group_of(query)};
  if (options_.min_score) scan.floor = *options_.min_score;
  if (options_.max_positive_rank && reference) scan.reference = *reference;
  return scan;
}

void Miner::run(const std::vector<ScanQuery>& asked) {
  const ScanRequest request{.queries = *handle_,
                            .asked = asked,
                            .groups = options_.groups,
                            .corpus_groups = options_.corpus_groups,
                            .classes = index_.classes(),
                            .bound_factor = 1.0};
  std::vector<std::vector<RejectedRow>> rejected(asked.size());
  std::vector<char> mined(asked.size());
  const ScanQuery* first = asked.data();
  backend_.scan(
      request,
      [&](const ScanQuery& query, ScanResult& scanned, RowScorer& scorer) {
        const auto at = static_cast<std::size_t>(&query - first);
        const Ranking ranking = rank_rows(request, query, scanned, scorer);
        bool consistent = false;
        ClassScores classes(request, query, scorer);
        settle(batch_[at], ranking, classes, scorer, rejected[at], consistent);
        mined[at] = consistent;
      },
      job_);
  for (std::size_t i = 0; i < asked.size() && options_.explain > 0; ++i)
    if (mined[i]) append(asked[i].query, rejected[i]);
  batch_.clear();
}

void Miner::settle(const MinedQuery& query, const Ranking& ranking, ClassScores& classes,
                   RowScorer& scorer, std::vector<RejectedRow>& rejected, bool& mined) {
  Verdict verdict = judge(options_, index_, query, ranking, corpus_rows_, classes, scorer);
  mined = !verdict.inconsistent;
  if (mined) {
    sample_negatives(options_, query.query, verdict.survivors);
    write(query.query, verdict.survivors);
    rejected = std::move(verdict.rejected);
  }
  const std::lock_guard lock(mutex_);
  (ranking.rescanned ? counts_.proof.fallback : counts_.proof.certified) += 1;
  counts_.inconsistent += verdict.inconsistent;
  for (Index rule = 0; rule < rule_count; ++rule) counts_.dropped[rule] += verdict.dropped[rule];
}

void Miner::write(Index query, const std::vector<Negative>& negatives) {
  out_.counts[query] = static_cast<std::int32_t>(negatives.size());
  Index at = query * options_.num_negatives;
  for (const Negative& each : negatives) {
    out_.indices[at] = each.row;
    out_.scores[at] = answer_score(each.score);
    out_.ranks[at++] = each.rank;
  }
}

void Miner::append(Index query, const std::vector<RejectedRow>& rejected) {
  Rejected& all = counts_.rejected;
  all.queries.push_back(static_cast<std::int32_t>(query));
  for (const RejectedRow& each : rejected) {
    all.rows.push_back(each.scored.row);
    all.scores.push_back(each.scored.score);
    all.rules.push_back(static_cast<std::uint8_t>(each.rule));
  }
  all.indptr.push_back(static_cast<std::int32_t>(all.rows.size()));
}

}  // namespace

MinedCounts mine(Backend& backend, const RowSource& queries, const CorpusHandle& corpus,
                 const MineOptions& options, const MinedArrays& out, const Job& job) {
  return Miner(backend, queries, corpus, options, out, job).mine();
}

}  // namespace gemmine
