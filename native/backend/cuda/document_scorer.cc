#include "backend/cuda/document_scorer.h"

#include <algorithm>

#include "backend/cuda/pair_scorer.h"

namespace gemmine::cuda {
namespace {

constexpr Index scored_at_once = 1 << 20;  // pairs of rows, unless a document has more rows

// Adds to `sums` what some rows of the query add to the scores of documents.
void add_tokens(const SegmentMaxRequest& request, std::span<const std::int32_t> tokens,
                std::span<const std::int32_t> documents, const std::vector<std::int32_t>& rows,
                double* sums, const Job& job) {
  std::vector<std::int32_t> listed, indptr{0};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    listed.insert(listed.end(), rows.begin(), rows.end());
    indptr.push_back(static_cast<std::int32_t>(listed.size()));
  }
  std::vector<double> scores(listed.size());
  PairScorer(dynamic_cast<const CudaQueries&>(request.queries).corpus(), request.queries.rows())
      .score(tokens, {indptr.data(), listed.data()}, scores.data(), job);
  const double* at = scores.data();
  for (std::size_t i = 0; i < tokens.size(); ++i)
    for (std::size_t j = 0; j < documents.size(); ++j) {
      const double* end = at + request.corpus_segments.size(documents[j]);
      sums[j] += *std::max_element(at, end);
      at = end;
    }
}

// For documents that have rows.
void score_together(const SegmentMaxRequest& request, Index query_segment,
                    std::span<const std::int32_t> documents, double* sums, const Job& job) {
  const std::int32_t* starts = request.corpus_segments.starts;
  std::vector<std::int32_t> rows, tokens;
  for (const std::int32_t document : documents)
    for (std::int32_t row = starts[document]; row < starts[document + 1]; ++row)
      rows.push_back(row);
  const std::int32_t* own = request.query_segments.starts + query_segment;
  for (std::int32_t token = own[0]; token < own[1]; ++token) tokens.push_back(token);
  const std::size_t step =
      static_cast<std::size_t>(std::max<Index>(scored_at_once / std::ssize(rows), 1));
  for (std::size_t first = 0; first < tokens.size(); first += step)
    add_tokens(request, std::span(tokens).subspan(first, std::min(step, tokens.size() - first)),
               documents, rows, sums, job);
}

}  // namespace

std::vector<double> score_documents(const SegmentMaxRequest& request, Index query_segment,
                                    std::span<const std::int32_t> documents, const Job& job) {
  std::vector<double> sums(documents.size());
  for (std::size_t begin = 0, end = 0; begin < documents.size(); begin = end) {
    for (Index rows = 0; end < documents.size() && rows < scored_at_once; ++end)
      rows += request.corpus_segments.size(documents[end]);
    score_together(request, query_segment, documents.subspan(begin, end - begin), &sums[begin],
                   job);
  }
  return sums;
}

}  // namespace gemmine::cuda
