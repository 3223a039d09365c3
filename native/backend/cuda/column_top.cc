#include "backend/cuda/column_top.h"

#include <algorithm>

#include "backend/cuda/column_lists.h"
#include "backend/cuda/scan_ladder.h"
#include "backend/reverse.h"

namespace gemmine::cuda {
namespace {

constexpr Index spare_capacity = 128;  // of a list of queries

bool asks_all(const ScanRequest& request) {
  return static_cast<Index>(request.asked.size()) == request.queries.rows().rows() &&
         is_plain(request) && !request.filter.is_set() &&
         !request.queries.corpus().live().is_set() &&
         std::ranges::all_of(request.asked, [](const ScanQuery& each) {
           return each.depth > 0 && each.depth != every_row && each.draw.count == 0;
         });
}

class ColumnTop {
 public:
  ColumnTop(const ScanRequest& request, const ScanRequest& reverse, const Job& job)
      : request_(request),
        reverse_(reverse),
        corpus_(dynamic_cast<const CudaQueries&>(request.queries).corpus()),
        job_(job),
        questions_(request.asked.begin(), request.asked.end()),
        ways_{.queries = std::vector<Ranking>(request.asked.size()),
              .rows = std::vector<Ranking>(reverse.asked.size())} {}

  BothWays run() {
    const Job back = in_reverse(job_);
    const auto rows = static_cast<Index>(reverse_.asked.size());
    const Index capacity = column_capacity(), step = rows_at_once(capacity);
    Asked full_rows;
    for (Index begin = 0; begin < rows; begin += step) {
      const RowSpan span{begin, std::min(begin + step, rows)};
      Asked asked;
      for (Index row = span.begin; row < span.end; ++row) asked.push_back(&reverse_.asked[row]);
      ColumnLists columns(reverse_, asked, corpus_, capacity);
      scan(span, columns);
      columns.rank(ways_.rows, full_rows, back);
    }
    ScanLadder(request_, ways_.queries, job_).settle(full_, undecided_);
    ScanLadder(reverse_, ways_.rows, back).settle(full_rows, {});
    return std::move(ways_);
  }

 private:
  Index column_capacity() const {
    Index deepest = 0;
    for (const ScanQuery& each : reverse_.asked) deepest = std::max(deepest, each.depth);
    return std::min(4 * deepest + spare_capacity, static_cast<Index>(request_.asked.size()));
  }
  // Rows whose lists fit beside those of a batch of queries.
  Index rows_at_once(Index capacity) const {
    const Index list =
        capacity * Index{sizeof(Found)} + Index{sizeof(AskedScan)} + Index{sizeof(ScanState)};
    const Index fitting = std::min(corpus_.sizes().lists, job_.buffer_bytes) / 2 / list;
    return std::max(fitting / stretch_rows, Index{1}) * stretch_rows;
  }

  // Adds what some rows are to the queries.
  void scan(RowSpan span, ColumnLists& columns) {
    ScanRequest part = request_;
    part.asked = questions_;
    Asked asked, full, undecided;
    for (const ScanQuery& each : questions_) asked.push_back(&each);
    std::vector<Ranking> found(questions_.size());
    ScanLadder(part, found, job_).scan(asked, 0, span, &columns, full, undecided);
    for (const ScanQuery* query : full) give_up(*query, found, full_);
    for (const ScanQuery* query : undecided) give_up(*query, found, undecided_);
    for (std::size_t i = 0; i < found.size(); ++i) add(i, found[i].admissible);
  }
  // A later scan asks again about a query; until then its scores serve the rows alone.
  void give_up(const ScanQuery& query, std::vector<Ranking>& found, Asked& list) {
    const std::size_t i = &query - questions_.data();
    found[i] = {};
    if (questions_[i].depth > 0) list.push_back(&request_.asked[i]);
    questions_[i].depth = 0;
  }
  void add(std::size_t i, const std::vector<Scored>& found) {
    ScanQuery& question = questions_[i];
    std::vector<Scored>& best = ways_.queries[i].admissible;
    best.insert(best.end(), found.begin(), found.end());
    std::ranges::sort(best, better);
    if (static_cast<Index>(best.size()) < question.depth) return;
    best.resize(static_cast<std::size_t>(question.depth));
    if (!best.empty()) question.floor = std::max(question.floor, best.back().score);
  }

  const ScanRequest& request_;
  const ScanRequest& reverse_;
  const CudaCorpus& corpus_;
  const Job& job_;
  std::vector<ScanQuery> questions_;  // for rows that can still be among the best
  BothWays ways_;
  Asked full_, undecided_;
};

}  // namespace

bool shares_tiles(const ScanRequest& request, const ScanRequest& reverse) {
  return asks_all(request) && asks_all(reverse);
}

BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job) {
  return ColumnTop(request, reverse, job).run();
}

}  // namespace gemmine::cuda
