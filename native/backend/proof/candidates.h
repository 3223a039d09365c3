#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "backend/proof/draw_list.h"
#include "backend/scans.h"

namespace gemmine {

// A row with bounds on its score, in the scan's own units.
struct Candidate {
  float upper;
  float lower;  // −∞ if the row may not count in the end
  std::int32_t row;
};

// A row whose bounds lie on both sides of a level.
struct Straddler {
  std::int32_t row;
  Level level;
};

// Result of a scan for one query. Every row that may be among the `depth` best admissible ones is
// in `admissible`, or in `straddlers` of the ceiling. Likewise `rejected` holds all rows that may
// be among the best rejected ones, and others.
struct ScanResult {
  Index above[level_count];  // rows certainly above each level (at the floor or above it)
  std::vector<Straddler> straddlers;
  std::vector<ClassCount> classes;    // [classed_levels] classes of the rows certainly above
  std::vector<Candidate> admissible;  // any one row represents its whole class
  std::vector<Candidate> rejected;
  std::unique_ptr<DrawList> drawn = {};  // null without a draw
  float dropped_below;                   // every admissible row with a higher upper bound is listed
  double unit;                           // canonical score <= (upper + offset)·unit
  double offset;

  double upper_score(float upper) const { return (upper + offset) * unit; }
};

// Relation of a query's approximate scores a (of any scan, on any device) to canonical scores:
// |canonical − (a + offset)·unit| <= (error + E)·unit. E depends on the row and is part of its
// upper and lower bounds.
struct ScanBound {
  double unit;
  double offset;
  double error;
  bool usable;  // false: the scores could overflow, so a canonical scan is needed
};

// Thresholds of one query in a scan's units. A row is certainly above a level if its lower bound
// exceeds `above`, certainly not if its upper bound is at most `maybe`.
struct ScanThresholds {
  float admissible;  // rows that are certainly below are dropped
  float rejected;
  float above[level_count];
  float maybe[level_count];
};

ScanThresholds thresholds_of(const ScanQuery& query, const ScanBound& bound);

// Rows that a scan found for one query in one stretch of 32 rows; bit i is row first + i.
struct ScanEvent {
  int query;  // its number in the tile
  std::uint32_t admissible;
  std::uint32_t rejected;
  std::uint32_t above[level_count];
  std::uint32_t straddling[level_count];
};

inline constexpr int most_widenings = 3;  // of a list, each to twice its capacity

// Above these limits a query is left undecided, because another scan costs less.
struct CollectorLimits {
  int widenings;  // at most most_widenings
  Index straddlers;
};

// How a list treats the rows of a class.
enum class Classed {
  merge,    // one entry, with the best bounds of them all
  but_one,  // one of them, not known which, may not count
};

// The rows that may be among the `depth` best of a stream: all rows with an upper bound that
// reaches the depth-th best lower bound so far. That lower bound never falls.
//
// The members that a push uses fit in one cache line, because scans hold thousands of lists.
class alignas(64) CandidateList {
 public:
  CandidateList(Index depth, Index rows, int widenings, float threshold, double spread);
  // Without classes every row has its own entry. Classes in `void_classes` do not count.
  void classify(Classed mode, const RowClasses& classes, const ClassCount* void_classes);

  void push(float upper, float lower, Index row) {
    candidates_.push_back({upper, lower, static_cast<std::int32_t>(row)});
    if (static_cast<Index>(candidates_.size()) >= capacity_) compact();
  }
  // Loads the place of the next candidate into cache.
  void prefetch() const { __builtin_prefetch(candidates_.data() + candidates_.size(), 1); }
  float threshold() const { return threshold_; }
  float dropped_below() const { return dropped_below_; }
  bool overflow() const { return widenings_left_ < 0; }
  void release();  // frees the memory
  void tighten();  // drops the rows below the threshold of all rows so far
  // Number of rows with a class whose scores are needed for the `depth` best.
  Index class_rows(Index depth) const;
  std::size_t size() const { return candidates_.size(); }
  std::vector<Candidate>& candidates() { return candidates_; }
  void merge(CandidateList& other);

 private:
  void compact();
  void merge_classes();
  void sort_by_class();
  void leave_out_uncertain(std::vector<std::int32_t>& keys);
  void drop_below_threshold();
  float lower_of_last();  // at most the depth-th best lower bound

  std::vector<Candidate> candidates_;
  Index capacity_;
  float threshold_;
  int widenings_left_;
  Index depth_;
  double spread_;  // twice the error that upper and lower bounds do not include
  float dropped_below_ = -std::numeric_limits<float>::infinity();
  Classed mode_ = Classed::merge;
  RowClasses classes_;
  const ClassCount* void_classes_ = nullptr;
  std::vector<std::pair<std::int32_t, std::int32_t>> by_class_;  // class, place in candidates_
};

// Collects the results of a scan for one query. Stretches must come in ascending order of rows.
class Collector {
 public:
  Collector(const ScanRequest& request, const ScanQuery& query, const ScanBound& bound, Index rows,
            const CollectorLimits& limits);
  Collector(Collector&&) = default;

  // `upper` and `lower` are the bounds of the rows first .. first + 31; bit i of `valid`: row first
  // + i exists. Returns whether thresholds changed.
  bool take(const ScanEvent& event, const float* upper, const float* lower, Index first,
            std::uint32_t valid);
  // For a device that counts rows by itself: `above` are its counts. take() then counts only rows
  // with a class, for the levels of classes. Call it before the first stretch.
  void take_counts(const Index (&above)[level_count]);
  ScanThresholds thresholds() const;
  bool overflow() const { return overflow_; }
  Index held() const { return static_cast<Index>(admissible_.size()); }

  // Adds the results of another collector for the same query and other rows.
  void merge(Collector& other);
  // Call it after the last stretch. It gives the query up if too many rows with a class must be
  // scored.
  void finish();
  ScanResult result();

 private:
  std::uint32_t barred_rows(Index first);
  std::uint32_t forbidden_rows(Index first, std::uint32_t valid) const;
  void count_level(Level level, std::uint32_t above, std::uint32_t straddling, Index first);
  std::uint32_t shared_rows(Index first) const {
    return classes_.count == 0 ? 0 : classes_.shared[first / 32];
  }
  void give_up_if_full();
  void take_drawn(const ScanEvent& event, Index first, std::uint32_t live);
  void take_rejected(const ScanEvent& event, const float* upper, const float* lower, Index first,
                     std::uint32_t open, std::uint32_t forbidden);

  const ScanQuery* query_;
  const ScanBound* bound_;
  Groups groups_;
  const std::int32_t* corpus_groups_;
  RowFilter filter_;  // of the request
  RowClasses classes_;
  ScanThresholds thresholds_;
  std::size_t next_barred_ = 0;
  Index rows_;
  bool counts_all_ = true;  // else only what take_counts() leaves
  std::size_t most_straddlers_;
  bool overflow_;
  Index above_[level_count] = {};
  std::vector<Straddler> straddlers_;
  std::vector<ClassCount> class_counts_;  // [classed_levels] if there are classes
  CandidateList admissible_;
  CandidateList rejected_;
  std::unique_ptr<DrawList> drawn_;  // null without a draw
};

}  // namespace gemmine
