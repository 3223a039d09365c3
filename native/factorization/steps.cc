#include "factorization/steps.h"

namespace gemmine {

void nonnegative_hals(Backend& backend, BackendView<const float> cross, const NormalMatrix& normal,
                      const StepOptions& options, BackendView<float> factor) {
  backend.nonnegative_sweep(cross, normal, options, factor);
}

void multiplicative(Backend& backend, BackendView<const float> cross, const NormalMatrix& normal,
                    const StepOptions& options, BackendView<float> factor) {
  backend.multiplicative_update(cross, normal, options, factor);
}

void sign_split(Backend& backend, BackendView<const float> cross, const NormalMatrix& normal,
                const StepOptions& options, BackendView<float> factor) {
  backend.sign_split_update(cross, normal, options, factor);
}

void least_squares(Backend& backend, BackendView<const float> cross, const NormalMatrix& normal,
                   const StepOptions& options, BackendView<float> factor) {
  if (options.l1 > 0)
    backend.signed_sweep(cross, normal, options, factor);
  else
    backend.solve_normal(cross, normal, factor);
}

void nearest(Backend& backend, BackendView<const float> cross, const NormalMatrix& normal,
             const StepOptions&, BackendView<float> factor) {
  backend.nearest_component(cross, normal, factor);
}

void product(Backend& backend, BackendView<const float> cross, const NormalMatrix&,
             const StepOptions&, BackendView<float> factor) {
  backend.copy(cross, factor);
}

}  // namespace gemmine
