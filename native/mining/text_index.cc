#include "mining/text_index.h"

#include <algorithm>

namespace gemmine {
namespace {

Index all_but_one(Index rows) { return std::max<Index>(rows - 1, 0); }

void sort_unique(std::vector<std::int32_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

TextIndex::TextIndex(const MineOptions& options, Index corpus_rows, RowFilter live)
    : options_(options) {
  if (options.texts.corpus == nullptr) return;
  collect_rows(corpus_rows, live);
  collect_classes(corpus_rows);
  collect_known();
  count_repeated();
}

void TextIndex::collect_rows(Index corpus_rows, RowFilter live) {
  const std::int32_t* texts = options_.texts.corpus;
  for (Index row = 0; row < corpus_rows; ++row)
    if (texts[row] != -1 && live.holds(row)) rows_.push_back(static_cast<std::int32_t>(row));
  std::stable_sort(rows_.begin(), rows_.end(),
                   [&](std::int32_t a, std::int32_t b) { return texts[a] < texts[b]; });
}

void TextIndex::collect_classes(Index corpus_rows) {
  const std::int32_t* texts = options_.texts.corpus;
  class_.assign(corpus_rows, -1);
  shared_.assign((corpus_rows + 31) / 32, 0);
  starts_ = {0};
  for (std::size_t i = 0, end = 0; i < rows_.size(); i = end) {
    for (end = i; end < rows_.size() && texts[rows_[end]] == texts[rows_[i]];) ++end;
    if (end - i == 1) continue;
    for (std::size_t at = i; at < end; ++at) {
      const std::int32_t row = rows_[at];
      class_[row] = static_cast<std::int32_t>(starts_.size() - 1);
      shared_[row / 32] |= 1u << (row % 32);
      class_rows_.push_back(row);
    }
    starts_.push_back(static_cast<Index>(class_rows_.size()));
  }
  classes_ = {.count = static_cast<Index>(starts_.size()) - 1,
              .of = class_.data(),
              .shared = shared_.data(),
              .starts = starts_.data(),
              .rows = class_rows_.data()};
}

// Queries with the same text share one list; it includes queries that are not mined here.
void TextIndex::collect_known() {
  const TextClasses& texts = options_.texts;
  for (Index query = 0; query < options_.all_queries; ++query) {
    if (texts.queries[query] == -1) continue;
    std::vector<std::int32_t>& known = known_[texts.queries[query]];
    for (const std::int32_t row : list_of(options_.positives, query))
      known.push_back(texts.corpus[row]);
  }
  for (auto& [text, known] : known_) {
    known.push_back(text);
    sort_unique(known);
    if (known.front() == -1) known.erase(known.begin());
  }
}

std::vector<std::int32_t> TextIndex::known_texts(Index query) const {
  if (options_.texts.corpus == nullptr) return {};
  const std::int32_t own = options_.texts.queries[query];
  if (own != -1) return known_.at(own);
  std::vector<std::int32_t> known;
  for (const std::int32_t row : list_of(options_.positives, query))
    if (options_.texts.corpus[row] != -1) known.push_back(options_.texts.corpus[row]);
  sort_unique(known);
  return known;
}

std::span<const std::int32_t> TextIndex::rows_of(std::int32_t text) const {
  const std::int32_t* texts = options_.texts.corpus;
  const auto first = std::partition_point(rows_.begin(), rows_.end(),
                                          [&](std::int32_t row) { return texts[row] < text; });
  const auto end = std::partition_point(first, rows_.end(),
                                        [&](std::int32_t row) { return texts[row] == text; });
  return {first, end};
}

// One loop over the classes is enough for all groups, because a group changes the count of a class
// only if it has rows in the class.
void TextIndex::count_repeated() {
  std::unordered_map<std::int32_t, Index> sizes;
  for (Index each = 0; each < classes_.count; ++each) {
    const auto members = classes_.members(each);
    if (options_.groups == Groups::off) {
      repeated_ += all_but_one(static_cast<Index>(members.size()));
      continue;
    }
    sizes.clear();
    for (const std::int32_t row : members) ++sizes[options_.corpus_groups[row]];
    const auto without = sizes.find(-1);
    const Index open = without == sizes.end() ? 0 : without->second;
    const bool same = options_.groups == Groups::same;
    const Index whole = same ? open : static_cast<Index>(members.size());
    repeated_ += all_but_one(whole);
    for (const auto& [group, size] : sizes)
      if (group != -1)
        repeated_more_[group] +=
            all_but_one(same ? whole + size : whole - size) - all_but_one(whole);
  }
}

Index TextIndex::repeated_rows(std::int32_t group) const {
  if (options_.groups != Groups::off && group == -1)
    return static_cast<Index>(class_rows_.size()) - classes_.count;
  const auto more = repeated_more_.find(group);
  return repeated_ + (more == repeated_more_.end() ? 0 : more->second);
}

Index TextIndex::admitted(std::int32_t row_class, std::int32_t group) const {
  const auto members = classes_.members(row_class);
  if (options_.groups == Groups::off) return static_cast<Index>(members.size());
  return std::count_if(members.begin(), members.end(), [&](std::int32_t row) {
    return !group_forbids(options_.groups, group, options_.corpus_groups[row]);
  });
}

Index TextIndex::repeated_among(std::int32_t group, std::span<const std::int32_t> left_out) const {
  std::vector<std::int32_t> touched;
  for (const std::int32_t row : left_out)
    if (classes_.class_of(row) >= 0) touched.push_back(classes_.class_of(row));
  std::sort(touched.begin(), touched.end());
  Index fewer = 0;
  for (auto at = touched.begin(); at != touched.end();) {
    const auto end = std::upper_bound(at, touched.end(), *at);
    const Index all = admitted(*at, group);
    fewer += all_but_one(all) - all_but_one(all - (end - at));
    at = end;
  }
  return fewer;
}

}  // namespace gemmine
