#include "mining/corpus_parts.h"

#include <algorithm>
#include <cmath>

#include "mining/answers.h"
#include "mining/batches.h"
#include "mining/listed_scores.h"
#include "mining/retrieval.h"
#include "mining/score_ceiling.h"

namespace gemmine {
namespace {

// Nothing for a query without positives.
std::optional<double> reference_of(const MineOptions& options, Index list) {
  const double given = options.part->references[list];
  return std::isnan(given) ? std::nullopt : std::optional(given);
}

AnswerList answer_list(const MineOptions& options, Index list) {
  const QueryLists& lists = options.part->lists;
  return {.list = list,
          .query = lists.queries == nullptr ? list : lists.queries[list],
          .positive = lists.positives == nullptr ? -1 : lists.positives[list]};
}

// Nothing for a list that is not mined.
std::optional<MinedQuery> asked_query(const MineOptions& options, const RowIndex& index,
                                      Index list) {
  const std::optional<double> reference = reference_of(options, list);
  if (!is_mined(reference, options.rules)) return std::nullopt;
  return mined_query(options, index, answer_list(options, list), reference);
}

void write(PartCandidates& to, Index list, const Population& population) {
  std::int32_t* at = to.populations.data() + list * population_size;
  for (const std::int64_t dropped : population.dropped) *at++ = static_cast<std::int32_t>(dropped);
  for (const Index count : {population.admissible, population.above_ceiling,
                            population.above_reference, Index{population.rescanned}})
    *at++ = static_cast<std::int32_t>(count);
}

void append(PartCandidates& to, const MineOptions& options, Index list,
            const QueryCandidates& from) {
  for (std::size_t i = 0; i < from.rows.size(); ++i) {
    to.rows.push_back(options.part->row_numbers[from.rows[i]]);
    to.scores.push_back(from.scores[i]);
    to.rules.push_back(static_cast<std::uint8_t>(from.rules[i]));
  }
  to.indptr.resize(list + 1, to.indptr.back());
  to.indptr.push_back(static_cast<double>(to.rows.size()));
  write(to, list, from.population);
}

}  // namespace

PartCandidates part_candidates(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                               const MineOptions& options, const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const RowIndex index(options, corpus);
  const std::span all(&options, 1);
  const auto retrieval = options.candidates ? list_retrieval(scans, *handle, all, index)
                                            : scan_retrieval(scans, *handle, all, index);
  const Index lists = options.part->lists.count;
  PartCandidates found{.populations = std::vector<std::int32_t>(lists * population_size),
                       .zeros = {.queries = handle->zero_rows(), .rows = corpus.zero_rows()}};
  for_batches(
      lists, job.buffer_bytes, job,
      [&](const MinedQuery& query) { return retrieval->bytes(query); },
      [&](Index list) { return asked_query(options, index, list); },
      [&](const std::vector<MinedQuery>& asked, bool more) {
        const Candidates candidates = retrieval->retrieve(asked, more, job);
        for (std::size_t i = 0; i < asked.size(); ++i)
          append(found, options, asked[i].of.list, candidates.of(i));
      });
  found.indptr.resize(lists + 1, found.indptr.back());
  return found;
}

namespace {

// Counts the rows that are better than the asked rows of some queries.
class RankCount {
 public:
  RankCount(Scans& scans, const QueryHandle& queries, const RowIndex& index,
            const MineOptions& options, const AskedRows& asked, std::int32_t* ranks)
      : scans_(scans),
        queries_(queries),
        index_(index),
        options_(options),
        asked_(asked),
        ranks_(ranks) {}

  Index bytes(const MinedQuery& query) const {
    return asked_.count * scan_bytes(question(query, {}), queries_.rows().cols(), {});
  }

  void count(std::span<const MinedQuery> mined, bool more, const Job& job) {
    std::vector<ScanQuery> questions;
    std::vector<Index> places;  // of the questions, in ranks
    ListedScores duplicates;
    for (const MinedQuery& query : mined) {
      const Index list = query.of.list;
      for (Index i = list * asked_.count; i < (list + 1) * asked_.count; ++i) {
        if (asked_.rows[i] < 0) continue;
        questions.push_back(question(query, place_of(i)));
        places.push_back(i);
      }
      add_duplicates(query, duplicates);
    }
    if (questions.empty()) return;
    duplicates.score(scans_, queries_, job);
    const std::vector<Ranking> rankings = scans_.scan({.queries = queries_,
                                                       .asked = questions,
                                                       .groups = options_.groups,
                                                       .corpus_groups = options_.corpus_groups,
                                                       .counted = true,
                                                       .bound_factor = 1.0,
                                                       .more = more,
                                                       .filter = index_.filter()},
                                                      job);
    for (std::size_t k = 0; k < places.size(); ++k) {
      const auto listed = duplicates.of(questions[k].query);
      const Scored place = place_of(places[k]);
      const auto better_ones = std::ranges::count_if(
          listed, [&](const RuledRow& each) { return better(each.scored, place); });
      ranks_[places[k]] =
          static_cast<std::int32_t>(rankings[k].above[reference_level] + better_ones);
    }
  }

