#include "backend/cpu/block_pivoting.h"

#include <algorithm>
#include <cmath>

#include "backend/step.h"

namespace gemmine::cpu {
namespace {

constexpr int full_exchanges = 3;  // Kim & Park, algorithm 2: α
// Block pivoting needs a few exchanges. A row that needs more is left to the active set, whose
// steps are shorter but always lower the objective.
constexpr int most_exchanges = 40;
// Components and slopes above minus this share of the largest terms are rounding error.
constexpr double smallest_share = 1e-13;

}  // namespace

BlockPivoting::BlockPivoting(const Kernels& kernels, const std::vector<double>& normal, Index k,
                             double smallest_pivot)
    : normal_(normal),
      k_(k),
      words_((k + 63) / 64),
      smallest_pivot_(smallest_pivot),
      factor_(kernels, normal, k, smallest_pivot),
      minimum_(static_cast<std::size_t>(SharedCholesky::room(k))),
      slope_(static_cast<std::size_t>(k)) {}

void BlockPivoting::solve(HostView<const double> B, HostView<double> V, const Cancellation& stop) {
  start(V);
  std::vector<Index> left;
  for (int step = 0; step < most_exchanges && !open_.empty(); ++step) {
    sort_open();
    std::vector<Row> still_open;
    for (Row row : open_) {
      stop.check();
      const Outcome outcome = visit(row, B.row(row.index), V.row(row.index));
      if (outcome == Outcome::exchanged) still_open.push_back(row);
      if (outcome == Outcome::dependent) left.push_back(row.index);
    }
    open_ = std::move(still_open);
  }
  for (const Row& row : open_) left.push_back(row.index);
  for (const Index i : left) solve_by_active_set(B.row(i), V.row(i), stop);
}

void BlockPivoting::start(HostView<const double> V) {
  masks_.assign(static_cast<std::size_t>(V.rows * words_), 0);
  open_.clear();
  for (Index i = 0; i < V.rows; ++i) {
    for (Index j = 0; j < k_; ++j)
      if (V(i, j) > 0 && normal_[j * (k_ + 1)] > 0) flip(i, j);
    open_.push_back({.index = i, .fewest = k_ + 1, .chances = full_exchanges});
  }
}

void BlockPivoting::sort_open() {
  std::ranges::sort(open_, [this](const Row& a, const Row& b) {
    const std::uint64_t* of_a = mask(a.index);
    const std::uint64_t* of_b = mask(b.index);
    for (Index w = 0; w < words_; ++w)
      if (of_a[w] != of_b[w]) return of_a[w] < of_b[w];
    return a.index < b.index;
  });
}

// Solves for the passive components of the row. If some component is infeasible, exchanges it
// between the sets; otherwise the solution becomes v.
BlockPivoting::Outcome BlockPivoting::visit(Row& row, const double* b, double* v) {
  passive_.clear();
  for (Index j = 0; j < k_; ++j)
    if (is_passive(row.index, j)) passive_.push_back(j);
  if (!factor_.become(passive_)) return Outcome::dependent;
  for (std::size_t i = 0; i < passive_.size(); ++i) minimum_[i] = b[passive_[i]];
  factor_.solve(minimum_.data());
  find_infeasible(b);
  if (!infeasible_.empty()) {
    exchange(row);
    return Outcome::exchanged;
  }
  for (Index j = 0; j < k_; ++j)
    if (normal_[j * (k_ + 1)] > 0) v[j] = 0;
  for (std::size_t i = 0; i < passive_.size(); ++i) v[passive_[i]] = std::max(0.0, minimum_[i]);
  return Outcome::solved;
}

// Passive components that are negative, and others in whose direction the objective falls.
void BlockPivoting::find_infeasible(const double* b) {
  std::copy_n(b, k_, slope_.begin());
  double largest = 0;
  for (const double value : slope_) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < passive_.size(); ++i) {
    const double value = minimum_[i];
    const double* N = normal_.data() + passive_[i] * k_;
    largest = std::max(largest, std::abs(value));
    for (Index j = 0; j < k_; ++j) slope_[j] -= N[j] * value;
  }
  infeasible_.clear();
  auto next = passive_.begin();
  for (Index j = 0; j < k_; ++j) {
    const bool is_next = next != passive_.end() && *next == j;
    const double excess = is_next ? -minimum_[next++ - passive_.begin()] : slope_[j];
    if (excess > smallest_share * largest) infeasible_.push_back(j);
  }
}

// All infeasible components while that helps; otherwise the last one alone, by which no passive set
// occurs twice (Murty 1974).
void BlockPivoting::exchange(Row& row) {
  const auto count = static_cast<Index>(infeasible_.size());
  const bool fewer = count < row.fewest;
  if (!fewer && row.chances == 0) return flip(row.index, infeasible_.back());
  row.fewest = std::min(count, row.fewest);
  row.chances = fewer ? full_exchanges : row.chances - 1;
  for (const Index j : infeasible_) flip(row.index, j);
}

void BlockPivoting::solve_by_active_set(const double* b, double* v, const Cancellation& stop) {
  if (!active_set_) {
    const std::vector<double> none(static_cast<std::size_t>(k_), unbounded);
    active_set_.emplace(normal_, none, smallest_pivot_);
  }
  active_set_->clear();
  const std::vector<double> right(b, b + k_);
  std::vector<double> found(v, v + k_);
  active_set_->solve(right, found, stop);
  // It starts without components that depend on others, so it may end above v.
  if (quadratic(b, found.data()) < quadratic(b, v)) std::copy_n(found.begin(), k_, v);
}

double BlockPivoting::quadratic(const double* b, const double* v) const {
  double sum = 0;
  for (Index i = 0; i < k_; ++i) {
    if (v[i] == 0) continue;
    double product = 0;
    for (Index j = 0; j < k_; ++j) product += normal_[i * k_ + j] * v[j];
    sum += v[i] * (product - 2 * b[i]);
  }
  return sum;
}

}  // namespace gemmine::cpu
