#include "mining/mine.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mining/batches.h"
#include "mining/judge.h"
#include "mining/retrieval.h"
#include "mining/score_ceiling.h"
#include "mining/select.h"

namespace gemmine {
namespace {

MinedCounts nothing_counted(const QueryHandle& queries) {
  return {.dropped = {},
          .queries_without_positives = 0,
          .inconsistent = 0,
          .candidate_pairs = 0,
          .proof = {.certified = 0,
                    .fallback = 0,
                    .zero_queries = queries.zero_rows(),
                    .zero_rows = queries.corpus().zero_rows()},
          .rejected = {.queries = {}, .indptr = {0}, .rows = {}, .scores = {}, .rules = {}}};
}

// The answer to one of the options.
struct Answer {
  const MineOptions& options;
  const MinedArrays& out;
  MinedCounts counts;
};

class Miner {
 public:
  Miner(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
        std::span<const MineOptions> sweep, std::span<const MinedArrays> out, const Job& job)
      : scans_(scans),
        sweep_(sweep),
        shared_(sweep.front()),
        positive_scores_(out.front().positive_scores),
        job_(job),
        handle_(scans.prepare_queries(queries, corpus, job)),
        index_(shared_, corpus.rows().rows()),
        retrieval_(shared_.candidates ? list_retrieval(scans, *handle_, sweep, index_)
                                      : scan_retrieval(scans, *handle_, sweep, index_)) {
    for (std::size_t i = 0; i < sweep.size(); ++i)
      answers_.push_back({sweep[i], out[i], nothing_counted(*handle_)});
  }

  // Questions about one query are consecutive, so that they share its scores.
  std::vector<MinedCounts> mine() {
    score_positives();
    for (const Answer& each : answers_) clear(each);
    const auto each = static_cast<Index>(answers_.size());
    for_batches(
        handle_->rows().rows() * each, request_bytes,
        [&](const MinedQuery& query) { return retrieval_->bytes(query); },
        [&](Index i) { return ask(shared_.first_query + i / each, answers_[i % each]); },
        [&](const std::vector<MinedQuery>& asked, bool more) { run(asked, more); });
    std::vector<MinedCounts> counts;
    for (Answer& answer : answers_) counts.push_back(std::move(answer.counts));
    return counts;
  }

 private:
  void score_positives();
  void clear(const Answer& answer);
  std::optional<double> reference_of(Index query, const MineOptions& options) const;
  std::optional<MinedQuery> ask(Index query, Answer& answer);
  void run(const std::vector<MinedQuery>& asked, bool more);

  Scans& scans_;
  const std::span<const MineOptions> sweep_;
  const MineOptions& shared_;
  double* const positive_scores_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const RowIndex index_;
  const std::unique_ptr<Retrieval> retrieval_;
  std::vector<Answer> answers_;
};

void Miner::score_positives() {
  const RowLists& positives = shared_.positives;
  scans_.score_pairs(*handle_, {positives.indptr + shared_.first_query, positives.indices},
                     positive_scores_, job_);
}

void Miner::clear(const Answer& answer) {
  const Index queries = handle_->rows().rows();
  const Index size = queries * answer.options.num_negatives;
  const MinedArrays& out = answer.out;
  std::fill(out.indices, out.indices + size, -1);
  std::fill(out.ranks, out.ranks + size, -1);
  std::fill(out.scores, out.scores + size, std::numeric_limits<float>::quiet_NaN());
  std::fill(out.counts, out.counts + queries, 0);
  if (out.exact_scores != nullptr)
    std::fill(out.exact_scores, out.exact_scores + size, std::numeric_limits<double>::quiet_NaN());
  if (out.populations != nullptr)
    std::fill(out.populations, out.populations + queries * population_size, 0);
}

// Nothing for a query without positives.
std::optional<double> Miner::reference_of(Index query, const MineOptions& options) const {
  if (options.references != nullptr) {
    const double given = options.references[query];
    return std::isnan(given) ? std::nullopt : std::optional(given);
  }
  const auto positives = list_of(shared_.positives, query);
  if (positives.empty()) return std::nullopt;
  const double* scores = positive_scores_ + shared_.positives.indptr[query];
  return reference_score({scores, positives.size()}, options.reference);
}

// Returns nothing for a query that is not mined.
std::optional<MinedQuery> Miner::ask(Index query, Answer& answer) {
  const MineOptions& options = answer.options;
  const std::optional<double> reference = reference_of(query, options);
  answer.counts.queries_without_positives += !reference;
  if (!reference && !options.rules.max_score) {
    ++answer.counts.proof.certified;
    return std::nullopt;
  }
  return MinedQuery{.query = query,
                    .options = std::cref(options),
                    .reference = reference,
                    .ceiling = score_ceiling(reference, options.rules),
                    .listed = index_.listed_rows(query)};
}

void write(const Answer& answer, Index query, const std::vector<Negative>& negatives) {
  const Index place = query - answer.options.first_query;
  const MinedArrays& out = answer.out;
  out.counts[place] = static_cast<std::int32_t>(negatives.size());
  Index at = place * answer.options.num_negatives;
  for (const Negative& each : negatives) {
    out.indices[at] = each.row;
    out.scores[at] = answer_score(each.score);
    if (out.exact_scores != nullptr) out.exact_scores[at] = each.score;
    out.ranks[at++] = each.rank;
  }
}

void write(const Answer& answer, Index query, const Population& population) {
  if (answer.out.populations == nullptr) return;
  const Index place = query - answer.options.first_query;
  std::int32_t* to = answer.out.populations + place * population_size;
  for (const std::int64_t dropped : population.dropped) *to++ = static_cast<std::int32_t>(dropped);
  for (const Index count : {population.admissible, population.above_ceiling,
                            population.above_reference, Index{population.rescanned}})
    *to++ = static_cast<std::int32_t>(count);
}

void append(Rejected& all, Index query, const std::vector<RuledRow>& rejected) {
  all.queries.push_back(static_cast<std::int32_t>(query));
  for (const RuledRow& each : rejected) {
    all.rows.push_back(each.scored.row);
    all.scores.push_back(each.scored.score);
    all.rules.push_back(static_cast<std::uint8_t>(each.rule));
  }
  all.indptr.push_back(static_cast<std::int32_t>(all.rows.size()));
}

void settle(Answer& answer, Index query, const QueryCandidates& candidates) {
  MinedCounts& counts = answer.counts;
  Verdict verdict = judge(answer.options, candidates);
  (candidates.population.rescanned ? counts.proof.fallback : counts.proof.certified) += 1;
  counts.inconsistent += verdict.inconsistent;
  counts.candidate_pairs += candidates.population.candidates();
  for (Index rule = 0; rule < rule_count; ++rule) counts.dropped[rule] += verdict.dropped[rule];
  write(answer, query, candidates.population);
  if (verdict.inconsistent) return;
  select_negatives(answer.options, query, verdict.survivors);
  write(answer, query, verdict.survivors);
  if (answer.options.explain > 0) append(counts.rejected, query, verdict.rejected);
}

void Miner::run(const std::vector<MinedQuery>& asked, bool more) {
  const Candidates candidates = retrieval_->retrieve(asked, more, job_);
  for (std::size_t i = 0; i < asked.size(); ++i)
    settle(answers_[&asked[i].options.get() - sweep_.data()], asked[i].query, candidates.of(i));
}

}  // namespace

std::vector<MinedCounts> mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                              std::span<const MineOptions> sweep, std::span<const MinedArrays> out,
                              const Job& job) {
  return Miner(scans, queries, corpus, sweep, out, job).mine();
}

}  // namespace gemmine
