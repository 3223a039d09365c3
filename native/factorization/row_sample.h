#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/random.h"
#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/random_streams.h"

namespace gemmine {

// One row of each of `count` equal ranges of n rows, ascending; all n rows if n <= count.
std::vector<Index> spread_rows(Index n, Index count, const CounterRandom& random);

// Some rows of X, copied unless they are all rows of a large X. The choice of single rows (seeds of
// k-means, the worst-fitted row) reads only these, so its cost is small.
class RowSample {
 public:
  RowSample(const Input& input, std::vector<Index> rows);  // ascending
  RowSample(const Input& input, Index count, const CounterRandom& random)
      : RowSample(input, spread_rows(input.rows(), count, random)) {}
  RowSample(const RowSample&) = delete;  // its input has a reference to it

  Index size() const { return static_cast<Index>(rows_.size()); }
  Index row(Index s) const { return rows_[s]; }                      // the row's number in X
  const Input& input() const { return *input_; }                     // the sample as a separate X
  std::vector<double> dense_row(Index s) const;                      // the scaled row [d]
  double squared_norm(Index s) const;                                // of the scaled row
  std::vector<double> medians() const;                               // of the scaled columns [d]
  HostMatrix<float> rows_of(BackendView<const float> W) const;       // rows of W [n×k], [size×k]
  HostMatrix<float> times(const HostMatrix<float>& Ht) const;        // X_s·Ht [size×k]
  HostMatrix<double> times_gram(const HostMatrix<float>& Ht) const;  // (X_sᵀX_s·Ht)ᵀ [k×d]

 private:
  template <class Look>
  void look_at(Index s, const Look& look) const;

  std::vector<Index> rows_;
  std::optional<RowCopies> copies_;    // nothing for all rows of a large X
  std::unique_ptr<RowSource> copied_;  // null for all rows
  Job job_;                            // the caller's, without progress reports
  std::unique_ptr<Input> input_;
};

}  // namespace gemmine
