// Assignments, silhouettes and surveys, compared with brute force and with pairwise distances.
#include <chrono>
#include <limits>
#include <thread>

#include "backend/perturbed_source.h"
#include "core/pool.h"
#include "core/row_block.h"
#include "csr.h"
#include "factorization/random_streams.h"
#include "factorization/survey/linear_assignment.h"
#include "factorization/survey/stability.h"
#include "factorization/survey/survey.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

double gain_of(const HostMatrix<double>& gain, const std::vector<Index>& to) {
  double sum = 0;
  for (Index i = 0; i < gain.rows(); ++i) sum += gain(i, to[i]);
  return sum;
}

bool is_permutation(std::vector<Index> to) {
  std::ranges::sort(to);
  for (std::size_t i = 0; i < to.size(); ++i)
    if (to[i] != static_cast<Index>(i)) return false;
  return true;
}

void assignments_are_those_of_brute_force() {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const CounterRandom random(seed, 100);
    const Index k = 1 + static_cast<Index>(seed % 6);
    HostMatrix<double> gain(k, k);
    for (Index i = 0; i < k; ++i)
      for (Index j = 0; j < k; ++j) {
        const double u = random.uniform(i, static_cast<std::uint32_t>(j));
        gain(i, j) = seed % 3 == 0 ? std::floor(3 * u) : 2 * u - 1;  // with ties, and without
      }
    std::vector<Index> each(k);
    std::iota(each.begin(), each.end(), Index{0});
    double best = -std::numeric_limits<double>::infinity();
    do best = std::max(best, gain_of(gain, each));
    while (std::next_permutation(each.begin(), each.end()));
    const std::vector<Index> found = best_assignment(gain.view());
    check(is_permutation(found), "an assignment uses each column once");
    near(gain_of(gain, found), best, 1e-12, "the gain of an assignment");
  }
}

void assignments_find_a_hidden_permutation() {
  const Index k = 60;
  const CounterRandom random(7, 100);
  HostMatrix<double> gain(k, k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j)
      gain(i, j) =
          j == (7 * i + 3) % k ? 1 : 0.9 * random.uniform(i, static_cast<std::uint32_t>(j));
  const std::vector<Index> found = best_assignment(gain.view());
  for (Index i = 0; i < k; ++i) check(found[i] == (7 * i + 3) % k, "a hidden permutation");
}

double cosine(const Dense& A, Index i, Index j) {
  double product = 0, left = 0, right = 0;
  for (Index t = 0; t < A.cols; ++t) {
    product += double{A(i, t)} * A(j, t);
    left += double{A(i, t)} * A(i, t);
    right += double{A(j, t)} * A(j, t);
  }
  return left * right > 0 ? product / std::sqrt(left * right) : 0;
}

// The mean silhouette of a cluster from all pairs of components. Rousseeuw (1987).
double naive_silhouette(const Dense& all, Index count, const Stability& found, Index cluster) {
  const Index k = all.rows / count;
  const auto row = [&](Index f, Index c) { return f * k + found.members[f][c]; };
  double total = 0;
  for (Index f = 0; f < count; ++f) {
    double inside = 0;
    for (Index g = 0; g < count; ++g)
      if (g != f) inside += 1 - cosine(all, row(f, cluster), row(g, cluster));
    inside /= static_cast<double>(count - 1);
    double outside = k == 1 ? 1 : 2;
    for (Index c = 0; c < k; ++c) {
      double sum = 0;
      for (Index g = 0; g < count; ++g) sum += 1 - cosine(all, row(f, cluster), row(g, c));
      if (c != cluster) outside = std::min(outside, sum / static_cast<double>(count));
    }
    total += (outside - inside) / std::max(inside, outside);
  }
  return total / static_cast<double>(count);
}

// The rows of `truth` with noise, in another order in each factorization and with other scales.
Dense shuffled(const Dense& truth, Index count, double noise) {
  const Dense errors = gaussian(count * truth.rows, truth.cols, 5);
  return filled(count * truth.rows, truth.cols, [&](Index i, Index t) {
    const Index f = i / truth.rows;
    const Index from = (i + f) % truth.rows;
    return (1 + static_cast<double>(i)) * (truth(from, t) + noise * errors(i, t));
  });
}

