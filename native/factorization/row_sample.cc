#include "factorization/row_sample.h"

#include <algorithm>
#include <cmath>

namespace gemmine {
namespace {

// An X of at most so many entries is copied as a whole, because reading one row at a time costs a
// device more.
constexpr Index most_copied = Index{1} << 20;

Index entries_of(const RowSource& X) { return X.sparse() ? X.nonzeros() : X.rows() * X.cols(); }

}  // namespace

std::vector<Index> spread_rows(Index n, Index count, const CounterRandom& random) {
  const Index m = std::min(n, count);
  std::vector<Index> rows(m);
  for (Index s = 0; s < m; ++s) {
    const Index begin = n / m * s + std::min(s, n % m);
    const Index end = n / m * (s + 1) + std::min(s + 1, n % m);
    const double inside = random.uniform(s, 0) * static_cast<double>(end - begin);
    rows[s] = begin + std::min(end - begin - 1, static_cast<Index>(inside));
  }
  return rows;
}

RowSample::RowSample(const Input& input, std::vector<Index> rows)
    : rows_(std::move(rows)), job_(input.job.quietly()) {
  double squared_norm = input.squared_norm;
  const bool whole = size() == input.rows();
  if (!whole || entries_of(input.X) <= most_copied)
    copies_ = input.backend.read_rows(input.X, rows_, job_);
  if (!whole) {
    copied_ = copies_->source();
    squared_norm = 0;
    for (const float value : copies_->values()) squared_norm += double{value} * value;
    squared_norm = std::ldexp(squared_norm, -2 * input.pass_exponent);
  }
  input_ = std::make_unique<Input>(Input{.backend = input.backend,
                                         .X = copied_ ? *copied_ : input.X,
                                         .pass_exponent = input.pass_exponent,
                                         .squared_norm = squared_norm,
                                         .mean = input.mean,
                                         .job = job_});
}

// Calls look(copies, number of the row in them).
template <class Look>
void RowSample::look_at(Index s, const Look& look) const {
  if (copies_) return look(*copies_, s);
  look(input_->backend.read_rows(input_->X, {&rows_[s], 1}, job_), 0);
}

std::vector<double> RowSample::dense_row(Index s) const {
  std::vector<double> row(input_->cols());
  look_at(s, [&](const RowCopies& rows, Index i) { rows.take(i, input_->scale(), row); });
  return row;
}

double RowSample::squared_norm(Index s) const {
  double sum = 0;
  for (const double value : dense_row(s)) sum += value * value;
  return sum;
}

std::vector<double> RowSample::medians() const {
  const double scale = input_->scale();
  std::vector<std::vector<float>> columns(input_->cols());
  for (Index s = 0; s < size(); ++s)
    look_at(s, [&](const RowCopies& rows, Index i) {
      rows.each_entry(i, [&](Index t, float value) { columns[t].push_back(value); });
    });
  std::vector<double> medians(columns.size());
  for (std::size_t t = 0; t < columns.size(); ++t) {
    std::vector<float>& column = columns[t];
    if (2 * static_cast<Index>(column.size()) <= size()) continue;  // the median is 0
    column.resize(rows_.size());
    const auto middle = column.begin() + size() / 2;
    std::nth_element(column.begin(), middle, column.end());
    medians[t] = scale * *middle;
  }
  return medians;
}

HostMatrix<float> RowSample::rows_of(BackendView<const float> W) const {
  const BackendMatrix result(input_->backend, size(), W.cols);
  input_->backend.gather_rows(W, rows_, result.view(), job_);
  return downloaded(input_->backend, result.view());
}

HostMatrix<float> RowSample::times(const HostMatrix<float>& Ht) const {
  Passes& backend = input_->backend;
  const Index k = Ht.cols();
  const BackendMatrix other(backend, Ht.rows(), k);
  const BackendMatrix result(backend, size(), k);
  backend.upload(Ht.view(), other.view());
  input_->multiply(other.view(), result.view());
  return downloaded(backend, result.view());
}

HostMatrix<double> RowSample::times_gram(const HostMatrix<float>& Ht) const {
  const Index k = Ht.cols();
  const HostMatrix<float> product = times(Ht);
  HostMatrix<double> rows(k, Ht.rows());
  for (Index s = 0; s < size(); ++s) {
    const std::vector<double> x = dense_row(s);
    for (Index c = 0; c < k; ++c)
      for (Index t = 0; t < Ht.rows(); ++t) rows(c, t) += product(s, c) * x[t];
  }
  return rows;
}

}  // namespace gemmine
