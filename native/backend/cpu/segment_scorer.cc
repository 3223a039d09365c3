#include "backend/cpu/segment_scorer.h"

#include <algorithm>
#include <limits>

#include "backend/cpu/canonical_scan.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index block_rows = 64;  // rows scored with all rows of a query while in cache

}  // namespace

SegmentScorer::SegmentScorer(const SegmentMaxRequest& request)
    : request_(request),
      queries_(dynamic_cast<const CpuQueries&>(request.queries)),
      scores_(block_rows) {}

void SegmentScorer::begin(Index query_segment) {
  tokens_ = request_.query_segments.size(query_segment);
  while (static_cast<Index>(scorers_.size()) < tokens_) scorers_.push_back(scorer_of(queries_));
  for (Index t = 0; t < tokens_; ++t)
    scorers_[t].begin(request_.query_segments.starts[query_segment] + t);
}

void SegmentScorer::score(const std::int32_t* segments, Index count, double* scores) {
  for (Index i = 0; i < count; ++i) scores[i] = score_segment(segments[i]);
}

double SegmentScorer::score_segment(Index segment) {
  highest_.assign(tokens_, -std::numeric_limits<double>::infinity());
  const Index end = request_.corpus_segments.starts[segment + 1];
  for (Index begin = request_.corpus_segments.starts[segment], next = 0; begin < end;
       begin = next) {
    next = end_of_stretch(request_.rows, begin, std::min(begin + block_rows, end));
    if (!request_.rows.holds(begin)) continue;
    const Index count = next - begin;
    const auto rows = queries_.corpus().rows().block(begin, count, scratch_).dense;
    for (Index t = 0; t < tokens_; ++t) {
      scorers_[t].score_rows(rows, begin, scores_.data());
      highest_[t] =
          std::max(highest_[t], *std::max_element(scores_.begin(), scores_.begin() + count));
    }
  }
  double sum = 0;
  for (const double each : highest_) sum += each;
  return sum;
}

}  // namespace gemmine::cpu
