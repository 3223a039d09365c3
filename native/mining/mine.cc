#include "mining/mine.h"

#include <algorithm>
#include <numeric>

#include "mining/answers.h"
#include "mining/batches.h"
#include "mining/choice.h"
#include "mining/hub_cap.h"
#include "mining/near_positives.h"
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
        near_positives_(scans, corpus, shared_, {shared_.first_query, queries.rows()}, job),
        index_(shared_, corpus, near_positives_.view()),
        retrieval_(shared_.candidates && !shared_.beside
                       ? list_retrieval(scans, *handle_, sweep, index_)
                       : scan_retrieval(scans, *handle_, sweep, index_)),
        chooser_(scans, corpus, *retrieval_, shared_, job),
        shared_hubs_(sweep.size()) {
    for (std::size_t i = 0; i < sweep.size(); ++i)
      answers_.push_back(
          {sweep[i], out[i], nothing_counted(handle_->zero_rows(), corpus.zero_rows())});
  }

  // Questions about one query are consecutive, so that they share its scores.
  std::vector<MinedCounts> mine() {
    score_positives();
    Index lists = 0;
    for (const Answer& each : answers_) {
      const Index own = lists_of(each.options);
      if (own > each.out.lists)
        throw Error(ErrorCode::changed, "The positives changed while they were mined");
      clear(each, own);
      lists += own;
    }
    Cursor next{.query = shared_.first_query, .lists = std::vector<Index>(answers_.size())};
    for_batches(
        lists, job_.buffer_bytes, job_,
        [&](const MinedQuery& query) { return retrieval_->bytes(query); },
        [&](Index) { return ask(next); },
        [&](std::vector<MinedQuery>& asked, bool more) { run(std::move(asked), more); });
    for (std::size_t i = 0; i < answers_.size(); ++i) share_hubs(answers_[i], shared_hubs_[i]);
    std::vector<MinedCounts> counts;
    for (Answer& answer : answers_) counts.push_back(std::move(answer.counts));
    return counts;
  }

 private:
  // The next list to ask for: of a query first those of the first answer.
  struct Cursor {
    Index query;
    std::size_t answer = 0;
    Index place = 0;           // among the lists of the query
    std::vector<Index> lists;  // asked for before, by answer
  };

  void score_positives();
  Index lists_of(Index query, const MineOptions& options) const;
  Index lists_of(const MineOptions& options) const;
  std::optional<double> reference_of(const AnswerList& list, Index place,
                                     const MineOptions& options) const;
  std::optional<MinedQuery> ask(Cursor& next);
  void run(std::vector<MinedQuery> asked, bool more);
  void share_hubs(Answer& answer, std::vector<Choice>& choices);

  Scans& scans_;
  const std::span<const MineOptions> sweep_;
  const MineOptions& shared_;
  double* const positive_scores_;
  const Job& job_;
  const std::unique_ptr<QueryHandle> handle_;
  const NearPositives near_positives_;
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

Index Miner::lists_of(Index query, const MineOptions& options) const {
  if (options.reference != Reference::each) return 1;
  return std::max<Index>(1, static_cast<Index>(list_of(shared_.positives, query).size()));
}

Index Miner::lists_of(const MineOptions& options) const {
  const Index queries = handle_->rows().rows();
  if (options.reference != Reference::each) return queries;
  Index lists = 0;
  for (Index i = 0; i < queries; ++i) lists += lists_of(shared_.first_query + i, options);
  return lists;
}

// Nothing for a query without positives.
std::optional<double> Miner::reference_of(const AnswerList& list, Index place,
                                          const MineOptions& options) const {
  const auto positives = list_of(shared_.positives, list.query);
  if (positives.empty()) return std::nullopt;
  const double* scores = positive_scores_ + shared_.positives.indptr[list.query];
  if (list.positive >= 0) return scores[place];
  return reference_score({scores, positives.size()}, options.reference);
}

// Returns nothing for a list that is not mined.
std::optional<MinedQuery> Miner::ask(Cursor& next) {
  Answer& answer = answers_[next.answer];
  const MineOptions& options = answer.options;
  const auto positives = list_of(shared_.positives, next.query);
  const bool each = options.reference == Reference::each && !positives.empty();
  const AnswerList list{.list = next.lists[next.answer]++,
                        .query = next.query,
                        .positive = each ? positives[next.place] : -1};
  const std::optional<double> reference = reference_of(list, next.place, options);
  if (++next.place == lists_of(next.query, options)) {
    next.place = 0;
    next.answer = (next.answer + 1) % answers_.size();
    if (next.answer == 0) ++next.query;
  }
  answer.counts.queries_without_positives += !reference;
  if (is_mined(reference, options.rules)) return mined_query(options, index_, list, reference);
  ++answer.counts.proof.certified;
  return std::nullopt;
}

void Miner::run(std::vector<MinedQuery> asked, bool more) {
  for (Choice& each : chooser_.choose(std::move(asked), more)) {
    const auto place = static_cast<std::size_t>(&each.asked.options.get() - sweep_.data());
    if (sweep_[place].caps.hub_cap)
      shared_hubs_[place].push_back(std::move(each));
    else
      settle(answers_[place], each.asked.of, each.population, each.verdict,
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
    hubs.settle(job_);
    grown.clear();
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (!hubs.is_full(i) && !choices[i].preference.complete) grown.push_back(i);
    chooser_.deepen(choices, grown);
  }
  for (std::size_t i = 0; i < choices.size(); ++i)
    settle(answer, choices[i].asked.of, choices[i].population, choices[i].verdict,
           taken_of(choices[i].preference, hubs.held_by(i), hubs.end_of(i), hubs.is_full(i)));
}

}  // namespace

std::vector<MinedCounts> mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                              std::span<const MineOptions> sweep, std::span<const MinedArrays> out,
                              const Job& job) {
  return Miner(scans, queries, corpus, sweep, out, job).mine();
}

}  // namespace gemmine
