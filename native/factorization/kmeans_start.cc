#include <algorithm>
#include <optional>

#include "factorization/clustering.h"
#include "factorization/loop/alternate.h"
#include "factorization/sizes.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

// Added to every entry of the indicator, because multiplicative steps cannot change zeros. Ding, Li
// & Jordan (2010), section 2.2.
constexpr float indicator_shift = 0.2f;

// Sweeps of W towards the codes for a fixed Ht, in one read of X; `sums` become those of the new W.
void code_rows(const Input& input, BackendView<const float> Ht, Index sweeps, BackendView<float> W,
               Sums& sums) {
  const NormalMatrix normal(input.backend.gram(Ht, input.job), Ht.cols, 0, false);
  input.read(Ht, normal, step_of(StepKind::nonnegative_sweep, 0, 0, sweeps), W, Measure::none,
             sums);
}

// The H that fits the W of these sums. Where the sums do not determine it, it stays as in `before`.
void fit_columns(const Input& input, Model model, const Sums& sums, BackendView<const float> before,
                 BackendView<float> Ht) {
  input.backend.copy(before, Ht);
  const bool semi = sign_of(model) == EntrySign::any;
  const NormalMatrix normal(sums.gram, Ht.cols, 0, semi);
  constexpr Index sweeps = 20;
  const std::vector<double> no_pull(static_cast<std::size_t>(Ht.cols));
  input.backend.improve(step_of(semi ? StepKind::solve : StepKind::nonnegative_sweep, 0, 0, sweeps),
                        sums, normal, no_pull, Ht, input.job);
}

// The indicator of k-means, + 0.2, and the H that fits it. HALS first takes two sweeps for the
// centres as H: an indicator is far from the best codes, and this read of X moves it halfway. (More
// sweeps give a better fit at first, but components that are more alike, so later iterations are
// slower.)
void start_from_clusters(const Input& input, const FitOptions& options,
                         const Clustering& clustering, BackendView<float> W,
                         BackendView<float> Ht) {
  input.backend.indicate(clustering.assigned().labels, indicator_shift, W, input.job);
  const HostMatrix<float> on_host = clustering.Ht();
  const BackendMatrix centers(input.backend, Ht.rows, Ht.cols);
  input.backend.upload(on_host.view(), centers.view());
  const auto sums = input.backend.make_sums(Ht.rows, Ht.cols);
  if (options.solver == Solver::hals) {
    code_rows(input, centers.view(), 2, W, *sums);
  } else {
    input.form_sums(W, *sums);
  }
  fit_columns(input, options.model, *sums, centers.view(), Ht);
}

// A few rows are enough for most of the progress to a good H: factorize a sample, started from its
// clusters, then compute the codes of all rows for its H. See docs/decisions/0009.
constexpr Index iterations_on_sample = 10;
constexpr Index sweeps_of_all_rows = 4;

// Limits for a representative sample: its rows have about the norms of all rows, and all rows fit
// nearly as well.
constexpr double largest_ratio_of_norms = 1.25;
constexpr double largest_ratio_of_errors = 1.5;

bool alike(double a, double b) {
  return a <= largest_ratio_of_norms * b && b <= largest_ratio_of_norms * a;
}

// The share of ‖X‖² that this start leaves; none if the sample is not representative.
std::optional<double> start_from_sample(const Input& input, const FitOptions& options,
                                        BackendView<float> W, BackendView<float> Ht) {
  Passes& backend = input.backend;
  const Index k = W.cols;
  SampleClusters clusters = cluster_sample(input, k, options.seed);
  clusters.clustering.assign();
  const Input& sample = clusters.clustering.input();
  const double rows = static_cast<double>(input.rows()) / static_cast<double>(sample.rows());
  if (!(sample.squared_norm > 0) || !alike(rows * sample.squared_norm, input.squared_norm))
    return std::nullopt;
  const BackendMatrix codes(backend, sample.rows(), k);
  start_from_clusters(sample, options, clusters.clustering, codes.view(), Ht);
  LoopState state = start_state(Ht.rows, k, {}, 1);
  const CheckpointOptions nowhere{.path = "", .seconds = 0, .metadata = ""};
  Checkpoints checkpoints(sample, nowhere);
  const Alternated run = alternate(sample, rule_for(options.model, options.solver),
                                   {.max_iterations = iterations_on_sample,
                                    .tolerance = 0,
                                    .inner_sweeps = options.inner_sweeps,
                                    .extrapolated = false,
                                    .penalties = {},
                                    .objective_exponent = 0,
                                    .seed = options.seed},
                                   checkpoints, nullptr, state, codes.view(), Ht);

  const std::vector<double> zeros(static_cast<std::size_t>(k));
  backend.scale_columns(zeros, W, input.job);
  backend.shift(indicator_shift, W, input.job);
  const auto sums = backend.make_sums(Ht.rows, k);
  code_rows(input, Ht, sweeps_of_all_rows, W, *sums);
  const BackendMatrix before(backend, Ht.rows, k);
  backend.copy(Ht, before.view());
  fit_columns(input, options.model, *sums, before.view(), Ht);
  const double expected = run.squared_error / sample.squared_norm;
  const double share =
      identity_error(input, *sums, Ht, backend.gram(Ht, input.job)) / input.squared_norm;
  if (!(share > 0 && share <= largest_ratio_of_errors * expected)) return std::nullopt;
  return share;
}

}  // namespace

double start_kmeans(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  if (options.solver == Solver::hals && sample_is_small(input.rows(), W.cols))
    if (const auto share = start_from_sample(input, options, W, Ht)) return *share;
  const SampleClusters of_sample = cluster_sample(input, W.cols, options.seed);
  Clustering clustering(input, of_sample.clustering.centers());
  clustering.run({.max_iterations = 1, .tolerance = 1e-2, .phase = "initialise"});
  clustering.assign();
  start_from_clusters(input, options, clustering, W, Ht);
  return input.squared_norm > 0 ? clustering.assigned().inertia / input.squared_norm : 1;
}

}  // namespace gemmine
