#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// λ·tr(Wᵀ(D − A)W) = λ/2·Σ_ij A_ij ‖w_i − w_j‖² of a symmetric A >= 0 [n×n] with row sums D: codes
// of neighbours are alike. Cai, He, Han & Huang (2011), "Graph regularized nonnegative matrix
// factorization for data representation", TPAMI 33(8).
class GraphTerm {
 public:
  // `weight` is the weight for the scaled W. Throws InvalidEntry if A is not symmetric or has a
  // negative entry.
  GraphTerm(Passes& device, const RowSource& adjacency, double weight, Index k, const Job& job);

  // Reads A and forms A·W; the functions below refer to this W.
  void follow(BackendView<const float> W, const Job& job);
  // λAW and λD, for multiplicative steps.
  RowAddend addend() const;
  double penalty(BackendView<const float> W, const Job& job) const;

 private:
  const ScaledInput adjacency_;
  double weight_;
  BackendMatrix neighbours_;  // A·W [n×k]
  BackendMatrix degrees_;     // D [n×1]
};

// `times`: the ratio of a step's numerators to the slope of ½‖X − WH‖².
inline std::optional<RowAddend> addend_of(const GraphTerm* graph, double times = 1) {
  if (graph == nullptr) return std::nullopt;
  RowAddend addend = graph->addend();
  addend.weight *= times;
  return addend;
}

}  // namespace gemmine
