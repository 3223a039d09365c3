#pragma once

#include <memory>

#include "factorization/loop/state.h"
#include "factorization/model.h"
#include "factorization/row_sample.h"

namespace gemmine {

// For each component, whether W_j H_j is below the resolution of float32.
std::vector<bool> dead_components(const std::vector<double>& row_gram,
                                  const std::vector<double>& column_gram, double squared_norm);

// Gives components that stay dead a new H_j: the residual of the worst-fitted row, from which the
// next sweep over W can start. The objective is unchanged.
class Reseeding {
 public:
  // No entry of Ht exceeds `upper`.
  Reseeding(const Input& input, const ModelRule& rule, double upper, std::uint64_t seed)
      : input_(input), rule_(rule), upper_(upper), seed_(seed) {}

  // Called after an iteration with its WᵀW and HtᵀHt [k×k]. Returns whether W or Ht changed.
  bool reseed(LoopState& state, const std::vector<double>& row_gram,
              const std::vector<double>& column_gram, BackendView<float> W, BackendView<float> Ht);

 private:
  const Input& input_;
  const ModelRule& rule_;
  double upper_;
  std::uint64_t seed_;
  std::unique_ptr<RowSample> sample_;
};

}  // namespace gemmine
