#include "mining/mine.h"

#include <numeric>

#include "mining/answers.h"
#include "mining/batches.h"
#include "mining/choice.h"
#include "mining/hub_cap.h"
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
                                      : scan_retrieval(scans, *handle_, sweep, index_)),
        chooser_(scans, corpus, *retrieval_, job),
        shared_hubs_(sweep.size()) {
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
        [&](std::vector<MinedQuery>& asked, bool more) { run(std::move(asked), more); });
    for (std::size_t i = 0; i < answers_.size(); ++i) share_hubs(answers_[i], shared_hubs_[i]);
    std::vector<MinedCounts> counts;
    for (Answer& answer : answers_) counts.push_back(std::move(answer.counts));
    return counts;
  }

 private:
  void score_positives();
  std::optional<double> reference_of(Index query, const MineOptions& options) const;
  std::optional<MinedQuery> ask(Index query, Answer& answer);
  void run(std::vector<MinedQuery> asked, bool more);
  void share_hubs(Answer& answer, std::vector<Choice>& choices);

  Scans& scans_;
  const std::span<const MineOptions> sweep_;
  const MineOptions& shared_;
  double* const positive_scores_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const RowIndex index_;
  const std::unique_ptr<Retrieval> retrieval_;
  Chooser chooser_;
  std::vector<Answer> answers_;
  std::vector<std::vector<Choice>> shared_hubs_;  // by answer: choices to be made for all queries
};

void Miner::score_positives() {
  if (shared_.positives_scored) return;
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

void Miner::run(std::vector<MinedQuery> asked, bool more) {
  for (Choice& each : chooser_.choose(std::move(asked), more)) {
    const auto place = static_cast<std::size_t>(&each.asked.options.get() - sweep_.data());
    if (sweep_[place].caps.hub_cap)
      shared_hubs_[place].push_back(std::move(each));
    else
      settle(answers_[place], each.asked.query, each.population, each.verdict,
             first_of(each.preference, sweep_[place].num_negatives));
  }
}

// Queries that lose rows to others may need more candidates than they have.
void Miner::share_hubs(Answer& answer, std::vector<Choice>& choices) {
  if (!answer.options.caps.hub_cap) return;
  HubCap hubs(answer.options.num_negatives, *answer.options.caps.hub_cap);
  std::vector<std::size_t> grown(choices.size());
  std::iota(grown.begin(), grown.end(), std::size_t{0});
  for (std::size_t i = 0; i < choices.size(); ++i) hubs.add();
  while (!grown.empty()) {
    for (const std::size_t i : grown) hubs.offer(i, choices[i].preference.rows);
    hubs.settle();
    grown.clear();
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (!hubs.is_full(i) && !choices[i].preference.complete) grown.push_back(i);
    chooser_.deepen(choices, grown);
  }
  for (std::size_t i = 0; i < choices.size(); ++i)
    settle(answer, choices[i].asked.query, choices[i].population, choices[i].verdict,
           taken_of(choices[i].preference, hubs.held_by(i), hubs.end_of(i), hubs.is_full(i)));
}

}  // namespace

std::vector<MinedCounts> mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                              std::span<const MineOptions> sweep, std::span<const MinedArrays> out,
                              const Job& job) {
  return Miner(scans, queries, corpus, sweep, out, job).mine();
}

}  // namespace gemmine
