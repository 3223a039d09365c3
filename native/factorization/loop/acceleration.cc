#include "factorization/loop/acceleration.h"

#include <algorithm>

namespace gemmine {
namespace {

// Ang & Gillis, section 3.2.
constexpr double shrink = 1.5;            // η
constexpr double growth = 1.01;           // γ
constexpr double growth_of_most = 1.005;  // γ̄

}  // namespace

Acceleration::Acceleration(const Input& input, LoopState& state, const ModelRule& rule,
                           const Penalties& penalties, BackendView<const float> W,
                           BackendView<const float> Ht)
    : input_(input),
      state_(state),
      penalties_(penalties),
      row_kind_(rule.leaves_zeros ? Extrapolation::nonnegative : Extrapolation::growth),
      column_kind_(rule.columns_free ? Extrapolation::free : row_kind_),
      previous_W_(input.backend, W.rows, W.cols),
      previous_Ht_(input.backend, Ht.rows, Ht.cols) {
  forget(W, Ht);
}

void Acceleration::resume(const HostMatrix<float>& previous_W,
                          const HostMatrix<float>& previous_Ht) {
  input_.backend.upload(previous_W.view(), previous_W_.view());
  input_.backend.upload(previous_Ht.view(), previous_Ht_.view());
}

Extrapolated Acceleration::of_rows() {
  return {.share = state_.extrapolation,
          .kind = row_kind_,
          .previous = previous_W_.view(),
          .upper = penalties_.upper_w};
}

Extrapolated Acceleration::of_columns() {
  return {.share = state_.extrapolation,
          .kind = column_kind_,
          .previous = previous_Ht_.view(),
          .upper = penalties_.upper_h};
}

Extrapolated Acceleration::move_columns(BackendView<float> Ht) {
  input_.backend.extrapolate(of_columns(), Ht, input_.job);
  return of_rows();
}

void Acceleration::accept() {
  state_.extrapolation = std::min(state_.most_extrapolation, growth * state_.extrapolation);
  state_.most_extrapolation = std::min(1.0, growth_of_most * state_.most_extrapolation);
}

void Acceleration::reject(BackendView<const float> W, BackendView<const float> Ht) {
  state_.most_extrapolation = state_.extrapolation;
  state_.extrapolation /= shrink;
  forget(W, Ht);
}

void Acceleration::forget(BackendView<const float> W, BackendView<const float> Ht) {
  input_.backend.copy(W, previous_W_.view());
  input_.backend.copy(Ht, previous_Ht_.view());
}

}  // namespace gemmine
