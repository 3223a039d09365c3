#include "backend/passes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/row_block.h"

// Operations of a device whose rows and factors the host can read, made of smaller ones.
namespace gemmine {
namespace {

// All rows of an adjacency, as CSR.
RowBlock all_rows(const RowSource& A) {
  expect(A.sparse() && A.rows() == A.cols(), "an adjacency is CSR [n×n]");
  RowScratch unused;
  return A.block(0, A.rows(), unused);
}

// visit(i, j, A_ij) for the stored entries.
template <class Visit>
void each_edge(const RowBlock& rows, const Job& job, const Visit& visit) {
  for (Index i = 0; i < rows.count; ++i) {
    job.cancellation.check();
    for (auto t = static_cast<Index>(rows.indptr[i]); t < static_cast<Index>(rows.indptr[i + 1]);
         ++t)
      visit(i, Index{rows.indices[t]}, rows.values[t]);
  }
}

// A_ij, by binary search in the ascending columns of row i.
float entry_of(const RowBlock& rows, Index i, Index j) {
  const auto* begin = rows.indices + static_cast<Index>(rows.indptr[i]);
  const auto* end = rows.indices + static_cast<Index>(rows.indptr[i + 1]);
  const auto* found = std::lower_bound(begin, end, static_cast<std::int32_t>(j));
  return found != end && *found == j ? rows.values[found - rows.indices] : 0.0f;
}

}  // namespace

std::unique_ptr<RowSource> Passes::resident(const RowSource&, const Job&) { return nullptr; }

RowCopies Passes::read_rows(const RowSource& X, std::span<const Index> rows, const Job& job) {
  RowCopies copies(X);
  copies.reserve(static_cast<Index>(rows.size()));
  RowScratch scratch;
  for (const Index row : rows) {
    job.cancellation.check();
    copies.append(X.block(row, 1, scratch));
  }
  return copies;
}

void Passes::check_symmetric(const RowSource& A, float rounding, const Job& job) {
  const RowBlock rows = all_rows(A);
  each_edge(rows, job, [&](Index i, Index j, float value) {
    const float other = entry_of(rows, j, i);
    if (std::abs(value - other) <= rounding * std::max(value, other)) return;
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", other);
    throw InvalidEntry(A.argument, i, j, value,
                       std::string("a symmetric matrix (") + text + ", as at row " +
                           std::to_string(j) + ", column " + std::to_string(i) + ")");
  });
}

double Passes::spread(const RowSource& A, HostView<const float> W, const Job& job) {
  double sum = 0;
  each_edge(all_rows(A), job, [&](Index i, Index j, float value) {
    double square = 0;
    for (Index c = 0; c < W.cols; ++c) {
      const double difference = double{W(i, c)} - W(j, c);
      square += difference * difference;
    }
    sum += value * square;
  });
  return sum;
}

void Passes::improve_rows_by_own_normals(const Step&, HostView<const double>,
                                         HostView<const double>, double, BackendView<float>,
                                         const Job&) {
  expect(false, "the CPU improves rows of other devices");
}

void Passes::orthonormalise_columns(Index first, BackendView<float> factor, const Job& job) {
  const Index n = factor.rows;
  const Index k = factor.cols;
  if (first == k) return;
  job.cancellation.check();
  std::vector<float> values(static_cast<std::size_t>(n * k));
  std::vector<double> transposed(values.size());
  const HostView<float> columns{values.data(), n, k, k};
  const HostView<double> rows{transposed.data(), k, n, n};
  download(factor, columns);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < k; ++j) rows(j, i) = columns(i, j);
  orthonormalise_rows(rows, job);
  for (Index i = 0; i < n; ++i)
    for (Index j = first; j < k; ++j) columns(i, j) = static_cast<float>(rows(j, i));
  upload(columns, factor);
}

}  // namespace gemmine
