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
  float lower;  // −∞ where the row may turn out not to count
  std::int32_t row;
};

// A row whose bounds lie on both sides of a level.
struct Straddler {
  std::int32_t row;
  Level level;
};

// What a scan knows of one query. Every row that may be among the `depth` best admissible ones is
// in `admissible`, or in `straddlers` of the ceiling; `rejected` likewise (with some that are not).
struct ScanResult {
  Index above[level_count];  // rows certainly above each level (at the floor or above it)
  std::vector<Straddler> straddlers;
  std::vector<ClassCount> classes;    // [classed_levels] of the rows certainly above, with classes
  std::vector<Candidate> admissible;  // one row, any, stands for all of its class
  std::vector<Candidate> rejected;
  std::unique_ptr<DrawList> drawn = {};  // null where nothing is drawn
  float dropped_below;                   // no admissible row with a higher upper bound was left out
  double unit;                           // canonical score <= (upper + offset)·unit
  double offset;

  double upper_score(float upper) const { return (upper + offset) * unit; }
};

// How a query's approximate scores a (any scan's, any device's) lead to canonical ones:
// |canonical − (a + offset)·unit| <= (error + E)·unit, E a number of the row that its upper and
// lower bounds hold.
struct ScanBound {
  double unit;
  double offset;
  double error;
  bool usable;  // false: the scores could overflow, so that only a canonical scan will do
};

// Thresholds of one query in a scan's units. A row is certainly above a level if its lower bound
// exceeds `above`, certainly not if its upper bound is at most `maybe`.
struct ScanThresholds {
  float admissible;  // drop what is surely below
  float rejected;
  float above[level_count];
  float maybe[level_count];
};

ScanThresholds thresholds_of(const ScanQuery& query, const ScanBound& bound);

// What a scan found in one stretch of 32 rows for one query; bit i is row first + i.
struct ScanEvent {
  int query;  // in the tile
  std::uint32_t admissible;
  std::uint32_t rejected;
  std::uint32_t above[level_count];
  std::uint32_t straddling[level_count];
};

inline constexpr int most_widenings = 3;  // of a list, each to twice its capacity

// Beyond these a query is left undecided: another scan costs less.
struct CollectorLimits {
  int widenings;  // at most most_widenings
  Index straddlers;
};

// What a list makes of the rows of a class.
enum class Classed {
  merge,    // one entry, with the best bounds of them all
  but_one,  // one of them may not count, and which one is not known
};

// The rows that may be among the `depth` best of a stream: all whose upper bound reaches the
// depth-th best lower bound seen so far, which only rises.
//
// What a push touches lies in one line of the cache: scans hold thousands of lists.
class alignas(64) CandidateList {
 public:
  CandidateList(Index depth, Index rows, int widenings, float threshold, double spread);
  // Without classes all rows stand for themselves. Classes in `void_classes` do not count.
  void classify(Classed mode, const RowClasses& classes, const ClassCount* void_classes);

  void push(float upper, float lower, Index row) {
    candidates_.push_back({upper, lower, static_cast<std::int32_t>(row)});
    if (static_cast<Index>(candidates_.size()) >= capacity_) compact();
  }
  float threshold() const { return threshold_; }
  float dropped_below() const { return dropped_below_; }
  bool overflow() const { return widenings_left_ < 0; }
  void release();  // what it holds
  void tighten();  // drops what is below the threshold of all that came
  // Rows with a class whose scores the `depth` best ask for.
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
  double spread_;  // twice the error that upper and lower bounds leave out
  float dropped_below_ = -std::numeric_limits<float>::infinity();
  Classed mode_ = Classed::merge;
  RowClasses classes_;
  const ClassCount* void_classes_ = nullptr;
  std::vector<std::pair<std::int32_t, std::int32_t>> by_class_;  // class, place in candidates_
};

// Gathers what a scan finds for one query. Stretches must come in ascending order of rows.
class Collector {
 public:
  Collector(const ScanRequest& request, const ScanQuery& query, const ScanBound& bound, Index rows,
            const CollectorLimits& limits);
  Collector(Collector&&) = default;

  // `upper` and `lower` are the bounds of the rows first .. first + 31; `valid` says which exist.
  // Returns whether thresholds changed.
  bool take(const ScanEvent& event, const float* upper, const float* lower, Index first,
            std::uint32_t valid);
  ScanThresholds thresholds() const;
  bool overflow() const { return overflow_; }
  Index held() const { return static_cast<Index>(admissible_.size()); }

  // Adds what another collector found for the same query in other rows.
  void merge(Collector& other);
  // After the last stretch: a query that too many classed rows must be scored for is given up.
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
  RowClasses classes_;
  ScanThresholds thresholds_;
  std::size_t next_barred_ = 0;
  Index rows_;
  std::size_t most_straddlers_;
  bool overflow_;
  Index above_[level_count] = {};
  std::vector<Straddler> straddlers_;
  std::vector<ClassCount> class_counts_;  // [classed_levels] with classes
  CandidateList admissible_;
  CandidateList rejected_;
  std::unique_ptr<DrawList> drawn_;  // null where nothing is drawn
};

}  // namespace gemmine
