#include "factorization/survey/survey.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <numbers>

#include "backend/perturbed_source.h"
#include "factorization/factors.h"
#include "factorization/random_streams.h"
#include "factorization/survey/held_out.h"
#include "factorization/survey/side_by_side.h"
#include "factorization/survey/stability.h"

namespace gemmine {
namespace {

// Different seeds of the survey, or restarts, have unrelated noise, starts and held-out entries.
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

// Of one restart.
struct Restart {
  double relative_error;
  double objective;
  double held_out_error;
  Index iterations;
};

class SurveyOfRank {
 public:
  SurveyOfRank(const AskedRank& asked, Index restarts)
      : asked_(asked), k_(asked.consensus.rows), restarts_(static_cast<std::size_t>(restarts)) {}

  bool holds_out() const { return asked_.holds_out(); }

  void fit_with_noise(Passes& backend, const RowSource& noisy, Index r, const Job& job,
                      SharedReads* shared) {
    FitOptions options = asked_.fit;
    options.seed = seed_of(options.seed, r);
    HostMatrix<float> W(noisy.rows(), k_);
    const Convergence run =
        fit(backend, noisy, options, W.view(), asked_.components.row_block(r * k_, k_), job,
            single_process(), shared);
    restarts_[r].relative_error = run.relative_error;
    restarts_[r].objective = run.objective.back();
    restarts_[r].iterations += run.iterations;
  }

  void fit_without_held_out(Passes& backend, const RowSource& X, Index r, const Job& job,
                            SharedReads* shared) {
    FitOptions options = *asked_.held_out;
    options.seed = options.mask.seed = seed_of(options.seed, r);
    const HeldOut found = held_out_error(backend, X, options, k_, job, shared);
    restarts_[r].held_out_error = found.error;
    restarts_[r].iterations += found.iterations;
  }

  // After all restarts.
  Survey concluded(const SourceNorm& norm, const Job& job) const {
    Survey result{.silhouettes = {},
                  .relative_errors = {},
                  .held_out_errors = {},
                  .iterations = 0,
                  .entries = norm.count,
                  .log_mean_square = log_mean_square(norm)};
    for (const Restart& each : restarts_) {
      result.relative_errors.push_back(each.relative_error);
      if (asked_.held_out) result.held_out_errors.push_back(each.held_out_error);
      result.iterations += each.iterations;
    }
    const auto best = std::ranges::min_element(restarts_, {}, &Restart::objective);
    const auto count = static_cast<Index>(restarts_.size());
    const Stability stability =
        stability_of(asked_.components, count, best - restarts_.begin(), job);
    const double scale = std::ldexp(1.0, std::max(norm.exponent, lowest_of_consensus));
    for (Index j = 0; j < k_; ++j)
      for (Index t = 0; t < asked_.consensus.cols; ++t)
        asked_.consensus(j, t) = static_cast<float>(scale * stability.centroids(j, t));
    result.silhouettes = stability.silhouettes;
    return result;
  }

 private:
  const AskedRank& asked_;
  const Index k_;
  std::vector<Restart> restarts_;
};

class Surveying {
 public:
  Surveying(Passes& backend, const RowSource& X, std::span<const AskedRank> ranks,
            const SurveyOptions& options, const Job& job)
      : backend_(backend), X_(X), asked_(ranks), options_(options), job_(job) {
    for (const AskedRank& rank : ranks) ranks_.emplace_back(rank, options.restarts);
    const Index held_out = std::ranges::count_if(ranks, &AskedRank::holds_out);
    total_ = options.restarts * (static_cast<Index>(ranks.size()) + held_out);
  }

  std::vector<Survey> run() {
    const SourceNorm norm = backend_.examine(examined(X_, asked_.front().fit), job_);
    job_.progress("restart", 0, total_);
    std::vector<std::unique_ptr<RowSource>> noisy;
    std::vector<Participant> on_X;
    for (Index r = 0; r < options_.restarts; ++r) {
      if (options_.copies) {
        const auto copy = perturbed_copy(X_, noise_of(r), quiet_);
        std::vector<Participant> on_copy;
        add_restarts(r, *copy, no_noise, on_copy);
        factorize(*copy, on_copy);
      } else {
        noisy.push_back(perturbed_source(X_, noise_of(r)));
        add_restarts(r, *noisy.back(), noise_of(r), on_X);
      }
      add_held_out(r, on_X);
    }
    factorize(X_, on_X);
    std::vector<Survey> results;
    for (const SurveyOfRank& rank : ranks_) results.push_back(rank.concluded(norm, job_));
    return results;
  }

 private:
  Noise noise_of(Index r) const {
    return {.amplitude = options_.amplitude, .seed = seed_of(asked_.front().fit.seed, r)};
  }

  void add_restarts(Index r, const RowSource& noisy, const Noise& noise,
                    std::vector<Participant>& to) {
    for (SurveyOfRank& rank : ranks_)
      to.push_back({noisy, noise, [this, &rank, &noisy, r](SharedReads* shared) {
                      rank.fit_with_noise(backend_, noisy, r, quiet_, shared);
                      job_.progress("restart", ++done_, total_);
                    }});
  }

  void add_held_out(Index r, std::vector<Participant>& to) {
    for (SurveyOfRank& rank : ranks_)
      if (rank.holds_out())
        to.push_back({X_, no_noise, [this, &rank, r](SharedReads* shared) {
                        rank.fit_without_held_out(backend_, X_, r, quiet_, shared);
                        job_.progress("restart", ++done_, total_);
                      }});
  }

  void factorize(const RowSource& X, std::span<const Participant> all) {
    const auto at_once = static_cast<std::size_t>(options_.at_once);
    for (std::size_t first = 0; first < all.size(); first += at_once)
      factorize_side_by_side(backend_, X, all.subspan(first, std::min(at_once, all.size() - first)),
                             quiet_);
  }

  Passes& backend_;
  const RowSource& X_;
  const std::span<const AskedRank> asked_;
  const SurveyOptions& options_;
  const Job& job_;
  const Job quiet_ = job_.quietly();
  std::deque<SurveyOfRank> ranks_;
  Index done_ = 0;  // of all factorizations
  Index total_;
};

}  // namespace

std::vector<Survey> survey(Passes& backend, const RowSource& X, std::span<const AskedRank> ranks,
                           const SurveyOptions& options, const Job& job) {
  return Surveying(backend, X, ranks, options, job).run();
}

}  // namespace gemmine
