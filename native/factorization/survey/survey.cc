#include "factorization/survey/survey.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "backend/perturbed_source.h"
#include "factorization/factors.h"
#include "factorization/random_streams.h"
#include "factorization/survey/stability.h"

namespace gemmine {
namespace {

// Different seeds of the survey, or restarts, have unrelated noise and starts.
std::uint64_t seed_of(std::uint64_t seed, Index restart) {
  return CounterRandom(seed, survey_restart).bits(static_cast<std::uint64_t>(restart), 0);
}

double log_mean_square(const SourceNorm& norm) {
  if (norm.squared_norm == 0) return -std::numeric_limits<double>::infinity();
  return std::log(norm.squared_norm / norm.count) + 2 * norm.exponent * std::numbers::ln2;
}

// Components of the magnitude of X, so that their codes are near 1, but above the subnormal
// numbers of float32, which have few digits.
constexpr int lowest_of_consensus = -100;

}  // namespace

Survey survey(Passes& backend, const RowSource& X, const FitOptions& options,
              const SurveyOptions& asked, HostView<float> consensus, const Job& job) {
  const SourceNorm norm = backend.examine(examined(X, options), job);
  const Index k = consensus.rows;
  HostMatrix<float> W(X.rows(), k);
  HostMatrix<float> components(asked.restarts * k, X.cols());
  const Job quiet = job.quietly();

  Survey result{.silhouettes = {},
                .relative_errors = {},
                .iterations = 0,
                .entries = norm.count,
                .log_mean_square = log_mean_square(norm)};
  FitOptions of_restart = options;
  Index best = 0;
  double lowest = 0;
  for (Index r = 0; r < asked.restarts; ++r) {
    job.progress("restart", r, asked.restarts);
    of_restart.seed = seed_of(options.seed, r);
    const Noise noise = {.amplitude = asked.amplitude, .seed = of_restart.seed};
    const auto noisy = asked.copies ? perturbed_copy(X, noise, job) : perturbed_source(X, noise);
    const Convergence run =
        fit(backend, *noisy, of_restart, W.view(), components.view().row_block(r * k, k), quiet);
    result.relative_errors.push_back(run.relative_error);
    result.iterations += run.iterations;
    if (r == 0 || run.objective.back() < lowest) {
      best = r;
      lowest = run.objective.back();
    }
  }
  job.progress("restart", asked.restarts, asked.restarts);

  const Stability stability = stability_of(components.view(), asked.restarts, best, job);
  const double scale = std::ldexp(1.0, std::max(norm.exponent, lowest_of_consensus));
  for (Index j = 0; j < k; ++j)
    for (Index t = 0; t < consensus.cols; ++t)
      consensus(j, t) = static_cast<float>(scale * stability.centroids(j, t));
  result.silhouettes = stability.silhouettes;
  return result;
}

}  // namespace gemmine
