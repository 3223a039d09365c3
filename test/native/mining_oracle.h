#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/random.h"
#include "mining/mine.h"

// The answers, found the slow way: every score in float64, every rule in the contract's order.
namespace test {

using gemmine::Index;
using gemmine::Metric;

struct Rows {
  Index rows;
  Index d;
  std::vector<float> values;
  const float* row(Index i) const { return values.data() + i * d; }
};

inline double tree(const double* s) {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

inline double plain_dot(const float* a, const float* b, Index d) {
  double sums[8] = {};
  for (Index t = 0; t < d; ++t) sums[t % 8] += double{a[t]} * double{b[t]};
  return tree(sums);
}

inline double plain_score(Metric metric, const float* q, const float* c, Index d) {
  if (metric == Metric::l2) {
    double sums[8] = {};
    for (Index t = 0; t < d; ++t) {
      const double gap = double{q[t]} - double{c[t]};
      const double squared = gap * gap;
      sums[t % 8] += squared;
    }
    return 0.0 - tree(sums);
  }
  const double dot = plain_dot(q, c, d);
  if (metric == Metric::dot) return dot + 0.0;
  const double lengths = std::sqrt(plain_dot(q, q, d)) * std::sqrt(plain_dot(c, c, d));
  return lengths == 0 ? 0.0 : std::clamp(dot / lengths, -1.0, 1.0) + 0.0;
}

// Ragged rows in the form that options borrow.
struct Lists {
  std::vector<std::int32_t> indptr;
  std::vector<std::int32_t> indices;

  explicit Lists(const std::vector<std::vector<std::int32_t>>& lists) : indptr{0} {
    for (const auto& each : lists) {
      indices.insert(indices.end(), each.begin(), each.end());
      indptr.push_back(static_cast<std::int32_t>(indices.size()));
    }
    indices.reserve(1);
  }
  gemmine::RowLists view() const { return {indptr.data(), indices.data()}; }
  std::vector<std::int32_t> of(Index i) const {
    return {indices.begin() + indptr[i], indices.begin() + indptr[i + 1]};
  }
};

struct Ranked {
  double score;
  std::int32_t row;
  std::int32_t rank;
  int rule;
};

struct ExpectedQuery {
  bool mined = false;
  bool inconsistent = false;
  std::vector<Ranked> found;     // after all skips, best first
  std::vector<Ranked> rejected;  // best first
};

inline bool holds(const std::vector<std::int32_t>& rows, std::int32_t row) {
  return std::find(rows.begin(), rows.end(), row) != rows.end();
}

class Oracle {
 public:
  Oracle(Metric metric, const Rows& queries, const Rows& corpus,
         const gemmine::MineOptions& options, const Lists& positives, const Lists& excluded)
      : metric_(metric),
        queries_(queries),
        corpus_(corpus),
        options_(options),
        positives_(positives),
        excluded_(excluded) {}

  double score(Index query, std::int32_t row) const {
    return plain_score(metric_, queries_.row(query), corpus_.row(row), queries_.d);
  }

  double similarity(std::int32_t a, std::int32_t b) const {
    return plain_score(metric_, corpus_.row(a), corpus_.row(b), corpus_.d);
  }

  // `positive` is the row whose list it is, −1 unless under Reference::each.
  std::optional<double> reference_of(Index query, std::int32_t positive) const {
    if (positive >= 0) return score(query, positive);
    return reference(query, positives_.of(query));
  }

  // The queries of the lists of negatives, each with the positive whose list it is.
  std::vector<std::pair<Index, std::int32_t>> lists() const {
    std::vector<std::pair<Index, std::int32_t>> all;
    for (Index query = 0; query < queries_.rows; ++query) {
      const auto known = positives_.of(query);
      if (options_.reference != gemmine::Reference::each || known.empty())
        all.emplace_back(query, -1);
      else
        for (const std::int32_t positive : known) all.emplace_back(query, positive);
    }
    return all;
  }

  // All survivors in `found`, before any choice.
  ExpectedQuery answer(Index query, std::int32_t positive) const {
    ExpectedQuery expected;
    const auto known = positives_.of(query);
    if (known.empty() && !options_.rules.max_score) return expected;
    std::vector<Ranked> all;
    for (std::int32_t row = 0; row < corpus_.rows; ++row)
      if (is_candidate(query, row))
        all.push_back({score(query, row), row, -1, barrier(query, row)});
    std::sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) {
      return a.score > b.score || (a.score == b.score && a.row < b.row);
    });
    const auto p = reference_of(query, positive);
    Index above = 0;
    for (const Ranked& each : all) above += each.rule < 0 && p && each.score > *p;
    expected.inconsistent = p && options_.max_positive_rank && above >= *options_.max_positive_rank;
    if (expected.inconsistent) return expected;
    expected.mined = true;
    sort_out(query, ceiling(p), all, expected);
    return expected;
  }

