#include "mining/mine.h"

#include <algorithm>
#include <limits>

#include "mining/batches.h"
#include "mining/judge.h"
#include "mining/sampling.h"
#include "mining/score_ceiling.h"

namespace gemmine {
namespace {

// Scores of the rows that the rules name, for the queries of a batch.
struct ListedScores {
  std::vector<std::int32_t> indptr;  // [queries + 1]
  std::vector<std::int32_t> rows;
  std::vector<double> scores;

  std::span<const double> of(Index query) const {
    return std::span(scores).subspan(indptr[query], indptr[query + 1] - indptr[query]);
  }
};

class Miner {
 public:
  Miner(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
        const MineOptions& options, const MinedArrays& out, const Job& job)
      : scans_(scans),
        corpus_rows_(corpus.rows().rows()),
        options_(options),
        out_(out),
        job_(job),
        handle_(scans.prepare_queries(queries, corpus, job)),
        index_(options, queries.rows(), corpus_rows_) {}

  MinedCounts mine() {
    counts_.proof.zero_queries = handle_->zero_rows();
    counts_.proof.zero_rows = handle_->corpus().zero_rows();
    score_positives();
    clear();
    const RowSource& queries = handle_->rows();
    for_batches(
        queries.rows(), request_bytes,
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
  ListedScores score_listed() const;
  void settle(const MinedQuery& query, const Ranking& ranking, std::span<const double> scores);
  void write(Index query, const std::vector<Negative>& negatives);
  void append(Index query, const std::vector<RejectedRow>& rejected);

  Scans& scans_;
  const Index corpus_rows_;
  const MineOptions& options_;
  const MinedArrays& out_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const RowIndex index_;
  std::vector<MinedQuery> batch_;
  MinedCounts counts_{
      .dropped = {},
      .queries_without_positives = 0,
      .inconsistent = 0,
      .proof = {.certified = 0, .fallback = 0, .zero_queries = 0, .zero_rows = 0},
      .rejected = {.queries = {}, .indptr = {0}, .rows = {}, .scores = {}, .rules = {}}};
};

void Miner::score_positives() {
  scans_.score_pairs(*handle_, options_.positives, out_.positive_scores, job_);
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
                            .counted = true,
                            .bound_factor = 1.0};
  const std::vector<Ranking> rankings = scans_.scan(request, job_);
  const ListedScores listed = score_listed();
  for (std::size_t i = 0; i < asked.size(); ++i)
    settle(batch_[i], rankings[i], listed.of(asked[i].query));
  batch_.clear();
}

ListedScores Miner::score_listed() const {
  ListedScores listed;
  for (const MinedQuery& each : batch_) {
    listed.indptr.resize(each.query + 1, static_cast<std::int32_t>(listed.rows.size()));
    for (const std::int32_t row : scored_rows(options_, each.listed)) listed.rows.push_back(row);
  }
  listed.indptr.resize(handle_->rows().rows() + 1, static_cast<std::int32_t>(listed.rows.size()));
  listed.scores.resize(listed.rows.size());
  if (!listed.rows.empty())
    scans_.score_pairs(*handle_, {listed.indptr.data(), listed.rows.data()}, listed.scores.data(),
                       job_);
  return listed;
}

void Miner::settle(const MinedQuery& query, const Ranking& ranking,
                   std::span<const double> scores) {
  Verdict verdict = judge(options_, index_, query, ranking, corpus_rows_, scores);
  (ranking.rescanned ? counts_.proof.fallback : counts_.proof.certified) += 1;
  counts_.inconsistent += verdict.inconsistent;
  for (Index rule = 0; rule < rule_count; ++rule) counts_.dropped[rule] += verdict.dropped[rule];
  if (verdict.inconsistent) return;
  sample_negatives(options_, query.query, verdict.survivors);
  write(query.query, verdict.survivors);
  if (options_.explain > 0) append(query.query, verdict.rejected);
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

MinedCounts mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                 const MineOptions& options, const MinedArrays& out, const Job& job) {
  return Miner(scans, queries, corpus, options, out, job).mine();
}

}  // namespace gemmine
