#pragma once

#include <span>

#include "factorization/fit.h"

namespace gemmine {

struct SurveyOptions {
  Index restarts;    // >= 2
  double amplitude;  // of the noise of each restart, see Noise
  bool copies;    // a copy of X with the noise of each restart, one after the other; else those at
                  // once read X together; same bits
  Index at_once;  // number of factorizations that exist at the same time, >= 1
};

// A rank that is surveyed.
struct AskedRank {
  FitOptions fit;                      // the seed is that of the survey
  std::optional<FitOptions> held_out;  // a fit without a share of the entries, mask.held_out
  HostView<float> consensus;  // [k×d], becomes the centroids, all of the magnitude of X, from which
                              // it can be fitted
  HostView<float> components;  // [restarts·k × d], become the H of one restart after the other

  bool holds_out() const { return held_out.has_value(); }
};

// Factorizations of one rank that differ in their noise and their start.
struct Survey {
  std::vector<double> silhouettes;      // [k], of each component over the restarts
  std::vector<double> relative_errors;  // [restarts], of X with its noise
  std::vector<double> held_out_errors;  // [restarts], of entries that the fit did not see; or empty
  Index iterations;                     // of all restarts
  double entries;                       // number of entries of X that count
  double log_mean_square;               // ln(‖X‖² / entries); −∞ if X is zero
};

// Fits X with the noise of each restart, by the options of each rank except the seed, and aligns
// the components. docs/math/select-rank.md.
std::vector<Survey> survey(Passes& backend, const RowSource& X, std::span<const AskedRank> ranks,
                           const SurveyOptions& options, const Job& job);

}  // namespace gemmine