void silhouettes_are_those_of_all_pairs() {
  for (const Index k : {1, 2, 5})
    for (const double noise : {0.05, 0.5, 3.0}) {
      const Index count = 4;
      const Dense all = shuffled(gaussian(k, 12, 3), count, noise);
      const Stability found = stability_of(all.view(), count, 1, job());
      for (Index c = 0; c < k; ++c)
        near(found.silhouettes[c], naive_silhouette(all, count, found, c), 1e-9, "silhouette");
    }
}

void aligned_components_are_found_again() {
  const Index k = 6, count = 5;
  const Stability found =
      stability_of(shuffled(gaussian(k, 20, 4), count, 0.01).view(), count, 2, job());
  for (Index f = 0; f < count; ++f)
    for (Index c = 0; c < k; ++c) {
      const Index of_first = (found.members[2][c] + 2 * k + 2) % k;
      check((found.members[f][c] + f * k + f) % k == of_first, "a member of its cluster");
    }
  for (const double value : found.silhouettes) check(value > 0.99, "alike components");
}

void equal_and_empty_components_have_numbers() {
  const Dense same = filled(8, 5, [](Index, Index t) { return 1 + t; });
  for (const double value : stability_of(same.view(), 4, 0, job()).silhouettes)
    check(value == 0, "clusters that coincide have silhouette 0");
  for (const double value : stability_of(same.view(), 8, 0, job()).silhouettes)
    near(value, 1, 1e-12, "one component that never changes");
  for (const double value : stability_of(zeros(8, 5).view(), 4, 0, job()).silhouettes)
    check(value == 0, "components of zeros");
  for (const double value : stability_of(zeros(4, 5).view(), 4, 0, job()).silhouettes)
    check(value == 0, "one component of zeros");
}

void a_perturbed_source_is_finite_and_keeps_signs() {
  const float largest = std::numeric_limits<float>::max();
  const Dense X = filled(30, 7, [&](Index i, Index j) {
    return i == 3 ? largest : i == 4 ? -largest : (i + j) % 3 ? i - 10.0 * j : 0;
  });
  const auto source = X.source();
  const auto noisy = perturbed_source(*source, {.amplitude = 0.5, .seed = 9});
  RowScratch scratch;
  const RowBlock block = noisy->block(2, 20, scratch);
  for (Index i = 0; i < 20; ++i)
    for (Index j = 0; j < 7; ++j) {
      const float given = X(2 + i, j);
      const float found = block.dense(i, j);
      check(std::isfinite(found) && (given == 0 ? found == 0 : found / given > 0),
            "finite, with the sign of the entry");
      check(found == static_cast<float>(noisy->entry(2 + i, j)), "an entry is that of its block");
    }
}

struct Surveyed {
  Dense consensus;
  Dense components;
  Survey result;
};

// How the four restarts of a survey run.
struct Way {
  bool copies;
  Index at_once;
};
constexpr Way together{false, 4};

constexpr double amplitude = 0.02;

std::vector<Surveyed> surveyed(const RowSource& X, const std::vector<Index>& ks,
                               const FitOptions& options, Index threads, const Way& way,
                               const std::optional<FitOptions>& held_out = std::nullopt) {
  std::vector<Surveyed> found;
  for (const Index k : ks) found.push_back({zeros(k, X.cols()), zeros(4 * k, X.cols()), {}});
  std::vector<AskedRank> asked;
  for (Surveyed& each : found)
    asked.push_back({options, held_out, each.consensus.view(), each.components.view()});
  const std::vector<Survey> results =
      survey(passes_for("cpu"), X, asked,
             {.restarts = 4, .amplitude = amplitude, .copies = way.copies, .at_once = way.at_once},
             job(threads));
  for (std::size_t i = 0; i < found.size(); ++i) found[i].result = results[i];
  return found;
}

// Half of the entries of both factors are 0, so that they are the only non-negative ones.
Dense parts(Index n, Index d, Index k, std::uint64_t seed) {
  const auto sparse = [&](Index rows, Index cols, std::uint64_t of) {
    const CounterRandom random(of, 100);
    return filled(rows, cols, [&](Index i, Index j) {
      return std::max(0.0, 2 * random.uniform(i, static_cast<std::uint32_t>(j)) - 1);
    });
  };
  return product(sparse(n, k, seed), sparse(k, d, seed + 1));
}