 private:
  ScanQuery question(const MinedQuery& query, const Scored& place) const {
    return rank_question({.query = query.query,
                          .depth = 0,
                          .barred = query.listed.rows,
                          .group = index_.group_of(query.query)},
                         place);
  }

  // The place of an asked row among the rows of this part: the first row after it, or itself.
  Scored place_of(Index at) const {
    const std::int32_t* numbers = options_.part->row_numbers;
    const std::int32_t* end = numbers + queries_.corpus().rows().rows();
    const auto row = std::lower_bound(numbers, end, asked_.rows[at]) - numbers;
    return {asked_.scores[at], static_cast<std::int32_t>(row)};
  }

  static void add_duplicates(const MinedQuery& query, ListedScores& to) {
    if (!to.begin(query.query)) return;
    for (std::size_t i = 0; i < query.listed.rows.size(); ++i)
      if (has_rank(query.listed.rules[i])) to.push(query.listed.rows[i], query.listed.rules[i]);
  }

  Scans& scans_;
  const QueryHandle& queries_;
  const RowIndex& index_;
  const MineOptions& options_;
  const AskedRows& asked_;
  std::int32_t* const ranks_;
};

}  // namespace

void part_ranks(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                const MineOptions& options, const AskedRows& asked, std::int32_t* ranks,
                const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const RowIndex index(options, corpus);
  const Index lists = options.part->lists.count;
  std::fill(ranks, ranks + lists * asked.count, -1);
  RankCount counting(scans, *handle, index, options, asked, ranks);
  for_batches(
      lists, job.buffer_bytes, job, [&](const MinedQuery& query) { return counting.bytes(query); },
      [&](Index list) { return asked_query(options, index, list); },
      [&](const std::vector<MinedQuery>& mined, bool more) { counting.count(mined, more, job); });
}

namespace {

// Adds the numbers of a part to those of a query.
void add(const std::int32_t* numbers, Population& to) {
  for (std::int64_t& dropped : to.dropped) dropped += *numbers++;
  to.admissible += *numbers++;
  to.above_ceiling += *numbers++;
  to.above_reference += *numbers++;
  to.rescanned = to.rescanned || *numbers > 0;
}

Candidates merged_candidates(std::span<const PartView> parts, const MineOptions& options,
                             Index list, const std::optional<double>& reference) {
  Population all{.ceiling = score_ceiling(reference, options.rules),
                 .dropped = {},
                 .admissible = 0,
                 .above_ceiling = 0,
                 .above_reference = 0,
                 .rescanned = false};
  std::vector<RuledRow> listed;
  for (const PartView& part : parts) {
    add(part.populations.data() + list * population_size, all);
    const auto end = static_cast<std::size_t>(part.indptr[list + 1]);
    for (auto i = static_cast<std::size_t>(part.indptr[list]); i < end; ++i)
      listed.push_back({{part.scores[i], part.rows[i]}, static_cast<Rule>(part.rules[i])});
  }
  Candidates merged;
  merged.append(listed, all);
  return merged;
}

// Options of parts compare no rows and have no caps, so the first pool decides.
void settle_merged(Answer& answer, const AnswerList& list, const std::optional<double>& reference,
                   const Candidates& merged) {
  const MineOptions& options = answer.options;
  const QueryCandidates candidates = merged.of(0);
  const Index pool = first_pool(options);
  const Verdict verdict = judge(options, pool, {}, candidates);
  const Preference preference =
      preference_of(options, list.query, reference, pool, verdict.survivors);
  settle(answer, list, candidates.population, verdict, first_of(preference, options.num_negatives));
}

}  // namespace

MinedCounts merge_parts(std::span<const PartView> parts, const MineOptions& options,
                        const MinedArrays& out, const Job& job) {
  Answer answer{options, out, nothing_counted(0, 0)};
  const Index lists = options.part->lists.count;
  clear(answer, lists);
  for (Index list = 0; list < lists; ++list) {
    job.cancellation.check();
    job.progress("merge", list, lists);
    const std::optional<double> reference = reference_of(options, list);
    answer.counts.queries_without_positives += !reference;
    if (is_mined(reference, options.rules))
      settle_merged(answer, answer_list(options, list), reference,
                    merged_candidates(parts, options, list, reference));
    else
      ++answer.counts.proof.certified;
  }
  return std::move(answer.counts);
}

}  // namespace gemmine
