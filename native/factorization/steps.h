#pragma once

#include "backend/backend.h"

namespace gemmine {

// Steps as plain functions; see Step. Each treats rows independently and is one block operation.
using StepFunction = void (*)(Backend&, BackendView<const float> cross, const NormalMatrix&,
                              const StepOptions&, BackendView<float> factor);

void nonnegative_hals(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
                      BackendView<float>);
void multiplicative(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
                    BackendView<float>);
void sign_split(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
                BackendView<float>);
// Needs a solvable normal matrix. With l1 > 0 the problem has no closed form: soft-threshold
// sweeps.
void least_squares(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
                   BackendView<float>);
void nearest(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
             BackendView<float>);
// factor = X·other.
void product(Backend&, BackendView<const float>, const NormalMatrix&, const StepOptions&,
             BackendView<float>);

}  // namespace gemmine
