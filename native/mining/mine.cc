#include "mining/mine.h"

#include "mining/answers.h"
#include "mining/batches.h"
#include "mining/retrieval.h"
#include "mining/score_ceiling.h"

namespace gemmine {
namespace {

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
      answers_.push_back(
          {sweep[i], out[i], nothing_counted(handle_->zero_rows(), corpus.zero_rows())});
  }

  // Questions about one query are consecutive, so that they share its scores.
  std::vector<MinedCounts> mine() {
    score_positives();
    for (const Answer& each : answers_) clear(each, handle_->rows().rows());
    const auto each = static_cast<Index>(answers_.size());
    for_batches(
        handle_->rows().rows() * each, job_.buffer_bytes, job_,
        [&](const MinedQuery& query) { return retrieval_->bytes(query); },
        [&](Index i) { return ask(shared_.first_query + i / each, answers_[i % each]); },
        [&](const std::vector<MinedQuery>& asked, bool more) { run(asked, more); });
    std::vector<MinedCounts> counts;
    for (Answer& answer : answers_) counts.push_back(std::move(answer.counts));
    return counts;
  }

 private:
  void score_positives();
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

// Nothing for a query without positives.
std::optional<double> Miner::reference_of(Index query, const MineOptions& options) const {
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
  if (is_mined(reference, options.rules)) return mined_query(options, index_, query, reference);
  ++answer.counts.proof.certified;
  return std::nullopt;
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
