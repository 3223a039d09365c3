#include "factorization/hull_start.h"

#include "factorization/chosen_rows.h"
#include "factorization/clustering.h"
#include "factorization/codes.h"
#include "factorization/loop/objective.h"

namespace gemmine {
namespace {

// Enough sweeps for codes to fit the first components.
constexpr Index sweeps_of_start = 32;

void set_all(const Input& input, double value, BackendView<float> factor) {
  const std::vector<double> zeros(static_cast<std::size_t>(factor.cols));
  input.backend.scale_columns(zeros, factor, input.job);
  input.backend.shift(value, factor, input.job);
}

// B_ij = 1 for row i = rows[j].
void combine_single_rows(const Input& input, const std::vector<Index>& rows,
                         BackendView<float> combinations) {
  set_all(input, 0, combinations);
  const Index k = combinations.cols;
  for (Index j = 0; j < k; ++j) {
    std::vector<float> row(static_cast<std::size_t>(k));
    for (Index l = 0; l < k; ++l) row[l] = rows[l] == rows[j] ? 1.0f : 0.0f;
    input.backend.upload(HostView<const float>{row.data(), 1, k, k},
                         combinations.row_block(rows[j], 1));
  }
}

// Means of clusters. One without rows becomes a row that is drawn.
void start_from_means(const Input& input, std::uint64_t seed, BackendView<float> combinations,
                      BackendView<float> Ht) {
  const Index k = Ht.cols;
  const SampleClusters of_sample = cluster_sample(sample_of(input, k, seed), k, seed);
  Clustering clustering(input, of_sample.clustering.centers());
  clustering.run({.max_iterations = 1, .tolerance = 1e-2, .phase = "initialise"});
  clustering.assign();
  const Assigned& assigned = clustering.assigned();
  input.backend.indicate(assigned.labels, 0, combinations, input.job);
  const std::vector<Index> drawn = drawn_rows(input.rows(), k, seed);
  std::vector<double> inverses(static_cast<std::size_t>(k));
  for (Index j = 0; j < k; ++j) {
    inverses[j] = assigned.masses[j] > 0 ? 1 / assigned.masses[j] : 1;
    if (assigned.masses[j] > 0) continue;
    std::vector<float> row(static_cast<std::size_t>(k));
    row[j] = 1;
    row[assigned.labels[drawn[j]]] = 1;
    input.backend.upload(HostView<const float>{row.data(), 1, k, k},
                         combinations.row_block(drawn[j], 1));
  }
  input.backend.scale_columns(inverses, combinations, input.job);
  const auto sums = input.backend.make_sums(Ht.rows, k);
  input.form_sums(combinations, *sums);
  copy_sums(input, *sums, Ht);
}

std::vector<Index> rows_of(const Input& input, const FitOptions& options, Index k) {
  switch (options.start) {
    case Start::spa:
      return successive_projections(input, k, options.hull.normalised);
    case Start::furthest_sum:
      return furthest_rows(input, k, options.seed);
    default:
      return drawn_rows(input.rows(), k, options.seed);
  }
}

}  // namespace

std::vector<Index> start_from_rows(const Input& input, const FitOptions& options,
                                   const ModelRule& rule, BackendView<float> combinations,
                                   BackendView<float> W, BackendView<float> Ht) {
  std::vector<Index> rows;
  if (options.start == Start::kmeans) {
    start_from_means(input, options.seed, combinations, Ht);
  } else {
    rows = rows_of(input, options, Ht.cols);
    copy_rows_to_columns(input, rows, Ht);
    if (combinations.data != nullptr) combine_single_rows(input, rows, combinations);
  }
  if (rule.components == Components::rows) return rows;
  code_from_middle(input, rule, sweeps_of_start, Ht, W);
  return {};
}

void code_from_middle(const Input& input, const ModelRule& rule, Index sweeps,
                      BackendView<const float> Ht, BackendView<float> W) {
  set_all(input, 1.0 / static_cast<double>(W.cols), W);
  const NormalMatrix normal(input.backend.gram(Ht, input.job), W.cols, 0, false);
  input.improve(Ht, normal, step_of(rule.row_step, 0, 0, sweeps), W);
}

Alternated code_rows_of_X(const Input& input, LoopState& state, BackendView<float> W,
                          BackendView<const float> Ht) {
  solve_codes(input, {}, Ht, W);
  state.row_gram = input.gram_of_W(W);
  state.converged = true;
  const double squared_error = input.squared_error(W, Ht);
  objective::set(state, 0, squared_error, true);
  return {.squared_error = squared_error};
}

void hand_back_combinations(Passes& backend, BackendView<const float> B, HostView<float> A) {
  if (B.data == nullptr || A.data == nullptr) return;
  const HostMatrix<float> columns = downloaded(backend, B);
  for (Index i = 0; i < B.rows; ++i)
    for (Index j = 0; j < B.cols; ++j) A(j, i) = columns(i, j);
}

std::optional<VolumeOptions> volume_of(const Input& input, const HullOptions& options) {
  if (options.volume == 0 || input.squared_norm == 0) return std::nullopt;
  const double unit = input.squared_norm / static_cast<double>(input.rows());
  return VolumeOptions{.share = options.volume, .offset = options.volume_offset * unit};
}

namespace {

ModelRule with_sums(ModelRule rule, bool at_most_one) {
  if (at_most_one && rule.sums_rows()) rule.row_step = StepKind::capped_simplex;
  return rule;
}

}  // namespace

ModelRule rule_of(const FitOptions& options) {
  return with_sums(rule_for(options.model, options.solver), options.hull.at_most_one);
}

ModelRule rule_of(const TransformOptions& options) {
  for (const ModelRule* rule : model_rules)
    if (rule->model == options.model) return with_sums(*rule, options.at_most_one);
  expect(false, "the model has a solver");
  return {};
}

}  // namespace gemmine
