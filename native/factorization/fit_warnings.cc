#include "factorization/fit_warnings.h"

#include <algorithm>

#include "factorization/loop/reseeding.h"

namespace gemmine {
namespace {

std::string components(Index count, Index k) {
  return std::to_string(count) + " of " + std::to_string(k) + " components";
}

// If the step cannot leave a zero: what to do, as the end of a sentence. hals takes no loss but
// squares and what they bound, and no graph.
std::string other_ways(const FitOptions& options, const std::string& way) {
  const bool has_hals = find_rule(options.model, Solver::hals) &&
                        is_bounded_by_squares(options.loss) && options.adjacency == nullptr;
  return has_hals ? way + ", or use hals." : way + ".";
}

struct Zeros {
  Index count = 0;
  Index row = 0;  // of the first one
  Index column = 0;
};

Zeros zeros_of(HostView<const float> factor) {
  Zeros zeros;
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      if (factor(i, j) == 0 && zeros.count++ == 0) {
        zeros.row = i;
        zeros.column = j;
      }
  return zeros;
}

}  // namespace

void warn_of_one_side(const Penalties& p, std::vector<std::string>& warnings) {
  const bool on_W = p.l1_w > 0 || p.l2_w > 0 || p.graph > 0;
  const bool on_H = p.l1_h > 0 || p.l2_h > 0;
  if (on_W == on_H) return;
  const std::string one = on_W ? "W" : "H";
  const std::string other = on_W ? "H" : "W";
  warnings.push_back("The penalty on " + one + " alone can be evaded by shrinking " + one +
                     " while " + other + " grows; give l1 or l2 of " + other + " a weight too.");
}

void warn_of_given_zeros(const FitOptions& options, std::vector<std::string>& warnings) {
  const ModelRule& rule = rule_for(options.model, options.solver);
  if (options.start != Start::given || rule.leaves_zeros) return;
  const auto warn = [&](HostView<const float> factor, const char* argument) {
    if (factor.data == nullptr) return;
    const Zeros zeros = zeros_of(factor);
    if (zeros.count == 0) return;
    warnings.push_back(std::string(argument) + " has " + std::to_string(zeros.count) +
                       (zeros.count == 1 ? " zero, at row " : " zeros, the first at row ") +
                       std::to_string(zeros.row) + ", column " + std::to_string(zeros.column) +
                       ": mu leaves " + (zeros.count == 1 ? "it" : "them") + " at zero; " +
                       other_ways(options, "give small positive numbers"));
  };
  warn(options.given_W, "init.W");
  if (!rule.columns_free) warn(options.given_H, "init.H");
}

bool is_correntropy(const Loss& loss) {
  return loss.kind == LossKind::correntropy || loss.kind == LossKind::row_correntropy;
}

void warn_of_outliers(const Loss& kind, double loss, double all,
                      std::vector<std::string>& warnings) {
  constexpr double nearly = 0.99;
  const double most = all * kind.parameter * kind.parameter;
  if (!(loss >= nearly * most)) return;
  const std::string counted = is_of_rows(kind) ? "rows" : "entries";
  warnings.push_back("Nearly all " + counted +
                     " count as outliers, so that the factors fit almost "
                     "nothing; a larger bandwidth, or another init, would let " +
                     counted + " count.");
}

void warn_of_standstill(Index worked, Index iterations, std::vector<std::string>& warnings) {
  if (worked >= iterations) return;
  warnings.push_back("Rounding let no iteration after the first " + std::to_string(worked) +
                     " lower the objective: the others were not computed, so a rate counted over "
                     "all " +
                     std::to_string(iterations) + " of them is too high.");
}

void warn_of_spare(const FitOptions& options, const std::vector<double>& row_gram,
                   const std::vector<double>& column_gram, double squared_norm, Index k,
                   std::vector<std::string>& warnings) {
  if (row_gram.empty() || squared_norm == 0) return;
  const std::vector<bool> dead = dead_components(row_gram, column_gram, squared_norm);
  const Index unused = std::count(dead.begin(), dead.end(), true);
  // If the step cannot leave a zero, unused components do not mean that the rank is too high.
  const ModelRule& rule = rule_for(options.model, options.solver);
  const std::string remedy =
      rule.unit_ball ? "a smaller l1W would use them, or a smaller rank would do."
      : rule.leaves_zeros
          ? "a smaller rank would do."
          : other_ways(options,
                       "mu cannot bring one back that reached zero: try another init or seed");
  if (unused > 0) warnings.push_back(components(unused, k) + " have no part in the fit; " + remedy);
  if (options.model != Model::semi_nmf || options.penalties.l1_h > 0 || options.penalties.l2_h > 0)
    return;
  const NormalMatrix normal(row_gram, k, 0, true);
  const auto dependent = static_cast<Index>(normal.dependent().size());
  if (dependent > unused)
    warnings.push_back("The codes of " + components(dependent, k) +
                       " depend linearly on the others, so that H is not determined; a weight "
                       "l2 on both factors or a smaller rank would settle it.");
}

}  // namespace gemmine
