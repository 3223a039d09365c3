#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/row_classes.h"
#include "core/job.h"
#include "core/row_source.h"

namespace gemmine {

enum class Metric { cosine, dot, l2 };

// A corpus and what scans derive from it (norms, packed panels). With
// `keep_panels` everything is prepared once and kept, for a service that asks often; without,
// panels are prepared as a call goes and only the norms are kept.
class CorpusHandle {
 public:
  virtual ~CorpusHandle() = default;
  virtual const RowSource& rows() const = 0;
  virtual Metric metric() const = 0;
  virtual Index bytes() const = 0;  // memory held besides the caller's
  // Rows of zeros, whose cosine is 0 with everything; 0 for the other metrics.
  virtual Index zero_rows() const = 0;
};

// Queries that were checked and measured for one corpus.
class QueryHandle {
 public:
  virtual ~QueryHandle() = default;
  virtual const RowSource& rows() const = 0;
  virtual const CorpusHandle& corpus() const = 0;
  virtual Index zero_rows() const = 0;  // as of a corpus
};

// Canonical float64 scores of one query with rows of the corpus: the same bits on every machine.
class RowScorer {
 public:
  virtual ~RowScorer() = default;
  virtual void score(const std::int32_t* rows, Index count, double* scores) = 0;
};

// Called on any thread, by one for each query at a time.
using QueryVisitor = std::function<void(Index query, RowScorer&)>;

// Which groups a query may not be given; group −1 forbids nothing and is never forbidden.
enum class Groups { off, different, same };

inline bool group_forbids(Groups groups, std::int32_t query, std::int32_t row) {
  if (groups == Groups::off || query == -1 || row == -1) return false;
  return (query == row) == (groups == Groups::different);
}

// Bounds that a scan counts rows above; the names are positions.
enum Level : int { ceiling_level, floor_level, reference_level };
inline constexpr int level_count = 3;
inline constexpr int classed_levels = 2;  // the first levels, above which classes are counted too

// What one query asks of a scan, in canonical scores. The scan looks at the rows that are neither
// barred nor forbidden by their group; of these the admissible ones lie between floor and ceiling.
struct ScanQuery {
  Index query;  // row
  Index depth;  // how many of the best admissible rows, >= 1
  double ceiling = std::numeric_limits<double>::infinity();    // score <= ceiling
  double floor = -std::numeric_limits<double>::infinity();     // score >= floor
  double reference = std::numeric_limits<double>::infinity();  // to count the rows above it
  Index rejected_depth = 0;  // how many of the best that group, ceiling or floor reject
  std::span<const std::int32_t> barred = {};  // rows, ascending and unique
  std::int32_t group = -1;
};

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

struct Scored {
  double score;  // canonical
  std::int32_t row;
};

// The order of every answer: best first, equal scores by lower row.
inline bool better(const Scored& a, const Scored& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// What holds exactly for one query of a scan. Rows that were barred take no part.
struct Ranking {
  Index above[level_count];        // rows above each level (at the floor or above it)
  Index repeated[classed_levels];  // of these, the repeated rows
  std::vector<Scored> admissible;  // the `depth` best, or all; best first
  // The repeated rows at or below the ceiling that are better than the last admissible one.
  std::vector<Scored> repeats;
  std::vector<Scored> rejected;  // the `rejected_depth` best, or all; best first
  bool rescanned;                // the scan proved nothing, and all rows were scored
};

// What a scan knows of one query. Every row that may be among the `depth` best admissible ones is
// in `admissible`, or in `straddlers` of the ceiling; `rejected` likewise (with some that are not).
struct ScanResult {
  // Where too many rows lie too close together, all rows were scored: nothing else is filled in.
  std::optional<Ranking> rescanned;
  Index above[level_count];  // rows certainly above each level (at the floor or above it)
  std::vector<Straddler> straddlers;
  std::vector<ClassCount> classes;    // [classed_levels] of the rows certainly above, with classes
  std::vector<Candidate> admissible;  // one row, any, stands for all of its class
  std::vector<Candidate> rejected;
  float dropped_below;  // no admissible row with a higher upper bound was left out
  double unit;          // canonical score <= (upper + offset)·unit
  double offset;

  double upper_score(float upper) const { return (upper + offset) * unit; }
};

using ScanVisitor = std::function<void(const ScanQuery&, ScanResult&, RowScorer&)>;

struct ScanRequest {
  const QueryHandle& queries;
  std::span<const ScanQuery> asked;  // in ascending order of queries
  Groups groups;
  const std::int32_t* corpus_groups;  // null when groups is off
  RowClasses classes = {};
  double bound_factor;  // 1; with 0, as counter-tests set it, the answers are those of the format
};

// Memory that a scan needs for a query, so that callers can cut their jobs into requests.
Index scan_bytes(const ScanQuery& query, Index cols, const RowClasses& classes);

}  // namespace gemmine