void expect_same(const Surveyed& one, const Surveyed& other) {
  same_bits(one.consensus.values.data(), other.consensus.values.data(), one.consensus.values.size(),
            "consensus");
  same_bits(one.components.values.data(), other.components.values.data(),
            one.components.values.size(), "components");
  same_bits(one.result.silhouettes.data(), other.result.silhouettes.data(),
            one.result.silhouettes.size(), "silhouettes");
  check(one.result.relative_errors == other.result.relative_errors, "errors of the restarts");
  check(one.result.held_out_errors == other.result.held_out_errors, "errors of held-out entries");
  check(one.result.iterations == other.result.iterations, "iterations");
}

// Restarts that share their reads of X have the bits of separate ones, whose X has its noise.
void surveys_have_the_same_bits_for_any_threads_and_groups_and_with_copies() {
  const Dense X = parts(80, 20, 3, 11);
  const Csr csr(X);
  const auto dense = X.source();
  const auto sparse = csr.source();
  for (const RowSource* source : {dense.get(), sparse.get()})
    for (const auto& [model, solver] : {std::pair{Model::nmf, Solver::hals},
                                        {Model::semi_nmf, Solver::hals},
                                        {Model::nmf, Solver::mu}}) {
      FitOptions given = options(model, solver, Start::random, 60);
      given.extrapolated = true;
      if (solver == Solver::mu) given.loss = {LossKind::divergence, 1};
      const std::vector<Surveyed> one = surveyed(*source, {3}, given, 1, {false, 1});
      expect_same(one[0], surveyed(*source, {3}, given, 3, {true, 1})[0]);
      expect_same(one[0], surveyed(*source, {3}, given, 3, together)[0]);
      expect_same(one[0], surveyed(*source, {2, 3, 5}, given, 2, {false, 7})[1]);
      expect_same(one[0], surveyed(*source, {2, 3}, given, 2, {true, 4})[1]);
      near(one[0].result.entries, 1600, 0, "all entries count");
      near(one[0].result.log_mean_square, std::log(squares(X) / 1600), 1e-6, "mean square");
    }
}

// An X whose largest entry is a power of two has another scale in some restarts.
void restarts_at_two_scales_share_their_reads() {
  Dense X = parts(80, 20, 3, 11);
  const float largest = *std::ranges::max_element(X.values);
  for (float& x : X.values) x /= largest;
  const auto source = X.source();
  FitOptions given = options(Model::nmf, Solver::hals, Start::random, 20);
  given.penalties.l1_w = given.penalties.l2_h = 0.01;
  expect_same(surveyed(*source, {3}, given, 1, {false, 1})[0],
              surveyed(*source, {3}, given, 2, together)[0]);
}

void starts_that_read_X_share_what_they_can() {
  const Dense X = parts(80, 20, 3, 11);
  const auto source = X.source();
  for (const Start start : {Start::kmeans, Start::nndsvda}) {
    const FitOptions given = options(Model::nmf, Solver::hals, start, 15);
    expect_same(surveyed(*source, {3}, given, 1, {false, 1})[0],
                surveyed(*source, {3}, given, 2, together)[0]);
  }
}

void a_failure_of_one_restart_ends_the_survey() {
  Dense X = parts(80, 20, 3, 11);
  X.values[7 * 20 + 4] = -1;
  const auto source = X.source();
  throws<InvalidEntry>(
      [&] {
        surveyed(*source, {3}, options(Model::nmf, Solver::hals, Start::random, 20), 2, together);
      },
      [](const InvalidEntry& error) { check(error.row == 7 && error.column == 4, "its place"); },
      "a negative entry");
}

void a_survey_that_is_cancelled_ends() {
  const Dense X = parts(80, 20, 3, 11);
  const auto source = X.source();
  const FitOptions given = options(Model::nmf, Solver::hals, Start::random, 1000000);
  std::int32_t flag = 0;
  Dense consensus = zeros(3, 20), components = zeros(12, 20);
  const AskedRank asked{given, std::nullopt, consensus.view(), components.view()};
  std::thread stop([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
  });
  bool cancelled = false;
  try {
    FitOptions endless = given;
    endless.tolerance = 0;
    const AskedRank ranks[] = {{endless, std::nullopt, consensus.view(), components.view()}};
    survey(passes_for("cpu"), *source, ranks,
           {.restarts = 4, .amplitude = amplitude, .copies = false, .at_once = 4},
           {.cancellation = Cancellation(&flag), .report = nullptr, .threads = 2});
  } catch (const Cancelled&) {
    cancelled = true;
  }
  stop.join();
  check(cancelled, "a survey is cancelled");
}

