#pragma once

#include <memory>
#include <vector>

#include "core/random.h"
#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/random_streams.h"

namespace gemmine {

// One row of each of `count` equal ranges of n rows, ascending, or all n where there are no more.
std::vector<Index> spread_rows(Index n, Index count, const CounterRandom& random);

// Some rows of X, copied unless they are all of them. Choosing single rows (seeds of k-means, the
// worst-fitted row) looks at these only, which keeps its cost small.
class RowSample {
 public:
  RowSample(const Input& input, std::vector<Index> rows);  // ascending
  RowSample(const Input& input, Index count, const CounterRandom& random)
      : RowSample(input, spread_rows(input.rows(), count, random)) {}
  RowSample(const RowSample&) = delete;  // its input refers to it

  Index size() const { return static_cast<Index>(rows_.size()); }
  Index row(Index s) const { return rows_[s]; }                 // its number in X
  const Input& input() const { return *input_; }                // the sample as an X of its own
  std::vector<double> dense_row(Index s) const;                 // the scaled row [d]
  double squared_norm(Index s) const;                           // of the scaled row
  std::vector<double> medians() const;                          // of the scaled columns [d]
  HostMatrix<float> rows_of(BackendView<const float> W) const;  // of W [n×k] [size×k]
  HostMatrix<float> times(const HostMatrix<float>& Ht) const;   // X_s·Ht [size×k]
  HostMatrix<double> times_gram(const HostMatrix<float>& Ht) const;  // (X_sᵀX_s·Ht)ᵀ [k×d]

 private:
  void gather(const Input& input);
  void append(const RowBlock& row);

  std::vector<Index> rows_;
  std::vector<double> indptr_;  // [size + 1]; sparse X only
  std::vector<std::int32_t> indices_;
  std::vector<float> values_;
  std::unique_ptr<RowSource> copied_;  // null for all rows
  Job job_;                            // the caller's, but silent: progress is that of X
  std::unique_ptr<Input> input_;
};

}  // namespace gemmine
