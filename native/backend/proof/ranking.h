#pragma once

#include <span>
#include <vector>

#include "backend/proof/draw_list.h"
#include "backend/scans.h"

namespace gemmine {

// The best `depth` of the rows pushed.
class BestRows {
 public:
  explicit BestRows(Index depth) : depth_(static_cast<std::size_t>(depth)) {}

  void push(Scored scored) {
    if (full_ && !better(scored, last_)) return;
    rows_.push_back(scored);
    if (rows_.size() / 2 > depth_ + 32) cut();  // 2·every_row would overflow
  }
  // The score of the last place; rows with lower scores are not needed.
  double last_score();
  std::vector<Scored> take();  // best first
  void merge(const BestRows& other);

 private:
  void cut();

  std::size_t depth_;
  std::vector<Scored> rows_;
  bool full_ = false;
  Scored last_{};  // last of the best `depth` at the last cut, once full
};

// Sorts the repeated rows and keeps those that Ranking::repeats wants.
void keep_ranked(Ranking& ranking, const ScanQuery& query);

bool is_above(const Scored& scored, Level level, const ScanQuery& query);

inline bool is_admissible(double score, const ScanQuery& query) {
  return score <= query.ceiling && score >= query.floor;
}

inline bool forbids(const ScanRequest& request, const ScanQuery& query, Index row) {
  return request.groups != Groups::off &&
         group_forbids(request.groups, query.group, request.corpus_groups[row]);
}

// The rows begin .. end − 1 that pass the filters of a question, ascending.
void list_filtered(const ScanRequest& request, const ScanQuery& query, Index begin, Index end,
                   std::vector<std::int32_t>& rows);

// Ranks the rows of a corpus for one query from a stream of canonical scores.
class RankingCollector {
 public:
  RankingCollector(const ScanRequest& request, const ScanQuery& query);

  // Adds the scores of rows first, first + 1, ..., which all pass the filters.
  void take(Index first, std::span<const double> scores);
  // Adds the scores of ascending rows that pass the filters.
  void take(std::span<const std::int32_t> rows, std::span<const double> scores);
  // Adds the results of another collector for the same query and other rows.
  void merge(const RankingCollector& other);
  Ranking ranking();

 private:
  void take(const Scored& scored);
  void take_admissible(const Scored& scored);
  void take_classed(Ranking& ranking, std::vector<std::int32_t>& repeated_rows);

  const ScanRequest* request_;
  const ScanQuery* query_;
  Index above_[level_count] = {};
  BestRows admissible_;
  BestRows rejected_;
  DrawList drawn_;
  std::vector<Scored> classed_;  // rows with a class: the best of a class is known only at the end
};

}  // namespace gemmine
