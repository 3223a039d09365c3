#pragma once

#include <array>

#include "backend/passes.h"
#include "core/error.h"
#include "core/named.h"

namespace gemmine {

enum class Model {
  semi_nmf,
  nmf,
  semi_orthogonal_nmf,
  snmf,
  separable_nmf,
  convex_nmf,
  archetypal_analysis,
  min_volume_nmf,
  dictionary_learning,
  orthogonal_nmf
};
inline constexpr std::array<Named<Model>, 10> model_names{
    {{"semi-nmf", Model::semi_nmf},
     {"nmf", Model::nmf},
     {"semi-orthogonal-nmf", Model::semi_orthogonal_nmf},
     {"snmf", Model::snmf},
     {"separable-nmf", Model::separable_nmf},
     {"convex-nmf", Model::convex_nmf},
     {"archetypal-analysis", Model::archetypal_analysis},
     {"min-volume-nmf", Model::min_volume_nmf},
     {"dictionary-learning", Model::dictionary_learning},
     {"orthogonal-nmf", Model::orthogonal_nmf}}};

enum class Solver { hals, mu, cayley, anls_bpp, projected_gradient, spa, alt_onmf };
inline constexpr std::array<Named<Solver>, 7> solver_names{
    {{"hals", Solver::hals},
     {"mu", Solver::mu},
     {"cayley", Solver::cayley},
     {"anls-bpp", Solver::anls_bpp},
     {"projected-gradient", Solver::projected_gradient},
     {"spa", Solver::spa},
     {"alt-onmf", Solver::alt_onmf}}};

// What the rows of H are.
enum class Components {
  any,           // computed by the column step
  rows,          // rows of X
  combinations,  // A·X with A >= 0
};

// A factorization is a row of the table below: its steps, and properties that the loop relies on.
struct ModelRule {
  Model model;
  Solver solver;
  StepKind row_step;
  StepKind column_step;
  bool columns_free;  // H may be negative
  bool leaves_zeros;  // the row step can raise an entry of W that is 0
  bool monotone;      // no iteration raises the objective; else columns go first, and the best pair
                      // stays
  bool orthonormal;   // the rows of H are orthonormal, so W takes the scale
  Components components = Components::any;
  bool unit_ball = false;      // the rows of H have length 1 at most, so W takes the scale
  bool one_component = false;  // a row of W has one entry above 0 at most; columns of W come back
                               // with length 1

  // Whether the scale is that of W, because H has one of its own.
  bool fixes_columns() const { return orthonormal || unit_ball; }

