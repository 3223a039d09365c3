#include "factorization/graph_term.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace gemmine {
namespace {

// Steps compute in float32. A larger weight has the same effect: X no longer matters for a row with
// neighbours.
constexpr double largest_weight = 1e20;

// Scaling by row and by column may make entries differ by this much.
constexpr float rounding = 1e-6f;

// All rows, as CSR.
RowBlock all_rows(const RowSource& adjacency) {
  expect(adjacency.sparse() && adjacency.rows() == adjacency.cols(), "an adjacency is CSR [n×n]");
  RowScratch unused;
  return adjacency.block(0, adjacency.rows(), unused);
}

// visit(i, j, A_ij) for the stored entries.
template <class Visit>
void each_edge(const RowBlock& rows, const Visit& visit) {
  for (Index i = 0; i < rows.count; ++i)
    for (auto t = static_cast<Index>(rows.indptr[i]); t < static_cast<Index>(rows.indptr[i + 1]);
         ++t)
      visit(i, Index{rows.indices[t]}, rows.values[t]);
}

// A_ij, by binary search in the ascending columns of row i.
float entry_of(const RowBlock& rows, Index i, Index j) {
  const auto* begin = rows.indices + static_cast<Index>(rows.indptr[i]);
  const auto* end = rows.indices + static_cast<Index>(rows.indptr[i + 1]);
  const auto* found = std::lower_bound(begin, end, static_cast<std::int32_t>(j));
  return found != end && *found == j ? rows.values[found - rows.indices] : 0.0f;
}

void check_symmetric(const RowSource& adjacency, const Job& job) {
  const RowBlock rows = all_rows(adjacency);
  Index looked_at = -1;
  each_edge(rows, [&](Index i, Index j, float value) {
    if (i != looked_at) job.cancellation.check();
    looked_at = i;
    const float other = entry_of(rows, j, i);
    if (std::abs(value - other) <= rounding * std::max(value, other)) return;
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", other);
    throw InvalidEntry(adjacency.argument, i, j, value,
                       std::string("a symmetric matrix (") + text + ", as at row " +
                           std::to_string(j) + ", column " + std::to_string(i) + ")");
  });
}

}  // namespace

GraphTerm::GraphTerm(Passes& device, const RowSource& adjacency, double weight, Index k,
                     const Job& job)
    : adjacency_(device, {.X = adjacency, .sign = EntrySign::nonnegative}, job),
      weight_(std::ldexp(weight, adjacency_.exponent())),
      neighbours_(device, adjacency.rows(), k),
      degrees_(device, adjacency.rows(), 1) {
  check_symmetric(adjacency, job);
  const BackendMatrix ones(device, adjacency.rows(), 1);
  device.shift(1, ones.view(), job);
  (*adjacency_).multiply(ones.view(), degrees_.view());
}

void GraphTerm::follow(BackendView<const float> W, const Job& job) {
  (*adjacency_).with_job(job).multiply(W, neighbours_.view());
}

RowAddend GraphTerm::addend() const {
  return {std::min(weight_, largest_weight), neighbours_.view(), degrees_.view()};
}

double GraphTerm::penalty(BackendView<const float> W, const Job& job) const {
  const RowAddend whole{weight_, neighbours_.view(), degrees_.view()};
  return std::max(0.0, (*adjacency_).backend.energy(whole, W, job));
}

double graph_penalty(const RowSource& adjacency, double weight, HostView<const float> W) {
  double sum = 0;
  each_edge(all_rows(adjacency), [&](Index i, Index j, float value) {
    double square = 0;
    for (Index c = 0; c < W.cols; ++c) {
      const double difference = double{W(i, c)} - W(j, c);
      square += difference * difference;
    }
    sum += value * square;
  });
  return weight / 2 * sum;
}

}  // namespace gemmine