 private:
  int barrier(Index query, std::int32_t row) const {
    if (row == options_.self.of(query)) return 0;
    if (holds(positives_.of(query), row)) return 1;
    if (holds(excluded_.of(query), row)) return 2;
    if (options_.groups == gemmine::Groups::off) return -1;
    const auto own = options_.query_groups[query], other = options_.corpus_groups[row];
    if (own == -1 || other == -1) return -1;
    return (own == other) == (options_.groups == gemmine::Groups::different) ? 3 : -1;
  }

  bool is_candidate(Index query, std::int32_t row) const {
    if (!options_.candidates || options_.beside) return true;
    const auto listed = list_of(*options_.candidates, query);
    return std::find(listed.begin(), listed.end(), row) != listed.end();
  }

  // The texts of the query, of its positives and of positives of queries with its text.
  std::set<std::int32_t> known_texts(Index query) const {
    std::set<std::int32_t> known;
    const std::int32_t* asked = options_.texts.queries;
    if (asked == nullptr) return known;
    known.insert(asked[query]);
    for (Index other = 0; other < queries_.rows; ++other) {
      if (other != query && (asked[query] == -1 || asked[other] != asked[query])) continue;
      for (const auto positive : positives_.of(other))
        known.insert(options_.texts.corpus[positive]);
    }
    known.erase(-1);
    return known;
  }

  bool is_near(Index query, std::int32_t row) const {
    const auto known = positives_.of(query);
    return options_.near_positive_score && std::ranges::any_of(known, [&](std::int32_t positive) {
             return similarity(positive, row) >= *options_.near_positive_score;
           });
  }

  // Whether `before` holds a candidate with the row's text that no rule before this one drops.
  bool repeats(const std::set<std::int32_t>& before, std::int32_t row) const {
    return options_.texts.queries != nullptr && options_.texts.corpus[row] != -1 &&
           before.contains(options_.texts.corpus[row]);
  }

  std::optional<double> reference(Index query, const std::vector<std::int32_t>& known) const {
    if (known.empty()) return std::nullopt;
    double low = score(query, known[0]), high = low, sum = 0;
    for (const auto row : known) {
      const double each = score(query, row);
      low = std::min(low, each);
      high = std::max(high, each);
      sum += each;
    }
    if (options_.reference == gemmine::Reference::min) return low;
    if (options_.reference == gemmine::Reference::max) return high;
    return sum / static_cast<double>(known.size());
  }

  double ceiling(std::optional<double> p) const {
    double lowest = options_.rules.max_score.value_or(std::numeric_limits<double>::infinity());
    if (!p) return lowest;
    if (options_.rules.absolute_margin)
      lowest = std::min(lowest, *p - *options_.rules.absolute_margin);
    if (options_.rules.relative_margin) {
      const double margin = *options_.rules.relative_margin * std::abs(*p);
      lowest = std::min(lowest, *p - margin);
    }
    return lowest;
  }

  void sort_out(Index query, double limit, std::vector<Ranked>& all,
                ExpectedQuery& expected) const {
    std::int32_t rank = 0;
    const std::set<std::int32_t> known = known_texts(query);
    std::set<std::int32_t> texts;  // of the candidates so far
    Index to_skip = options_.skip_survivors;
    for (Ranked& each : all) {
      if (each.rule < 0) {
        each.rank = rank++;
        const bool outside = each.rank < options_.skip_ranks ||
                             (options_.max_rank && each.rank >= *options_.max_rank);
        if (options_.texts.queries != nullptr && known.contains(options_.texts.corpus[each.row]))
          each.rule = 4;
        else if (is_near(query, each.row))
          each.rule = 5;
        else if (repeats(texts, each.row))
          each.rule = 4;
        else if (each.score > limit)
          each.rule = 6;
        else if (options_.min_score && each.score < *options_.min_score)
          each.rule = 7;
        else if (outside)
          each.rule = 8;
        if (options_.texts.queries != nullptr && each.rule != 5)
          texts.insert(options_.texts.corpus[each.row]);
      }
      if (each.rule >= 0)
        expected.rejected.push_back(each);
      else if (to_skip-- <= 0)
        expected.found.push_back(each);
    }
  }

  Metric metric_;
  const Rows& queries_;
  const Rows& corpus_;
  const gemmine::MineOptions& options_;
  const Lists& positives_;
  const Lists& excluded_;
};

// A stream of numbers for building scenes.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed, 77) {}
  Index below(Index limit) { return static_cast<Index>(random_.bits(next_++, 0) % limit); }
  bool chance(Index one_in) { return below(one_in) == 0; }
  double normal() { return random_.normal(next_++, 0); }
  double uniform() { return random_.uniform(next_++, 0); }

 private:
  gemmine::CounterRandom random_;
  std::uint64_t next_ = 0;
};

}  // namespace test
