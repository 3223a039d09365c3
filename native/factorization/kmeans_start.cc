#include <algorithm>
#include <optional>

#include "factorization/clustering.h"
#include "factorization/loop/alternate.h"
#include "factorization/projected_rows.h"
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
constexpr Index sweeps_after_sample = 4;

// An H of any sign can be found in a few columns: docs/decisions/0027. The projection pays if it
// leaves so many times fewer entries.
constexpr double columns_per_component = 2.4;
constexpr Index iterations_on_projected = 10;
constexpr Index sweeps_after_projected = 8;
constexpr double least_reduction = 5;

// Limits for a representative sample: its rows have about the norms of all rows, and all rows fit
// nearly as well.
constexpr double largest_ratio_of_norms = 1.25;
constexpr double largest_ratio_of_errors = 1.5;

bool alike(double a, double b) {
  return a <= largest_ratio_of_norms * b && b <= largest_ratio_of_norms * a;
}

// Factorizes rows from their clusters; Ht is that of the last iteration. Returns the squared error.
double factorize(const SampleClusters& clusters, const FitOptions& options, Index iterations,
                 BackendView<float> Ht) {
  const Input& rows = clusters.clustering.input();
  const BackendMatrix codes(rows.backend, rows.rows(), Ht.cols);
  start_from_clusters(rows, options, clusters.clustering, codes.view(), Ht);
  LoopState state = start_state(Ht.rows, Ht.cols, {}, 1);
  const CheckpointOptions nowhere{.path = "", .seconds = 0, .metadata = ""};
  Checkpoints checkpoints(rows, nowhere);
  return alternate(rows, rule_for(options.model, options.solver),
                   {.max_iterations = iterations,
                    .tolerance = 0,
                    .inner_sweeps = options.inner_sweeps,
                    .extrapolated = false,
                    .penalties = {},
                    .objective_exponent = 0,
                    .seed = options.seed},
                   checkpoints, nullptr, state, codes.view(), Ht)
      .squared_error;
}

using Sample = std::shared_ptr<const RowSample>;

// The same from the clusters of a sample.
double factorize(const Sample& sample, const FitOptions& options, Index iterations,
                 BackendView<float> Ht) {
  SampleClusters clusters = cluster_sample(sample, Ht.cols, options.seed);
  clusters.clustering.assign();
  return factorize(clusters, options, iterations, Ht);
}

Index projected_width(Index k) {
  return static_cast<Index>(columns_per_component * static_cast<double>(k)) + 1;
}

bool pays_to_project(const Input& sample, const FitOptions& options, Index k) {
  const double entries = sample.X.sparse() ? static_cast<double>(sample.X.nonzeros())
                                           : static_cast<double>(sample.rows() * sample.cols());
  const double projected = static_cast<double>(sample.rows() * projected_width(k));
  return sign_of(options.model) == EntrySign::any && entries >= least_reduction * projected;
}

struct SampleFit {
  double share;  // of the sample's squared norm, which the factorization leaves
  Index sweeps;  // for the codes of all rows
};

SampleFit factorize_sample(const Sample& sample, const FitOptions& options, BackendView<float> Ht) {
  const Input& rows = sample->input();
  if (!pays_to_project(rows, options, Ht.cols))
    return {.share = factorize(sample, options, iterations_on_sample, Ht) / rows.squared_norm,
            .sweeps = sweeps_after_sample};
  const ProjectedRows projected(rows, projected_width(Ht.cols), options.seed);
  const BackendMatrix Gt(rows.backend, projected.width(), Ht.cols);
  const double error = factorize(sample_of(projected.input(), Ht.cols, options.seed), options,
                                 iterations_on_projected, Gt.view());
  projected.lift(Gt.view(), Ht);
  return {.share = (error + projected.lost()) / rows.squared_norm,
          .sweeps = sweeps_after_projected};
}

// The share of ‖X‖² that this start leaves; none if the sample is not representative.
std::optional<double> start_from_sample(const Input& input, const FitOptions& options,
                                        BackendView<float> W, BackendView<float> Ht) {
  Passes& backend = input.backend;
  const Index k = W.cols;
  const auto rows = sample_of(input, k, options.seed);
  const Input& sample = rows->input();
  const double times = static_cast<double>(input.rows()) / static_cast<double>(sample.rows());
  if (!(sample.squared_norm > 0) || !alike(times * sample.squared_norm, input.squared_norm))
    return std::nullopt;
  const SampleFit of_sample = factorize_sample(rows, options, Ht);

  const std::vector<double> zeros(static_cast<std::size_t>(k));
  backend.scale_columns(zeros, W, input.job);
  backend.shift(indicator_shift, W, input.job);
  const auto sums = backend.make_sums(Ht.rows, k);
  code_rows(input, Ht, of_sample.sweeps, W, *sums);
  const BackendMatrix before(backend, Ht.rows, k);
  backend.copy(Ht, before.view());
  fit_columns(input, options.model, *sums, before.view(), Ht);
  const double share =
      identity_error(input, *sums, Ht, backend.gram(Ht, input.job)) / input.squared_norm;
  if (!(share > 0 && share <= largest_ratio_of_errors * of_sample.share)) return std::nullopt;
  return share;
}

}  // namespace

double start_kmeans(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  if (options.solver == Solver::hals && sample_is_small(input.rows(), W.cols))
    if (const auto share = start_from_sample(input, options, W, Ht)) return *share;
  const SampleClusters of_sample =
      cluster_sample(sample_of(input, W.cols, options.seed), W.cols, options.seed);
  Clustering clustering(input, of_sample.clustering.centers());
  clustering.run({.max_iterations = 1, .tolerance = 1e-2, .phase = "initialise"});
  clustering.assign();
  start_from_clusters(input, options, clustering, W, Ht);
  return input.squared_norm > 0 ? clustering.assigned().inertia / input.squared_norm : 1;
}

}  // namespace gemmine
