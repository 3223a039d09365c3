#include "backend/cpu/passive_factor.h"

#include <algorithm>
#include <cmath>

namespace gemmine::cpu {

double dot_of_four(const double* a, const double* b, Index count) {
  double sums[4] = {0, 0, 0, 0};
  Index i = 0;
  for (; i + 4 <= count; i += 4)
    for (Index s = 0; s < 4; ++s) sums[s] += a[i + s] * b[i + s];
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

bool PassiveFactor::add(Index j) {
  const Index m = size();
  const double* N = normal_.data() + j * k_;
  double* next = row(m);
  for (Index i = 0; i < m; ++i)
    next[i] = (N[components_[i]] - dot_of_four(next, row(i), i)) / row(i)[i];
  const double pivot = N[j] - dot_of_four(next, next, m);
  if (!(pivot > smallest_pivot_ * N[j])) return false;
  next[m] = std::sqrt(pivot);
  components_.push_back(j);
  return true;
}

// Removes a row of L and rotates the rows below it back to a triangle: Golub & Van Loan, Matrix
// Computations, 6.5.3.
void PassiveFactor::remove(Index at) {
  components_.erase(components_.begin() + at);
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

bool PassiveFactor::become(const std::vector<Index>& components) {
  const auto [own, given] = std::ranges::mismatch(components_, components);
  const auto same = given - components.begin();
  components_.resize(static_cast<std::size_t>(same));
  for (auto j = components.begin() + same; j != components.end(); ++j)
    if (!add(*j)) return false;
  return true;
}

void PassiveFactor::solve(double* x) const {
  const Index m = size();
  for (Index i = 0; i < m; ++i) x[i] = (x[i] - dot_of_four(row(i), x, i)) / row(i)[i];
  for (Index i = m - 1; i >= 0; --i) {
    x[i] /= row(i)[i];
    for (Index t = 0; t < i; ++t) x[t] -= row(i)[t] * x[i];
  }
}

}  // namespace gemmine::cpu
