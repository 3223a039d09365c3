#include "factorization/survey/held_out.h"

#include <cmath>
#include <limits>

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/model.h"

namespace gemmine {

HeldOut held_out_error(Passes& backend, const RowSource& X, const FitOptions& options, Index k,
                       const Job& job, SharedReads* shared) {
  HostMatrix<float> W(X.rows(), k);
  HostMatrix<float> H(k, X.cols());
  const Convergence run =
      fit(backend, X, options, W.view(), H.view(), job, single_process(), shared);

  FitOptions others = options;
  others.mask.only_held_out = true;
  const Examined entries = examined(X, others);
  const SourceNorm norm = backend.examine(entries, job);
  if (norm.weight == 0)
    return {.error = std::numeric_limits<double>::quiet_NaN(), .iterations = run.iterations};
  const ScaledInput scaled(backend, entries, job, options.loss, single_process(), shared);
  const Input& input = *scaled;
  const BackendMatrix on_device_W(backend, W.rows(), k);
  const BackendMatrix on_device_Ht(backend, X.cols(), k);
  backend.upload(W.view(), on_device_W.view());
  HostMatrix<float> Ht(X.cols(), k);
  for (Index t = 0; t < X.cols(); ++t)
    for (Index j = 0; j < k; ++j) Ht(t, j) = std::ldexp(H(j, t), -scaled.exponent());
  backend.upload(Ht.view(), on_device_Ht.view());
  const NormalMatrix normal(backend.gram(on_device_Ht.view(), job), k, 0, false);
  const auto sums = backend.make_sums(0, k);
  input.pass({.Ht = on_device_Ht.view(),
              .normal = normal,
              .step = std::nullopt,
              .W = on_device_W.view(),
              .measure = Measure::divergence,
              .accumulate = false,
              .sums = *sums,
              .mask = input.mask,
              // Else entries of the model below 0 would count as 0.
              .own_normals = sign_of(options.model) == EntrySign::any},
             by_entry(input.loss));
  const double scale = std::exp2(degree_of(options.loss) * scaled.exponent());
  return {.error = scale * sums->incoming_divergence / norm.weight, .iterations = run.iterations};
}

}  // namespace gemmine
