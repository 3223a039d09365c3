#include "backend/cpu/canonical.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/scan_kernels.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

Index padded(Index d) { return (d + 7) / 8 * 8; }

}  // namespace

void canonical_norms(const float* rows, Index stride, Index count, Index d, double* norms) {
  std::vector<double> wide(padded(d));
  for (Index i = 0; i < count; ++i) {
    const float* row = rows + i * stride;
    std::copy(row, row + d, wide.begin());
    const float* const same[4] = {row, row, row, row};
    double sums[4];
    scan_kernels().dot_rows(wide.data(), same, d, sums);
    norms[i] = std::sqrt(sums[0]);
  }
}

CanonicalScorer::CanonicalScorer(const RowSource& queries, RowNorms query_norms,
                                 const RowSource& corpus, RowNorms corpus_norms, Metric metric)
    : queries_(queries),
      query_norms_(query_norms),
      corpus_(corpus),
      corpus_norms_(corpus_norms),
      metric_(metric),
      query_(padded(corpus.cols())) {}

void CanonicalScorer::begin(Index query) {
  const float* row = queries_.block(query, 1, scratch_[0]).dense.data;
  std::copy(row, row + corpus_.cols(), query_.begin());
  if (has_unit_rows(metric_)) query_norm_ = query_norms_[query];
}

double CanonicalScorer::finish(double sum, Index row) const {
  const double lengths = has_unit_rows(metric_) ? query_norm_ * corpus_norms_[row] : 1.0;
  return canonical_score(metric_, sum, lengths);
}

void CanonicalScorer::score_four(const float* const rows[4], const Index ids[4],
                                 double scores[4]) const {
  const ScanKernels& kernels = scan_kernels();
  const auto sums = sums_squares(metric_) ? kernels.distance_rows : kernels.dot_rows;
  sums(query_.data(), rows, corpus_.cols(), scores);
  for (int i = 0; i < 4; ++i) scores[i] = finish(scores[i], ids[i]);
}

// Rows are scattered in memory, so the next four are prefetched while these are summed.
void CanonicalScorer::score(const std::int32_t* rows, Index count, double* scores) {
  const Index d = corpus_.cols();
  const float* data[8];
  Index ids[8];
  const auto fetch = [&](Index begin) {
    for (Index i = begin; i < std::min(begin + 4, count); ++i) {
      ids[i % 8] = rows[i];
      data[i % 8] = corpus_.block(rows[i], 1, scratch_[i % 8]).dense.data;
      for (Index t = 0; t < d; t += 16) __builtin_prefetch(data[i % 8] + t);
    }
  };
  fetch(0);
  for (Index begin = 0; begin < count; begin += 4) {
    fetch(begin + 4);
    const Index at = begin % 8;
    const Index here = std::min<Index>(4, count - begin);
    for (Index i = here; i < 4; ++i) {  // a smaller last group repeats its first row
      ids[at + i] = ids[at];
      data[at + i] = data[at];
    }
    double four[4];
    score_four(data + at, ids + at, four);
    std::copy_n(four, here, scores + begin);
  }
}

void CanonicalScorer::score_rows(HostView<const float> rows, Index first, double* scores) const {
  for (Index at = 0; at < rows.rows; at += 4) {
    const Index here = std::min<Index>(4, rows.rows - at);
    Index ids[4];
    const float* data[4];
    for (Index i = 0; i < 4; ++i) {
      const Index row = at + std::min(i, here - 1);
      ids[i] = first + row;
      data[i] = rows.row(row);
    }
    double four[4];
    score_four(data, ids, four);
    std::copy_n(four, here, scores + at);
  }
}

}  // namespace gemmine::cpu
