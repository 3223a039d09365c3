#include "mining/listed_rows.h"

#include <algorithm>

namespace gemmine {

RowIndex::RowIndex(const MineOptions& options, const CorpusHandle& corpus,
                   const RowLists& near_positives)
    : options_(options),
      live_(corpus.live()),
      words_(options.filter.is_set() ? rows_of_both(live_, options.filter, corpus.rows().rows())
                                     : std::vector<std::uint32_t>()),
      rows_(words_.empty() ? live_ : RowFilter{.words = words_.data()}),
      live_rows_(count_rows(rows_, corpus.rows().rows())),
      rows_outside_(count_rows(live_, corpus.rows().rows()) - live_rows_),
      near_positives_(near_positives),
      texts_(options, corpus.rows().rows(), rows_) {
  if (options.groups == Groups::off) return;
  for (Index row = 0; row < corpus.rows().rows(); ++row)
    if (rows_.holds(row)) ++group_sizes_[options.corpus_groups[row]];
}

std::int32_t RowIndex::group_of(Index query) const {
  return options_.groups == Groups::off ? -1 : options_.query_groups[query];
}

bool RowIndex::forbids(Index query, std::int32_t row) const {
  return options_.groups != Groups::off &&
         group_forbids(options_.groups, group_of(query), options_.corpus_groups[row]);
}

Index RowIndex::forbidden_rows(Index query) const {
  const std::int32_t group = group_of(query);
  if (group == -1) return 0;
  const auto size_of = [&](std::int32_t of) {
    const auto found = group_sizes_.find(of);
    return found == group_sizes_.end() ? 0 : found->second;
  };
  const Index own = size_of(group);
  return options_.groups == Groups::different ? own : live_rows_ - own - size_of(-1);
}

Index RowIndex::repeated_rows(Index query, const ListedRows& listed) const {
  if (classes().count == 0) return 0;
  const std::int32_t group = group_of(query);
  std::vector<std::int32_t> left_out;
  for (const std::int32_t row : listed.rows)
    if (!forbids(query, row)) left_out.push_back(row);
  return texts_.repeated_rows(group) - texts_.repeated_among(group, left_out);
}

void RowIndex::add_duplicates(Index query,
                              std::vector<std::pair<std::int32_t, Rule>>& found) const {
  for (const std::int32_t text : texts_.known_texts(query))
    for (const std::int32_t row : texts_.rows_of(text))
      found.emplace_back(row, forbids(query, row) ? Rule::group : Rule::duplicate);
}

void RowIndex::add_near_positives(Index query,
                                  std::vector<std::pair<std::int32_t, Rule>>& found) const {
  for (const std::int32_t row : list_of(near_positives_, query))
    found.emplace_back(row, forbids(query, row) ? Rule::group : Rule::near_positive);
}

// Keeps the order of the rows.
void RowIndex::add_absent(std::vector<std::pair<std::int32_t, Rule>>& found) const {
  const auto listed = static_cast<std::ptrdiff_t>(found.size());
  for (const std::int32_t row : options_.part->absent) found.emplace_back(row, absent_rule);
  std::inplace_merge(found.begin(), found.begin() + listed, found.end());
}

ListedRows RowIndex::listed_rows(Index query) const {
  std::vector<std::pair<std::int32_t, Rule>> found;
  if (const std::int32_t self = options_.self.of(query); self != -1)
    found.emplace_back(self, Rule::self);
  for (const std::int32_t row : list_of(options_.positives, query))
    found.emplace_back(row, Rule::positive);
  for (const std::int32_t row : list_of(options_.exclude, query))
    found.emplace_back(row, Rule::excluded);
  add_duplicates(query, found);
  add_near_positives(query, found);
  std::sort(found.begin(), found.end());  // a row's first rule comes first
  if (options_.part) add_absent(found);
  ListedRows listed;
  std::int32_t before = -1;
  for (const auto& [row, rule] : found) {
    if (!live_.holds(row) || row == before) continue;
    before = row;
    if (!rows_.holds(row)) {
      if (rule == Rule::self || rule == Rule::positive) listed.outside.emplace_back(row, rule);
      continue;
    }
    listed.rows.push_back(row);
    listed.rules.push_back(rule);
  }
  return listed;
}

}  // namespace gemmine
