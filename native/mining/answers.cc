#include "mining/answers.h"

#include <algorithm>
#include <limits>

#include "mining/batches.h"
#include "mining/judge.h"

namespace gemmine {
namespace {

void write(const Answer& answer, Index list, const std::vector<Negative>& negatives) {
  const MinedArrays& out = answer.out;
  out.counts[list] = static_cast<std::int32_t>(negatives.size());
  Index at = list * answer.options.num_negatives;
  for (const Negative& each : negatives) {
    out.indices[at] = each.row;
    out.scores[at] = answer_score(each.score);
    if (out.exact_scores != nullptr) out.exact_scores[at] = each.score;
    if (out.sources != nullptr) out.sources[at] = each.sources;
    out.ranks[at++] = each.rank;
  }
}

void append(Rejected& all, const AnswerList& list, const std::vector<RuledRow>& rejected) {
  all.queries.push_back(static_cast<std::int32_t>(list.query));
  all.positives.push_back(list.positive);
  for (const RuledRow& each : rejected) {
    all.rows.push_back(each.scored.row);
    all.scores.push_back(each.scored.score);
    all.rules.push_back(static_cast<std::uint8_t>(each.rule));
  }
  all.indptr.push_back(static_cast<std::int32_t>(all.rows.size()));
}

// The `explain` best of all rejected rows.
std::vector<RuledRow> best_rejected(const MineOptions& options, const Verdict& verdict,
                                    const Selection& selection) {
  std::vector<RuledRow> rejected = verdict.rejected;
  rejected.insert(rejected.end(), selection.skipped.begin(), selection.skipped.end());
  std::sort(rejected.begin(), rejected.end(),
            [](const RuledRow& a, const RuledRow& b) { return better(a.scored, b.scored); });
  rejected.resize(std::min(rejected.size(), static_cast<std::size_t>(options.explain)));
  return rejected;
}

}  // namespace

MinedCounts nothing_counted(Index zero_queries, Index zero_rows) {
  return {
      .dropped = {},
      .queries_without_positives = 0,
      .inconsistent = 0,
      .candidate_pairs = 0,
      .proof = {.certified = 0,
                .fallback = 0,
                .zero_queries = zero_queries,
                .zero_rows = zero_rows},
      .rejected = {
          .queries = {}, .positives = {}, .indptr = {0}, .rows = {}, .scores = {}, .rules = {}}};
}

void clear(const Answer& answer, Index lists) {
  const Index size = lists * answer.options.num_negatives;
  const MinedArrays& out = answer.out;
  std::fill(out.indices, out.indices + size, -1);
  std::fill(out.ranks, out.ranks + size, -1);
  std::fill(out.scores, out.scores + size, std::numeric_limits<float>::quiet_NaN());
  std::fill(out.counts, out.counts + lists, 0);
  if (out.sources != nullptr) std::fill(out.sources, out.sources + size, std::uint8_t{0});
  if (out.exact_scores != nullptr)
    std::fill(out.exact_scores, out.exact_scores + size, std::numeric_limits<double>::quiet_NaN());
}

void settle(Answer& answer, const AnswerList& list, const Population& population,
            const Verdict& verdict, const Selection& selection) {
  MinedCounts& counts = answer.counts;
  (population.rescanned ? counts.proof.fallback : counts.proof.certified) += 1;
  counts.inconsistent += verdict.inconsistent;
  counts.candidate_pairs += population.candidates();
  for (Index rule = 0; rule < rule_count; ++rule) counts.dropped[rule] += verdict.dropped[rule];
  for (const RuledRow& each : selection.skipped)
    ++counts.dropped[static_cast<std::size_t>(each.rule)];
  if (verdict.inconsistent) return;
  write(answer, list.list, selection.negatives);
  if (answer.options.explain > 0)
    append(counts.rejected, list, best_rejected(answer.options, verdict, selection));
}

}  // namespace gemmine
