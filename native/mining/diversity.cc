#include "mining/diversity.h"

#include <algorithm>
#include <limits>

namespace gemmine {
namespace {

// Rows of one query that are not taken yet, with their highest score with a row that was taken.
class Remaining {
 public:
  explicit Remaining(const Diverse& query)
      : options_(query.options), count_(query.count), preference_(query.preference) {
    constexpr double none = -std::numeric_limits<double>::infinity();
    for (const Negative& each : preference_.rows) rows_.push_back({each, none});
    preference_.rows.clear();
  }

  // Takes the next row. Returns whether its scores with the remaining rows are needed.
  bool take() {
    const std::optional<double>& threshold = options_.caps.near_duplicate_score;
    while (!rows_.empty() && preference_.rows.size() < count_) {
      const auto next = next_row();
      const auto [negative, nearest] = *next;
      rows_.erase(next);
      if (threshold && nearest >= *threshold) {
        preference_.skipped.push_back({negative, preference_.rows.size()});
        continue;
      }
      preference_.rows.push_back(negative);
      return !rows_.empty() && preference_.rows.size() < count_;
    }
    return false;
  }

  std::int32_t last_taken() const { return preference_.rows.back().row; }
  void list(std::vector<std::int32_t>& to) const {
    for (const Row& each : rows_) to.push_back(each.negative.row);
  }
  void compare(const double* scores) {
    for (Row& each : rows_) each.nearest = std::max(each.nearest, *scores++);
  }

 private:
  struct Row {
    Negative negative;
    double nearest;
  };

  // Maximal marginal relevance: the first of the rows with the highest value.
  std::vector<Row>::iterator next_row() {
    const bool is_ordered = rule_for(options_.sampling).order != Order::marginal;
    if (is_ordered || preference_.rows.empty()) return rows_.begin();
    const double lambda = options_.numbers.mmr_lambda;
    const auto value = [&](const Row& row) {
      return lambda * row.negative.score - (1 - lambda) * row.nearest;
    };
    return std::max_element(rows_.begin(), rows_.end(),
                            [&](const Row& a, const Row& b) { return value(a) < value(b); });
  }

  const MineOptions& options_;
  const std::size_t count_;
  Preference& preference_;
  std::vector<Row> rows_;  // in the order of preference
};

}  // namespace

void diversify(Scans& scans, const CorpusHandle& corpus, std::span<const Diverse> queries,
               const Job& job) {
  std::vector<Remaining> all(queries.begin(), queries.end());
  std::vector<Remaining*> open;
  for (Remaining& each : all) open.push_back(&each);
  std::vector<std::int32_t> asked, indptr, rows;
  std::vector<double> scores;
  while (true) {
    std::erase_if(open, [](Remaining* each) { return !each->take(); });
    if (open.empty()) return;
    asked.clear();
    rows.clear();
    indptr.assign(1, 0);
    for (const Remaining* each : open) {
      asked.push_back(each->last_taken());
      each->list(rows);
      indptr.push_back(static_cast<std::int32_t>(rows.size()));
    }
    scores.resize(rows.size());
    scans.score_rows(corpus, asked, {indptr.data(), rows.data()}, scores.data(), job);
    for (std::size_t i = 0; i < open.size(); ++i) open[i]->compare(scores.data() + indptr[i]);
  }
}

}  // namespace gemmine
