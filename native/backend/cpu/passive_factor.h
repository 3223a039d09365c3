#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine::cpu {

// Four sums at once, because the compiler may not reorder a single sum.
double dot_of_four(const double* a, const double* b, Index count);

// The Cholesky factor N_PP = L Lᵀ of a changing list P of components, in float64.
class PassiveFactor {
 public:
  // normal [k×k]: symmetric, positive semidefinite, each diagonal element 1, or 0 in a row of
  // zeros. A pivot below this share of its diagonal is rounding error of earlier products.
  PassiveFactor(const std::vector<double>& normal, Index k, double smallest_pivot)
      : normal_(normal),
        k_(k),
        smallest_pivot_(smallest_pivot),
        rows_(static_cast<std::size_t>(k * k)) {}

  Index size() const { return static_cast<Index>(components_.size()); }
  const std::vector<Index>& components() const { return components_; }

  // Appends a component. Returns false if it depends on those of the list.
  bool add(Index j);
  // Removes the component at this place of the list.
  void remove(Index at);
  // Makes the list the given one, which is ascending. The rows of L that both lists have in common
  // at their beginning stay, and no row depends on where it was computed. Returns false, with the
  // components before it, at the first component that depends on others.
  bool become(const std::vector<Index>& components);
  void clear() { components_.clear(); }

  // x [size()] = (L Lᵀ)⁻¹ x.
  void solve(double* x) const;

 private:
  double* row(Index i) { return rows_.data() + i * k_; }
  const double* row(Index i) const { return rows_.data() + i * k_; }

  const std::vector<double>& normal_;
  Index k_;
  double smallest_pivot_;
  std::vector<double> rows_;  // of L, in the order of components_
  std::vector<Index> components_;
};

}  // namespace gemmine::cpu
