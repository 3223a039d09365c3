#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// Fills W [n×k] and Ht [d×k] for the scaled X, in units of the scaled factors, without zeros that
// the solver could not leave. Returns the estimated share of ‖X‖² that the start leaves, 1 if
// unknown.
double start_factors(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht);

double start_random(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_kmeans(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_svd(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_nndsvd(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
// H with orthonormal rows from `svd` or `random`, and the W that fits it.
double start_orthonormal(const Input&, const FitOptions&, BackendView<float> W,
                         BackendView<float> Ht);

// Starts from the caller's factors, checked and scaled; a missing factor is computed from the other
// by the model's step.
void start_given(const Input&, const FitOptions&, const Exponents&, const Penalties&,
                 BackendView<float> W, BackendView<float> Ht);

// Rescales each component, W_j·a and H_j/a, to minimise the sum of the penalties on both factors.
// The product is unchanged. Alternating steps converge slowly to this balance, so they start from
// it.
void balance(const Input& input, const Penalties& penalties, BackendView<float> W,
             BackendView<float> Ht);

// Brings the factors below their upper bounds: each component by W_j/a and H_j·a, which leaves the
// product, then entry by entry where no `a` serves both.
void keep_below(const Input& input, const Penalties& bounds, BackendView<float> W,
                BackendView<float> Ht);

}  // namespace gemmine
