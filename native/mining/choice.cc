#include "mining/choice.h"

#include <limits>

#include "mining/batches.h"

namespace gemmine {
namespace {

// With a hub cap a query may lose any row, so its whole preference is needed.
std::size_t wanted_rows(const MineOptions& options) {
  return options.caps.hub_cap ? std::numeric_limits<std::size_t>::max()
                              : static_cast<std::size_t>(options.num_negatives);
}

bool is_short(const Choice& choice) {
  const auto wanted = static_cast<std::size_t>(choice.asked.options.get().num_negatives);
  return !choice.preference.complete && choice.preference.rows.size() < wanted;
}

std::vector<Diverse> diverse_ones(std::vector<Choice>& choices) {
  std::vector<Diverse> diverse;
  for (Choice& each : choices) {
    const MineOptions& options = each.asked.options;
    if (compares_rows(options)) diverse.push_back({options, wanted_rows(options), each.preference});
  }
  return diverse;
}

}  // namespace

std::vector<Choice> Chooser::look(std::span<const MinedQuery> asked, bool more) {
  const Candidates candidates = retrieval_.retrieve(asked, more, job_);
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const MineOptions& options = asked[i].options;
    const QueryCandidates own = candidates.of(i);
    Verdict verdict = judge(options, asked[i].pool, beside_list(shared_, asked[i].query), own);
    Preference preference = preference_of(options, asked[i].query, asked[i].reference,
                                          asked[i].pool, std::move(verdict.survivors));
    choices.push_back({asked[i], own.population, std::move(verdict), std::move(preference)});
  }
  if (const std::vector<Diverse> diverse = diverse_ones(choices); !diverse.empty())
    diversify(scans_, corpus_, diverse, job_);
  return choices;
}

std::vector<Choice> Chooser::choose(std::vector<MinedQuery> asked, bool more) {
  const bool may_deepen = std::ranges::any_of(
      asked, [](const MinedQuery& query) { return query.options.get().caps.any(); });
  std::vector<Choice> choices = look(asked, more || may_deepen);
  while (true) {
    std::vector<std::size_t> few;
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (is_short(choices[i])) few.push_back(i);
    if (few.empty()) return choices;
    deepen(choices, few);
  }
}

void Chooser::deepen(std::vector<Choice>& choices, const std::vector<std::size_t>& which) {
  std::size_t next = 0;
  const Index rows = corpus_.rows().rows();
  for_batches(
      static_cast<Index>(which.size()), job_.buffer_bytes, job_,
      [&](const MinedQuery& query) { return retrieval_.bytes(query); },
      [&](Index i) -> std::optional<MinedQuery> {
        MinedQuery query = choices[which[i]].asked;
        query.pool = std::min(2 * query.pool, rows + 1);
        return query;
      },
      [&](const std::vector<MinedQuery>& asked, bool) {
        for (Choice& again : look(asked, true)) {
          Choice& choice = choices[which[next++]];
          again.population.rescanned |= choice.population.rescanned;
          choice = std::move(again);
        }
      });
}

}  // namespace gemmine