  // Whether the rows of W sum to 1 (or at most 1), so that H takes the scale.
  bool sums_rows() const {
    return row_step == StepKind::simplex || row_step == StepKind::capped_simplex;
  }
  // Whether the column step needs a factorized normal matrix.
  bool solves() const { return column_step == StepKind::solve; }
};

// Gillis & Kumar (2015), "Exact and heuristic algorithms for semi-nonnegative matrix
// factorization", SIMAX 36(4), Algorithm 1: block coordinate descent over the columns of W, least
// squares for H. The sweep is over-relaxed: docs/decisions/0009.
inline constexpr ModelRule semi_nmf_hals{.model = Model::semi_nmf,
                                         .solver = Solver::hals,
                                         .row_step = StepKind::nonnegative_sweep,
                                         .column_step = StepKind::solve,
                                         .columns_free = true,
                                         .leaves_zeros = true,
                                         .monotone = true,
                                         .orthonormal = false};

// Ding, Li & Jordan (2010), "Convex and Semi-Nonnegative Matrix Factorizations", TPAMI 32(1),
// equations 10 (H) and 11 (W, with the square root that its monotonicity needs).
inline constexpr ModelRule semi_nmf_mu{.model = Model::semi_nmf,
                                       .solver = Solver::mu,
                                       .row_step = StepKind::sign_split,
                                       .column_step = StepKind::solve,
                                       .columns_free = true,
                                       .leaves_zeros = false,
                                       .monotone = true,
                                       .orthonormal = false};

// Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and tensor
// factorizations", IEICE E92-A(3): HALS without the normalisation inside a sweep, also
// over-relaxed.
inline constexpr ModelRule nmf_hals{.model = Model::nmf,
                                    .solver = Solver::hals,
                                    .row_step = StepKind::nonnegative_sweep,
                                    .column_step = StepKind::nonnegative_sweep,
                                    .columns_free = false,
                                    .leaves_zeros = true,
                                    .monotone = true,
                                    .orthonormal = false};

// Lee & Seung (2001), "Algorithms for non-negative matrix factorization", NIPS 13, theorem 1.
inline constexpr ModelRule nmf_mu{.model = Model::nmf,
                                  .solver = Solver::mu,
                                  .row_step = StepKind::multiplicative,
                                  .column_step = StepKind::multiplicative,
                                  .columns_free = false,
                                  .leaves_zeros = false,
                                  .monotone = true,
                                  .orthonormal = false};

// Kim & Park (2011), "Fast nonnegative matrix factorization: an active-set-like method and
// comparisons", SIAM J. Sci. Comput. 33(6): alternating non-negative least squares by block
// principal pivoting. docs/math/anls-bpp.md.
inline constexpr ModelRule nmf_anls_bpp{.model = Model::nmf,
                                        .solver = Solver::anls_bpp,
                                        .row_step = StepKind::nonnegative_solve,
                                        .column_step = StepKind::nonnegative_solve,
                                        .columns_free = false,
                                        .leaves_zeros = true,
                                        .monotone = true,
                                        .orthonormal = false};
inline constexpr ModelRule semi_nmf_anls_bpp{.model = Model::semi_nmf,
                                             .solver = Solver::anls_bpp,
                                             .row_step = StepKind::nonnegative_solve,
                                             .column_step = StepKind::solve,
                                             .columns_free = true,
                                             .leaves_zeros = true,
                                             .monotone = true,
                                             .orthonormal = false};

// Guan, Tao, Luo & Yuan (2012), "NeNMF: an optimal gradient method for nonnegative matrix
// factorization", IEEE Trans. Signal Processing 60(6). docs/math/projected-gradient.md.
inline constexpr ModelRule nmf_projected_gradient{.model = Model::nmf,
                                                  .solver = Solver::projected_gradient,
                                                  .row_step = StepKind::projected_gradient,
                                                  .column_step = StepKind::projected_gradient,
                                                  .columns_free = false,
                                                  .leaves_zeros = true,
                                                  .monotone = true,
                                                  .orthonormal = false};
inline constexpr ModelRule semi_nmf_projected_gradient{.model = Model::semi_nmf,
                                                       .solver = Solver::projected_gradient,
                                                       .row_step = StepKind::projected_gradient,
                                                       .column_step = StepKind::solve,
                                                       .columns_free = true,
                                                       .leaves_zeros = true,
                                                       .monotone = true,
                                                       .orthonormal = false};

// Li, Zhu, Qu, Ye & Sun, "Semi-orthogonal non-negative matrix factorization": W by its closed form,
// H along a Cayley curve. docs/math/semi-orthogonal-nmf.md.
inline constexpr ModelRule semi_orthogonal_nmf{.model = Model::semi_orthogonal_nmf,
                                               .solver = Solver::cayley,
                                               .row_step = StepKind::project,
                                               .column_step = StepKind::cayley,
                                               .columns_free = true,
                                               .leaves_zeros = true,
                                               .monotone = true,
                                               .orthonormal = true};

// Shafran, Geiger & Geva (2025), "Decomposing MLP Activations into Interpretable Features via
// Semi-Nonnegative Matrix Factorization", arXiv 2506.10920. docs/math/snmf.md.
inline constexpr ModelRule snmf_mu{.model = Model::snmf,
                                   .solver = Solver::mu,
                                   .row_step = StepKind::sign_split,
                                   .column_step = StepKind::solve,
                                   .columns_free = true,
                                   .leaves_zeros = false,
                                   .monotone = false,
                                   .orthonormal = false};

// Araújo et al. (2001), "The successive projections algorithm for variable selection in
// spectroscopic multicomponent analysis", Chemometrics 57; Gillis & Vavasis (2014), "Fast and
// robust recursive algorithms for separable nonnegative matrix factorization", IEEE TPAMI 36(4).
// docs/math/separable-nmf.md.
inline constexpr ModelRule separable_nmf{.model = Model::separable_nmf,
                                         .solver = Solver::spa,
                                         .row_step = StepKind::nonnegative_sweep,
                                         .column_step = StepKind::product,
                                         .columns_free = true,
                                         .leaves_zeros = true,
                                         .monotone = true,
                                         .orthonormal = false,
                                         .components = Components::rows};

// Ding, Li & Jordan (2010), section 3: H = A X. Steps of A: docs/math/convex-nmf.md.
inline constexpr ModelRule convex_nmf{.model = Model::convex_nmf,
                                      .solver = Solver::projected_gradient,
                                      .row_step = StepKind::nonnegative_sweep,
                                      .column_step = StepKind::product,
                                      .columns_free = true,
                                      .leaves_zeros = true,
                                      .monotone = true,
                                      .orthonormal = false,
                                      .components = Components::combinations};

// Cutler & Breiman (1994), "Archetypal analysis", Technometrics 36(4); Mørup & Hansen (2012),
// "Archetypal analysis for machine learning and data mining", Neurocomputing 80.
// docs/math/archetypal-analysis.md.
inline constexpr ModelRule archetypal_analysis{.model = Model::archetypal_analysis,
                                               .solver = Solver::projected_gradient,
                                               .row_step = StepKind::simplex,
                                               .column_step = StepKind::product,
                                               .columns_free = true,
                                               .leaves_zeros = true,
                                               .monotone = true,
                                               .orthonormal = false,
                                               .components = Components::combinations};

// Leplat, Ang & Gillis (2019), "Minimum-volume rank-deficient nonnegative matrix factorizations",
// ICASSP. docs/math/min-volume-nmf.md.
inline constexpr ModelRule min_volume_nmf{.model = Model::min_volume_nmf,
                                          .solver = Solver::hals,
                                          .row_step = StepKind::simplex,
                                          .column_step = StepKind::nonnegative_sweep,
                                          .columns_free = false,
                                          .leaves_zeros = true,
                                          .monotone = true,
                                          .orthonormal = false};

// Mairal, Bach, Ponce & Sapiro (2010), "Online learning for matrix factorization and sparse
// coding", JMLR 11, algorithm 2 for H, with codes >= 0. docs/math/dictionary-learning.md.
inline constexpr ModelRule dictionary_learning{.model = Model::dictionary_learning,
                                               .solver = Solver::hals,
                                               .row_step = StepKind::nonnegative_sweep,
                                               .column_step = StepKind::unit_ball,
                                               .columns_free = true,
                                               .leaves_zeros = true,
                                               .monotone = true,
                                               .orthonormal = false,
                                               .unit_ball = true};

// Pompili, Gillis, Absil & Glineur (2014), "Two algorithms for orthogonal nonnegative matrix
// factorization with application to clustering", Neurocomputing 141, algorithm EM-ONMF.
// docs/math/orthogonal-nmf.md.
inline constexpr ModelRule orthogonal_nmf{.model = Model::orthogonal_nmf,
                                          .solver = Solver::alt_onmf,
                                          .row_step = StepKind::one_component,
                                          .column_step = StepKind::nonnegative_solve,
                                          .columns_free = false,
                                          .leaves_zeros = true,
                                          .monotone = true,
                                          .orthonormal = false,
                                          .one_component = true};

inline constexpr const ModelRule* model_rules[] = {&semi_nmf_hals,
                                                   &semi_nmf_mu,
                                                   &semi_nmf_anls_bpp,
                                                   &semi_nmf_projected_gradient,
                                                   &nmf_hals,
                                                   &nmf_mu,
                                                   &nmf_anls_bpp,
                                                   &nmf_projected_gradient,
                                                   &semi_orthogonal_nmf,
                                                   &snmf_mu,
                                                   &separable_nmf,
                                                   &convex_nmf,
                                                   &archetypal_analysis,
                                                   &min_volume_nmf,
                                                   &dictionary_learning,
                                                   &orthogonal_nmf};

// Returns null if the model has no such solver.
inline const ModelRule* find_rule(Model model, Solver solver) {
  for (const ModelRule* rule : model_rules)
    if (rule->model == model && rule->solver == solver) return rule;
  return nullptr;
}

inline const ModelRule& rule_for(Model model, Solver solver) {
  const ModelRule* rule = find_rule(model, solver);
  expect(rule != nullptr, "the model has the solver");
  return *rule;
}

// Whether a row of W has at most one component in a model.
inline bool has_one_component(Model model) {
  for (const ModelRule* rule : model_rules)
    if (rule->model == model) return rule->one_component;
  return false;
}

// The signs of H in a model, which are also those required of X.
inline EntrySign sign_of(Model model) {
  for (const ModelRule* rule : model_rules)
    if (rule->model == model && !rule->columns_free) return EntrySign::nonnegative;
  return EntrySign::any;
}
// The required signs of X: a β-divergence with β <= 0 divides by its entries, and the logistic loss
// is of entries 0 and 1.
inline EntrySign sign_of(Model model, const Loss& loss) {
  if (loss.kind == LossKind::logistic) return EntrySign::binary;
  const bool divides = loss.kind == LossKind::divergence && loss.beta <= 0;
  return divides ? EntrySign::positive : sign_of(model);
}

}  // namespace gemmine
