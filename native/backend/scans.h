#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backend/draw.h"
#include "backend/metric.h"
#include "backend/row_classes.h"
#include "backend/row_filter.h"
#include "core/job.h"
#include "core/named.h"
#include "core/row_source.h"

// Operations that a device must provide for searching a corpus. A question is a value, and so is
// its answer. A device gets no callback, so a device with memory that the host cannot read can
// carry out every scan.
namespace gemmine {

// What a device packed of the rows of a corpus, to be kept in a file.
struct Packing {
  std::string_view format;  // of the bytes: other devices and CPUs may have others
  std::span<const float> centre;
  int exponent;
  Index page_bytes;  // of 32 rows; a multiple of 4
};

// A corpus and the data that scans derive from it (norms, packed panels). With `keep_panels`
// everything is prepared once and kept, for services with many calls; without it, each call
// prepares its panels in steps and only the norms are kept.
class CorpusHandle {
 public:
  virtual ~CorpusHandle() = default;
  virtual const RowSource& rows() const = 0;
  virtual Metric metric() const = 0;
  virtual Index bytes() const = 0;  // memory held, without the caller's
  // Number of zero rows, which have the cosine 0 with every row; 0 for the other metrics.
  virtual Index zero_rows() const = 0;
  // The rows that were not removed, if some were: every scan is among them.
  virtual RowFilter live() const { return {}; }
  // Nothing if the packed rows are not kept, or are of no use elsewhere.
  virtual std::optional<Packing> packing() const { return std::nullopt; }
  // The packed rows of some pages (core/living_rows.h), page_bytes for each.
  virtual void copy_packed(Index /*first*/, Index /*count*/, std::byte* /*to*/) const {}
};

// The rows of a corpus after a change. Rows change by pages of 32 (core/living_rows.h).
struct CorpusChange {
  const CorpusHandle& before;    // with kept panels; need not outlive the change
  std::span<const Index> pages;  // changed or new, ascending
  const RowBits& live;           // rows that were not removed
  Index live_rows;               // how many
  // Pages without live rows give their memory back: the others are copied out of the memory of the
  // first rows.
  bool compacts = false;
};

// Queries that were checked and measured for one corpus. Requests with one handle come one after
// another.
class QueryHandle {
 public:
  virtual ~QueryHandle() = default;
  virtual const RowSource& rows() const = 0;
  virtual const CorpusHandle& corpus() const = 0;
  virtual Index zero_rows() const = 0;  // as for a corpus
};

// Rows of the corpus for each query, ascending and unique within a query; null pointers mean none.
struct RowLists {
  const std::int32_t* indptr;  // [queries + 1]
  const std::int32_t* indices;
};

inline std::span<const std::int32_t> list_of(const RowLists& lists, Index query) {
  if (lists.indptr == nullptr) return {};
  return {lists.indices + lists.indptr[query], lists.indices + lists.indptr[query + 1]};
}

// Which groups of rows a query may get; group −1 forbids nothing and is never forbidden.
enum class Groups { off, different, same };
inline constexpr std::array<Named<Groups>, 3> group_names{
    {{"off", Groups::off}, {"different", Groups::different}, {"same", Groups::same}}};

inline bool group_forbids(Groups groups, std::int32_t query, std::int32_t row) {
  if (groups == Groups::off || query == -1 || row == -1) return false;
  return (query == row) == (groups == Groups::different);
}

// A scan counts the rows above each of these levels; the names are positions in arrays.
enum Level : int { ceiling_level, floor_level, reference_level };
inline constexpr int level_count = 3;
inline constexpr int classed_levels = 2;  // the first levels: classes above them are counted too

// The depth for all admissible rows.
inline constexpr Index every_row = std::numeric_limits<Index>::max();

// One question about one query, in canonical scores. The scan considers the rows that are neither
// barred nor forbidden by their group; the admissible rows are those of them between floor and
// ceiling. Rows outside a filter, of the question or of its request, are barred.
struct ScanQuery {
  Index query;  // row
  Index depth;  // how many of the best admissible rows, or every_row
  double ceiling = std::numeric_limits<double>::infinity();    // score <= ceiling
  double floor = -std::numeric_limits<double>::infinity();     // score >= floor
  double reference = std::numeric_limits<double>::infinity();  // rows above it are counted
  std::int32_t reference_row = -1;  // rows before it count if they score exactly `reference`
  Draw draw = {};                   // from all admissible rows; only if the request counts rows
  Index rejected_depth = 0;  // best rows to list of those that group, ceiling or floor reject
  std::span<const std::int32_t> barred = {};  // rows, ascending and unique
  std::int32_t group = -1;
  RowFilter filter = {};
};

struct Scored {
  double score;  // canonical
  std::int32_t row;
};

// The order of every answer: best first, equal scores by lower row.
inline bool better(const Scored& a, const Scored& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// The answer to one query, exact in canonical scores. Barred rows take no part.
struct Ranking {
  Index above[level_count];        // rows above each level of the question (at or above the floor)
  Index repeated[classed_levels];  // of these, the repeated rows
  std::vector<Scored> admissible;  // the `depth` best, or all; best first
  std::vector<Scored> drawn = {};  // the draw.count with the smallest keys, or all; best first
  // The repeated rows at or below the ceiling that are better than the last admissible one; if
  // fewer than `depth` rows are admissible, all that are not below the floor.
  std::vector<Scored> repeats;
  std::vector<Scored> rejected;                // the `rejected_depth` best, or all; best first
  std::vector<std::int32_t> rejected_repeats;  // of these, the repeated rows, ascending
  bool rescanned;                              // no proof from the scan; all rows were scored
};

// Questions about some queries: the best rows (a depth), all rows at or above a floor (every_row),
// a random draw (draw).
struct ScanRequest {
  const QueryHandle& queries;
  // In ascending order of queries. Several questions about one query share its scores.
  std::span<const ScanQuery> asked;
  Groups groups;
  const std::int32_t* corpus_groups;  // null when groups is off
  RowClasses classes = {};
  bool counted;           // fill in Ranking::above; must be true for a ceiling or rejected rows
  double bound_factor;    // 1; counter-tests set 0, which gives the unproven answers of the format
  bool more = false;      // others with these queries follow: worth keeping what is prepared
  RowFilter filter = {};  // for all questions, besides their own
};

// A request whose filter has only live rows of the corpus.
class LiveRequest {
 public:
  explicit LiveRequest(const ScanRequest& request);
  const ScanRequest& get() const { return live_ ? *live_ : request_; }

 private:
  const ScanRequest& request_;
  std::vector<std::uint32_t> words_;
  std::optional<ScanRequest> live_;
};

// The rows of both filters of a question: bit i is row first + i. `first` is a multiple of 32.
inline std::uint32_t filtered_rows(const ScanRequest& request, const ScanQuery& query,
                                   Index first) {
  return request.filter.from(first) & query.filter.from(first);
}
inline bool is_filtered(const ScanRequest& request, const ScanQuery& query) {
  return request.filter.is_set() || query.filter.is_set();
}
inline bool passes_filters(const ScanRequest& request, const ScanQuery& query, Index row) {
  return request.filter.holds(row) && query.filter.holds(row);
}

// The answers to a request and to its reverse. The reverse asks about the rows of the corpus and
// searches the queries.
struct BothWays {
  std::vector<Ranking> queries;
  std::vector<Ranking> rows;
};

// log Σ exp(score / temperature) over the rows of the corpus in the filters, for each of some
// queries; −∞ without rows.
struct LogSumExpRequest {
  const QueryHandle& queries;
  Index begin;  // of queries
  Index count;
  double temperature;     // score / temperature must stay in the range of float64
  bool more = false;      // as in ScanRequest
  RowFilter filter = {};  // for all queries
  std::span<const RowFilter> of_query = {};  // [count], besides; empty: none

  RowFilter filter_of(Index query) const {
    return of_query.empty() ? RowFilter{} : of_query[query - begin];
  }
};

// Rows in segments: segment s consists of the rows starts[s] .. starts[s + 1] − 1 and may be empty.
struct Segments {
  const std::int32_t* starts;  // [count + 1], ascending from 0 to the number of rows
  Index count;

  Index size(Index segment) const { return starts[segment + 1] - starts[segment]; }
};

// The `depth` best segments of the corpus for each of some segments of queries. The score of two
// segments is the sum, over the query's rows in their order, of the highest canonical score of each
// row with a row of the corpus segment, of those in `rows`. A segment without such rows is no
// candidate.
struct SegmentMaxRequest {
  const QueryHandle& queries;
  Segments query_segments;
  Segments corpus_segments;
  Index begin;  // of query segments
  Index count;
  Index depth;                               // >= 1
  double bound_factor;                       // as in ScanRequest
  bool more = false;                         // as in ScanRequest
  RowFilter rows = {};                       // of the corpus
  std::span<const RowFilter> of_query = {};  // [count], segments of the corpus; empty: all

  bool allows(Index query_segment, Index segment) const {
    return of_query.empty() || of_query[query_segment - begin].holds(segment);
  }
};

struct BestSegments {
  std::vector<Scored> best;  // rows are segments of the corpus; best first
  bool rescanned;            // no proof from the scan; all segments were scored
};

struct BoundedValue {
  double value;
  double error;  // |value − exact| is at most this; exact in canonical scores
};

// Bytes that a scan needs for a query, so that callers can cut their jobs into requests. For a
// query of depth every_row it is the least that the scan needs.
Index scan_bytes(const ScanQuery& query, Index cols, const RowClasses& classes);

// Bytes for a request of all rows of a corpus against itself. A device may answer it with half the
// tiles: each tile serves both its sides. Requests above largest_join() are cut like all others.
Index join_bytes(Index rows, Index cols, Index depth);
inline Index largest_join(const Job& job) { return 4 * job.buffer_bytes; }

class Scans {
 public:
  virtual ~Scans() = default;

  // Reads the corpus once or twice; throws InvalidEntry at the first entry (in row order) that is
  // not finite. The handle keeps a reference to `rows`.
  virtual std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                                       bool keep_panels, const Job& job) = 0;
  // The same with rows that were packed before, `page_bytes` for each 32 rows, for a corpus that
  // keeps its panels. A device packs the rows anew if it has another format.
  virtual std::unique_ptr<CorpusHandle> unpack_corpus(const RowSource& rows, Metric metric,
                                                      const Packing& packing,
                                                      const std::byte* packed, const Job& job);
  // The corpus after a change of its rows to `rows`, which were checked. A device may share with
  // the corpus before the change all but the changed pages; by default all rows are prepared again.
  // The handle keeps a reference to `rows`.
  virtual std::unique_ptr<CorpusHandle> change_corpus(const RowSource& rows,
                                                      const CorpusChange& change, const Job& job);
  // The same check for queries. The handle keeps references to both arguments.
  virtual std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows,
                                                       const CorpusHandle& corpus,
                                                       const Job& job) = 0;
  // One checksum for each checksum_rows rows (core/checksum.h); reads all rows.
  virtual std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) = 0;
  // Canonical scores of the pairs in `lists`, parallel to lists.indices. A canonical score is a
  // float64 number with the same bits on every machine (docs/math/top-k.md).
  virtual void score_pairs(const QueryHandle& queries, const RowLists& lists, double* scores,
                           const Job& job) = 0;
  // Canonical scores of rows of the corpus with other rows of it, parallel to lists.indices: the
  // rows of list i are scored with row asked[i]. Rows of a list may be in any order.
  virtual void score_rows(const CorpusHandle& corpus, std::span<const std::int32_t> asked,
                          const RowLists& lists, double* scores, const Job& job) = 0;
  // One ranking for each question, in the order of the questions.
  virtual std::vector<Ranking> scan(const ScanRequest& request, const Job& job) = 0;
  // The best rows of queries and the best queries of rows, for requests of any size. The answers
  // are those of scans of parts of both requests (backend/parts.h), but a device may compute each
  // score once for both. A query of depth 0 has no answer.
  virtual BothWays column_top(const ScanRequest& request, const ScanRequest& reverse,
                              const Job& job);
  // One answer for each query segment of the request, in their order.
  virtual std::vector<BestSegments> segment_max(const SegmentMaxRequest& request,
                                                const Job& job) = 0;
  // Products are in float32; sums are in float64, in an order that depends on the corpus alone.
  virtual std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request,
                                                const Job& job) = 0;
};

}  // namespace gemmine
