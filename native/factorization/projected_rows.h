#pragma once

#include <memory>
#include <optional>

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// The rows of X in the coordinates of a basis V that spans nearly its leading right singular
// vectors: Z = X V. A factorization Z ≈ W G, with G of any sign, gives X ≈ W (G Vᵀ). One step of
// subspace iteration, Halko, Martinsson & Tropp (2011), "Finding structure with randomness", SIAM
// Review 53(2), algorithm 4.3 with q = 1 and without its last image.
class ProjectedRows {
 public:
  ProjectedRows(const Input& input, Index width, std::uint64_t seed);
  ProjectedRows(const ProjectedRows&) = delete;  // its input has a reference to it

  const Input& input() const { return *input_; }  // Z [n×width] as a separate X
  Index width() const { return basis_.view().cols; }
  // ‖X‖² − ‖Z‖², which no factorization of Z explains.
  double lost() const { return lost_; }
  // Ht [d×k] = V·Gt, for Gt [width×k].
  void lift(BackendView<const float> Gt, BackendView<float> Ht) const;

 private:
  Passes& backend_;
  const Job& job_;
  BackendMatrix basis_;     // V [d×width], orthonormal columns
  HostMatrix<float> rows_;  // Z
  std::unique_ptr<RowSource> source_;
  std::optional<Input> input_;
  double lost_;
};

}  // namespace gemmine
