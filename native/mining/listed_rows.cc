#include "mining/listed_rows.h"

#include <algorithm>
#include <numeric>

namespace gemmine {

RowIndex::RowIndex(const MineOptions& options, Index corpus_rows)
    : options_(options), corpus_rows_(corpus_rows) {
  if (options.groups != Groups::off)
    for (Index row = 0; row < corpus_rows; ++row) ++group_sizes_[options.corpus_groups[row]];
  const std::int32_t* classes = options.texts.corpus;
  if (classes == nullptr) return;
  rows_by_class_.resize(corpus_rows);
  std::iota(rows_by_class_.begin(), rows_by_class_.end(), 0);
  std::stable_sort(rows_by_class_.begin(), rows_by_class_.end(),
                   [&](std::int32_t a, std::int32_t b) { return classes[a] < classes[b]; });
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
  return options_.groups == Groups::different ? own : corpus_rows_ - own - size_of(-1);
}

void RowIndex::add_duplicates(Index query,
                              std::vector<std::pair<std::int32_t, Rule>>& found) const {
  const std::int32_t* classes = options_.texts.corpus;
  std::vector<std::int32_t> known{options_.texts.queries[query]};
  for (const std::int32_t row : list_of(options_.positives, query)) known.push_back(classes[row]);
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (const std::int32_t text : known) {
    if (text == -1) continue;
    auto at = std::partition_point(rows_by_class_.begin(), rows_by_class_.end(),
                                   [&](std::int32_t row) { return classes[row] < text; });
    for (; at != rows_by_class_.end() && classes[*at] == text; ++at)
      found.emplace_back(*at, forbids(query, *at) ? Rule::group : Rule::duplicate);
  }
}

ListedRows RowIndex::listed_rows(Index query) const {
  std::vector<std::pair<std::int32_t, Rule>> found;
  if (options_.exclude_self) found.emplace_back(static_cast<std::int32_t>(query), Rule::self);
  for (const std::int32_t row : list_of(options_.positives, query))
    found.emplace_back(row, Rule::positive);
  for (const std::int32_t row : list_of(options_.exclude, query))
    found.emplace_back(row, Rule::excluded);
  if (!rows_by_class_.empty()) add_duplicates(query, found);
  std::sort(found.begin(), found.end());  // a row's first rule comes first
  ListedRows listed;
  for (const auto& [row, rule] : found) {
    if (!listed.rows.empty() && listed.rows.back() == row) continue;
    listed.rows.push_back(row);
    listed.rules.push_back(rule);
  }
  return listed;
}

}  // namespace gemmine
