#include "factorization/row_sample.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gemmine {

RowSample::RowSample(const Input& input, Index count, const CounterRandom& random)
    : job_{.cancellation = input.job.cancellation, .report = {}, .threads = input.job.threads} {
  const Index n = input.rows();
  const Index m = std::min(n, count);
  rows_.resize(m);
  for (Index s = 0; s < m; ++s) {
    const Index begin = n / m * s + std::min(s, n % m);
    const Index end = n / m * (s + 1) + std::min(s + 1, n % m);
    const double inside = random.uniform(s, 0) * static_cast<double>(end - begin);
    rows_[s] = begin + std::min(end - begin - 1, static_cast<Index>(inside));
  }
  gather(input.X, input.job);

  const double scale = std::ldexp(1.0, -2 * input.pass_exponent);
  for (double& squared_norm : squared_norms_) squared_norm *= scale;
  const Index d = input.cols();
  source_ = input.X.sparse() ? sparse_source(indptr_.data(), indices_.data(), values_.data(), m, d)
                             : dense_source(values_.data(), ElementType::float32, m, d, d);
  const double total = std::accumulate(squared_norms_.begin(), squared_norms_.end(), 0.0);
  input_ = std::make_unique<Input>(Input{.backend = input.backend,
                                         .X = *source_,
                                         .pass_exponent = input.pass_exponent,
                                         .squared_norm = total,
                                         .mean = input.mean,
                                         .job = job_});
}

void RowSample::gather(const RowSource& X, const Job& job) {
  RowScratch scratch;
  indptr_.push_back(0);
  if (!X.sparse()) values_.reserve(rows_.size() * static_cast<std::size_t>(X.cols()));
  for (const Index row : rows_) {
    job.cancellation.check();
    append(X.block(row, 1, scratch));
  }
}

void RowSample::append(const RowBlock& row) {
  const std::size_t before = values_.size();
  if (row.dense.data != nullptr) {
    values_.insert(values_.end(), row.dense.data, row.dense.data + row.dense.cols);
  } else {
    const auto first = static_cast<Index>(row.indptr[0]);
    const auto end = static_cast<Index>(row.indptr[1]);
    indices_.insert(indices_.end(), row.indices + first, row.indices + end);
    values_.insert(values_.end(), row.values + first, row.values + end);
    indptr_.push_back(static_cast<double>(values_.size()));
  }
  double squares = 0;
  for (std::size_t at = before; at < values_.size(); ++at)
    squares += double{values_[at]} * values_[at];
  squared_norms_.push_back(squares);
}

std::vector<double> RowSample::dense_row(Index s) const {
  const double scale = std::ldexp(1.0, -input_->pass_exponent);
  const Index d = source_->cols();
  std::vector<double> row(d);
  if (source_->sparse()) {
    for (auto at = static_cast<Index>(indptr_[s]); at < static_cast<Index>(indptr_[s + 1]); ++at)
      row[indices_[at]] += scale * values_[at];
  } else {
    for (Index j = 0; j < d; ++j) row[j] = scale * values_[s * d + j];
  }
  return row;
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
