#pragma once

#include "factorization/fit.h"

namespace gemmine {

struct SurveyOptions {
  Index restarts;    // >= 2
  double amplitude;  // of the noise of each restart, see Noise
  bool copies;       // one copy of X, to compute its noise once for each restart; same bits
};

// Factorizations of one rank that differ in their noise and their start.
struct Survey {
  std::vector<double> silhouettes;      // [k], of each component over the restarts
  std::vector<double> relative_errors;  // [restarts], of X with its noise
  Index iterations;                     // of all restarts
  double entries;                       // number of entries of X that count
  double log_mean_square;               // ln(‖X‖² / entries); −∞ if X is zero
};

// Fits X with the noise of each restart, by `options` except its seed, and aligns the components.
// `consensus` [k×d] become the centroids, all of the magnitude of X, from which it can be fitted.
// docs/math/select-rank.md.
Survey survey(Passes& backend, const RowSource& X, const FitOptions& options,
              const SurveyOptions& asked, HostView<float> consensus, const Job& job);

}  // namespace gemmine
