#include "backend/cpu/active_set.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gemmine::cpu {
namespace {

// A slope below this share of the terms of its difference is rounding error.
constexpr double smallest_slope = 1e-13;

// Four sums at once, because the compiler may not reorder a single sum.
double dot(const double* a, const double* b, Index count) {
  double sums[4] = {0, 0, 0, 0};
  Index i = 0;
  for (; i + 4 <= count; i += 4)
    for (Index s = 0; s < 4; ++s) sums[s] += a[i + s] * b[i + s];
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

ActiveSet::ActiveSet(const std::vector<double>& normal, std::vector<double> upper,
                     double smallest_pivot)
    : normal_(normal),
      upper_(std::move(upper)),
      k_(static_cast<Index>(upper_.size())),
      smallest_pivot_(smallest_pivot),
      factor_(static_cast<std::size_t>(k_ * k_)),
      is_passive_(upper_.size()),
      barred_(upper_.size()),
      minimum_(upper_.size()),
      slope_(upper_.size()) {}

// Appends a row to L. Returns false if j depends on the passive set.
bool ActiveSet::add(Index j) {
  const Index m = size();
  const double* N = normal_.data() + j * k_;
  double* next = row(m);
  for (Index i = 0; i < m; ++i) next[i] = (N[passive_[i]] - dot(next, row(i), i)) / row(i)[i];
  const double pivot = N[j] - dot(next, next, m);
  if (!(pivot > smallest_pivot_ * N[j])) return false;
  next[m] = std::sqrt(pivot);
  passive_.push_back(j);
  is_passive_[j] = true;
  return true;
}

// Removes a row of L and rotates the rows below it back to a triangle: Golub & Van Loan, Matrix
// Computations, 6.5.3.
void ActiveSet::remove(Index at) {
  is_passive_[passive_[at]] = false;
  passive_.erase(passive_.begin() + at);
  const Index m = size();
  for (Index i = at; i < m; ++i) std::copy_n(row(i + 1), i + 2, row(i));
  for (Index j = at; j < m; ++j) {
    const double length = std::hypot(row(j)[j], row(j)[j + 1]);
    const double cosine = row(j)[j] / length;
    const double sine = row(j)[j + 1] / length;
    for (Index i = j; i < m; ++i) {
      const double x = row(i)[j];
      const double y = row(i)[j + 1];
      row(i)[j] = cosine * x + sine * y;
      row(i)[j + 1] = cosine * y - sine * x;
    }
  }
}

void ActiveSet::clear() {
  passive_.clear();
  std::fill(is_passive_.begin(), is_passive_.end(), false);
}

// Sets the passive set to the components between their bounds; it is often that of the previous
// problem.
void ActiveSet::restart(std::vector<double>& v, const Cancellation& stop) {
  bool same = true;
  for (Index j = 0; j < k_ && same; ++j) same = is_passive_[j] == is_inside(v, j);
  if (same) return;
  clear();
  for (Index j = 0; j < k_; ++j) {
    stop.check();
    if (is_inside(v, j) && !add(j)) v[j] = 0;
  }
}

// x [size()] = (L Lᵀ)⁻¹ x.
void ActiveSet::solve_passive(std::vector<double>& x) const {
  const Index m = size();
  for (Index i = 0; i < m; ++i) x[i] = (x[i] - dot(row(i), x.data(), i)) / row(i)[i];
  for (Index i = m - 1; i >= 0; --i) {
    x[i] /= row(i)[i];
    for (Index t = 0; t < i; ++t) x[t] -= row(i)[t] * x[i];
  }
}

void ActiveSet::solve_for_passive(const std::vector<double>& b, std::vector<double>& v) const {
  std::vector<double> x(static_cast<std::size_t>(size()));
  for (Index i = 0; i < size(); ++i) x[i] = b[passive_[i]];
  solve_passive(x);
  std::fill(v.begin(), v.end(), 0.0);
  for (Index i = 0; i < size(); ++i) v[passive_[i]] = x[i];
}

// The minimum over the passive set, the others fixed.
void ActiveSet::find_minimum(const std::vector<double>& b, const std::vector<double>& v) {
  for (Index i = 0; i < size(); ++i) minimum_[i] = b[passive_[i]];
  for (Index j = 0; j < k_; ++j) {
    if (is_passive_[j] || v[j] == 0) continue;
    for (Index i = 0; i < size(); ++i) minimum_[i] -= normal_[j * k_ + passive_[i]] * v[j];
  }
  solve_passive(minimum_);
}

// Moves v towards the minimum over the passive set. Where a component would pass a bound, v stops,
// the components that reached one leave the set, and the move is repeated.
void ActiveSet::walk_to_minimum(const std::vector<double>& b, std::vector<double>& v) {
  while (size() > 0) {
    find_minimum(b, v);
    double share = 1;
    Index first = -1;
    for (Index i = 0; i < size(); ++i) {
      const double top = upper_[passive_[i]];
      if (minimum_[i] > 0 && minimum_[i] < top) continue;
      const double old = v[passive_[i]];
      const double room = minimum_[i] > 0 ? top - old : old;
      const double reach = room > 0 ? room / std::abs(old - minimum_[i]) : 0;
      if (first < 0 || reach < share) {
        share = reach;
        first = i;
      }
    }
    for (Index i = 0; i < size(); ++i) v[passive_[i]] += share * (minimum_[i] - v[passive_[i]]);
    if (share > 0) std::fill(barred_.begin(), barred_.end(), false);
    if (first < 0) return;
    barred_[passive_[first]] = share == 0;
    stop_at_bounds(v, first);
  }
}

// `first` has reached its bound, others may have.
void ActiveSet::stop_at_bounds(std::vector<double>& v, Index first) {
  v[passive_[first]] = minimum_[first] > 0 ? upper_[passive_[first]] : 0;
  for (Index i = size() - 1; i >= 0; --i) {
    const Index j = passive_[i];
    if (is_inside(v, j)) continue;
    v[j] = v[j] > 0 ? upper_[j] : 0;
    remove(i);
  }
}

// Returns the component outside the passive set with the steepest descent; −1 for none.
Index ActiveSet::steepest(const std::vector<double>& b, const std::vector<double>& v) {
  slope_ = b;
  double size_of_terms = 0;
  for (const double value : b) size_of_terms = std::max(size_of_terms, std::abs(value));
  for (Index i = 0; i < k_; ++i) {
    if (v[i] == 0) continue;
    const double* N = normal_.data() + i * k_;
    size_of_terms = std::max(size_of_terms, v[i]);
    for (Index j = 0; j < k_; ++j) slope_[j] -= N[j] * v[i];
  }
  Index best = -1;
  double most = smallest_slope * size_of_terms;
  for (Index j = 0; j < k_; ++j)
    if (const double descent = v[j] < upper_[j] ? slope_[j] : -slope_[j];
        !is_passive_[j] && !barred_[j] && descent > most) {
      most = descent;
      best = j;
    }
  return best;
}

void ActiveSet::solve(const std::vector<double>& b, std::vector<double>& v,
                      const Cancellation& stop) {
  restart(v, stop);
  std::fill(barred_.begin(), barred_.end(), false);
  // Each step lowers the objective, unless rounding makes it void, so no passive set occurs twice.
  for (Index steps = 0; steps < 10 * k_ + 100; ++steps) {
    stop.check();
    walk_to_minimum(b, v);
    Index next = steepest(b, v);
    for (; next >= 0 && !add(next); next = steepest(b, v)) barred_[next] = true;
    if (next < 0) return;
  }
}

double ActiveSet::smallest_eigenvalue(const Cancellation& stop) {
  std::vector<double> x(static_cast<std::size_t>(k_));
  for (Index j = 0; j < k_; ++j) x[j] = normal_[j * (k_ + 1)] > 0 ? 1 : 0;
  restart(x, stop);
  const bool all = std::ranges::all_of(x, [](double value) { return value > 0; });
  if (!all) return 0;
  // Inverse iteration from an irregular pattern of signs, which is not orthogonal to smooth
  // vectors.
  for (Index j = 0; j < k_; ++j) x[j] = (j * 7919 % 13 < 6 ? 1.0 : -1.0) + 0.01 * (j % 7);
  double growth = 1;
  for (int step = 0; step < 20; ++step) {
    const double length = std::sqrt(dot(x.data(), x.data(), k_));
    for (double& value : x) value /= length;
    solve_passive(x);
    growth = std::sqrt(dot(x.data(), x.data(), k_));
  }
  return 0.5 / growth;
}

}  // namespace gemmine::cpu