// The errors at the entries that a fit did not see, from the factors of a fit with the same mask.
void held_out_errors_are_those_of_the_entries_that_were_not_seen() {
  const Dense X = parts(80, 20, 3, 11);
  const Csr csr(X);
  const auto dense = X.source();
  const auto sparse = csr.source();
  const FitOptions given = options(Model::nmf, Solver::hals, Start::random, 10);
  FitOptions held_out = options(Model::nmf, Solver::mu, Start::random, 80);
  held_out.mask.held_out = 0.2;
  for (const RowSource* source : {dense.get(), sparse.get()}) {
    const Surveyed found = surveyed(*source, {3}, given, 2, together, held_out)[0];
    expect_same(found, surveyed(*source, {3}, given, 1, {true, 1}, held_out)[0]);
    for (Index r = 0; r < 4; ++r) {
      FitOptions own = held_out;
      own.seed = own.mask.seed =
          CounterRandom(held_out.seed, survey_restart).bits(static_cast<std::uint64_t>(r), 0);
      const Fitted fit = fitted(passes_for("cpu"), *source, 3, own);
      const Dense model = product(fit.W, fit.H);
      double error = 0, count = 0;
      for (Index i = 0; i < X.rows; ++i)
        for (Index t = 0; t < X.cols; ++t) {
          if (!is_held_out(own.mask, i, t)) continue;
          error += std::pow(double{X(i, t)} - model(i, t), 2);
          count += 1;
        }
      near(found.result.held_out_errors[r], error / count, 1e-5 * error / count,
           "a held-out error");
      near(count, 320, 60, "held-out entries");
    }
  }
}

// Equal weights of all rows do not change a mean, and a restart that holds out nothing has none.
void held_out_errors_are_means_by_weight_and_no_number_without_entries() {
  const Dense X = parts(80, 20, 3, 11);
  const auto source = X.source();
  const FitOptions given = options(Model::nmf, Solver::hals, Start::random, 10);
  FitOptions held_out = options(Model::nmf, Solver::mu, Start::random, 30);
  held_out.mask.held_out = 0.2;
  const auto errors = [&](const FitOptions& others) {
    return surveyed(*source, {3}, given, 2, together, others)[0].result.held_out_errors;
  };
  const std::vector<double> plain = errors(held_out);
  const std::vector<float> fours(80, 4.0f);
  FitOptions weighted = held_out;
  weighted.row_weights = fours;
  const std::vector<double> found = errors(weighted);
  for (std::size_t r = 0; r < plain.size(); ++r)
    near(found[r], plain[r], 1e-3 * plain[r], "a mean of rows that weigh 4");
  held_out.mask.held_out = 1e-300;
  for (const double error : errors(held_out)) check(std::isnan(error), "no entry is held out");
}

void planted_parts_are_stable_and_one_more_is_not() {
  const Dense X = parts(120, 24, 4, 21);
  FitOptions given = options(Model::nmf, Solver::hals, Start::random, 100);
  given.extrapolated = true;
  const auto source = X.source();
  const auto least = [&](Index k) {
    return std::ranges::min(surveyed(*source, {k}, given, 2, together)[0].result.silhouettes);
  };
  check(least(4) > 0.9, "the planted parts are found in each restart");
  check(least(5) < 0.7, "a fifth part is another one in each restart");
}

}  // namespace

int main() {
  set_pool_threads(3);
  assignments_are_those_of_brute_force();
  assignments_find_a_hidden_permutation();
  silhouettes_are_those_of_all_pairs();
  aligned_components_are_found_again();
  equal_and_empty_components_have_numbers();
  a_perturbed_source_is_finite_and_keeps_signs();
  surveys_have_the_same_bits_for_any_threads_and_groups_and_with_copies();
  restarts_at_two_scales_share_their_reads();
  starts_that_read_X_share_what_they_can();
  a_failure_of_one_restart_ends_the_survey();
  a_survey_that_is_cancelled_ends();
  held_out_errors_are_those_of_the_entries_that_were_not_seen();
  held_out_errors_are_means_by_weight_and_no_number_without_entries();
  planted_parts_are_stable_and_one_more_is_not();
  return report("survey");
}
